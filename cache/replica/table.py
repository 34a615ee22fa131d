"""What a dataset says now: its base segment, the deltas since, and the latest changes on top.

A look-up asks the changes by key, then the base for the row, then, by the row's rank, what deltas
say of it, and the added rows for whom the base does not have. With neither deltas nor changes a
table's look-ups are the segment's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cache.errors import DamagedPage, DeltaError
from cache.replica.changes import Changes
from cache.replica.geometry import Header
from cache.replica.groups import spare_bits
from cache.replica.heap import trim_heap
from cache.replica.layout import Layout
from cache.replica.overlay import (
    LookUp,
    Overlay,
    added_reader,
    changed_reader,
    finder,
    overlaid,
    with_changes,
)
from cache.replica.segment import Segment

if TYPE_CHECKING:
    from cache.replica.column_types import Keys, Records
    from cache.replica.delta import Delta

NO_CHANGES: Changes = MappingProxyType({})


class Table:
    """One dataset as it is now. Immutable, and thread-safe to read.

    `locate(key)` returns the rank of a base row that is as it was (its page just checked), or the
    record that counts instead, or None where nothing is on record. `find(key)` returns the record
    or None; `added(key)` looks among the rows that the base does not have alone, without changes.
    All but `added` raise `DamagedPage` if a page that could hold the answer is damaged. `after` is
    the number that the deltas end with, 0 without any.

    :param deltas: on this segment, in their order, the first one after number 0.
    :param changes: after the last delta.
    :param overlay: what deltas through number `after` come to, before `deltas`.
    :raises DeltaError: if the deltas do not join, or contradict each other.
    """

    def __init__(
        self,
        segment: Segment,
        deltas: Sequence[Delta] = (),
        changes: Changes = NO_CHANGES,
        *,
        overlay: Overlay | None = None,
        after: int = 0,
    ) -> None:
        if deltas:
            overlay, after = _overlaid(segment, deltas, overlay, after), deltas[-1].through
        self.segment = segment
        self.overlay = overlay
        self.after = after
        self.changes = dict(changes)
        self.layout: Layout[Any] = segment.layout
        self.header: Header = segment.header
        width, spare = self.layout.record_bytes, spare_bits(self.layout)
        self.locate: LookUp = segment.locate
        self.find: Callable[[int], bytes | None] = segment.find
        self.added: Callable[[int], bytes | None] = _nobody
        if overlay is not None:
            self.added = added_reader(overlay, width, spare)
            groups = self.layout.groups
            changed = changed_reader(overlay, groups, width, segment.record, self.added)
            self._own = changed_reader(overlay, groups, width, segment.record, _nobody)
            self.locate = overlaid(overlay, segment.locate, changed, self.added)
        if changes:
            self.locate = with_changes(self.changes, spare, self.locate)
        if overlay is not None or changes:
            self.find = finder(self.locate, segment.record)

    def with_changes(self, changes: Changes) -> Table:
        """Return the same base and deltas with these changes on top, in place of those here."""
        return self.with_deltas((), changes)

    def with_deltas(self, deltas: Sequence[Delta], changes: Changes) -> Table:
        """Return the same base and deltas, further deltas on top, and these changes on top of all.

        :raises DeltaError: if the deltas do not join, or contradict each other or those here.
        """
        return Table(self.segment, deltas, changes, overlay=self.overlay, after=self.after)

    @property
    def damaged_pages(self) -> int:
        """Pages of the base found damaged since it was opened."""
        return self.segment.damaged_pages

    def forget_checks(self) -> None:
        """Check every page of the base again when it is next touched; see `Segment`."""
        self.segment.forget_checks()

    @property
    def empty(self) -> bool:
        """Whether nothing can be found: no row in the base, and none since."""
        return not (self.header.rows or self.changes or (self.overlay and self.overlay.keys))

    @cached_property
    def rows(self) -> int:
        """How many rows are on record now.

        Whether the base has a changed row is looked up the first time that somebody asks; a row
        that cannot be read counts as on record before.
        """
        rows = self.header.rows
        if self.overlay is not None:
            rows += len(self.overlay.keys) - self.overlay.removed
        unchanged = self.with_changes({})
        for key, record in self.changes.items():
            try:
                before = unchanged.locate(key) is not None
            except DamagedPage:
                before = True
            rows += (record is not None) - before
        return rows

    def at(self, rank: int) -> bytes | None:
        """Return what a base row says after the deltas, None = removed.

        :param rank: of a row that `segment.locate` has just found: its page is not checked.
        """
        overlay = self.overlay
        if overlay is None or not overlay.bitmap[rank >> 3] >> (rank & 7) & 1:
            return self.segment.record(rank)
        return self._own(0, rank)

    def net(self) -> Delta:
        """Return all deltas and changes as one delta from number 0. Needs numpy.

        Its `through` is one more than `after` if there are changes. These are told from base rows
        by the stored bits of their keys alone.

        :raises DamagedPage: if a page of the base that changes speak of is damaged.
        """
        from cache.replica import composition, delta_write  # noqa: PLC0415

        parts = [composition.nothing(self.layout, 0, self.after)]
        if self.overlay is not None:
            parts = [composition.delta_of(self.overlay, self.layout, self.after)]
        if self.changes:
            before = self.with_changes({})
            parts.append(delta_write.difference(before, self.changes, through=self.after + 1))
        return composition.compose(parts, self.layout)

    def items(self, rows_at_once: int = 1 << 16) -> Iterator[tuple[Keys, Records]]:
        """Yield the rows on record now as columns, ascending by key. Needs numpy.

        A base row's key is given as far as it is stored, zeros after that.

        :raises DamagedPage: if a page of the base is damaged.
        """
        from cache.replica.table_rows import live_rows  # noqa: PLC0415

        return live_rows(self, rows_at_once)


def _nobody(key: int) -> None:  # noqa: ARG001 - a look-up
    return None


def _overlaid(
    segment: Segment, deltas: Sequence[Delta], overlay: Overlay | None, after: int
) -> Overlay:
    from cache.replica.composition import compose, delta_of, overlay_of  # noqa: PLC0415

    if deltas[0].after != after:
        msg = f"a delta after number {deltas[0].after} does not join number {after}"
        raise DeltaError(msg)
    before = () if overlay is None else (delta_of(overlay, segment.layout, after),)
    made = overlay_of(compose((*before, *deltas), segment.layout), segment.header.rows)
    trim_heap()
    return made
