"""What is published of one dataset, opened to be compared with what it is to say. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.replica.changes import Changes, unpack_changes
from cache.replica.column_types import Keys, Records
from cache.replica.groups import spare_bits
from cache.replica.head import Dataset, DeltaFile
from cache.replica.layout import Layout
from cache.replica.row_columns import read_rows
from cache.replica.segment import Segment
from cache.replica.source import FileKind
from cache.replica.table import Table
from cache.replica.table_rows import as_changed
from hub.files import ReplicaFiles
from hub.rows import Rows

_ROWS_AT_ONCE = 1 << 18


class PublishedTable:
    """A dataset as a head names it: `table` holds its base and deltas, `changes` what is inline.

    `keys` are the base's, all bits of each, by rank: a row keeps too few to tell somebody new from
    somebody who shares these bits. Files that `before` has open are not read again.

    :raises ReplicaError: if a file is damaged, or not the one that is named.
    :raises OSError: if it cannot be read.
    """

    def __init__(
        self, files: ReplicaFiles, dataset: Dataset, before: PublishedTable | None = None
    ) -> None:
        self.dataset = dataset
        self.keys: Keys
        known: tuple[DeltaFile, ...] = ()
        if before is not None and before.dataset.root == dataset.root:
            base, self.keys = before.table, before.keys
            known = before.dataset.deltas
            if dataset.deltas[: len(known)] != known:
                base, known = Table(base.segment), ()
        else:
            base = Table(Segment.open(files.path(FileKind.SEGMENT, dataset.name)))
            self.keys = files.keys(dataset.root, dataset.rows)
        further = [files.delta(dataset, named) for named in dataset.deltas[len(known) :]]
        self.table: Table = base.with_deltas(further, {}) if further else base
        self.layout: Layout[Any] = base.layout
        self.changes: Changes = unpack_changes(dataset.changes, self.layout)
        self._spare = spare_bits(self.layout)
        self._said: dict[int, bytes | None] = {
            key >> self._spare: record for key, record in self.changes.items()
        }

    @property
    def changed_rows(self) -> int:
        """How many rows the deltas speak of."""
        overlay = self.table.overlay
        return 0 if overlay is None else overlay.rows

    def find(self, key: int) -> bytes | None:
        """Return what is published under a key, None if nothing. Nobody is taken for another.

        :raises DamagedPage: if the page that holds the answer is damaged.
        """
        person = key >> self._spare
        return self._said[person] if person in self._said else self._folded(key)

    def _folded(self, key: int) -> bytes | None:
        added = self.table.added(key)
        if added is not None:
            return added
        rank = self.table.segment.locate(key)
        if rank is None or int(self.keys[rank]) >> self._spare != key >> self._spare:
            return None
        return self.table.at(rank)

    def with_changes(self, wanted: Mapping[int, bytes | None]) -> Changes:
        """Return the inline changes after which these keys say what is wanted.

        :raises DamagedPage: if a page of the base is damaged.
        """
        new = {key: record for key, record in wanted.items() if self.find(key) != record}
        return dict(self.changes) | new if new else self.changes

    def with_rows(self, rows: Rows, limit: int) -> Changes | None:
        """Return the inline changes after which the dataset says exactly these rows.

        None if more than `limit` rows differ.

        :raises DamagedPage: if a page of the base is damaged.
        """
        spare = np.uint64(self._spare)
        matched = rows.keys >> spare
        found = np.zeros(len(rows.keys), bool)
        wanted: dict[int, bytes | None] = {}
        for keys, records in self._columns():
            at = np.searchsorted(matched, keys >> spare)
            there = at < len(matched)
            there[there] = matched[at[there]] == keys[there] >> spare
            found[at[there]] = True
            differing = np.flatnonzero(there)
            differing = differing[(_as_bytes(rows, at[there]) != records[there]).any(axis=1)]
            if len(wanted) + len(differing) + np.count_nonzero(~there) > limit:
                return None
            wanted |= dict.fromkeys(keys[~there].tolist())
            wanted |= _taken(rows, at[differing])
        added = np.flatnonzero(~found)
        if len(wanted) + len(added) > limit:
            return None
        wanted |= _taken(rows, added)
        differing_in = {key >> self._spare for key in wanted}
        # What is inline and not to differ from the deltas any more has to say so: changes are
        # numbered, and their number does not fall.
        for key in self.changes:
            if key >> self._spare not in differing_in:
                wanted[key] = self._folded(key)
        return self.changes if wanted == self.changes else wanted

    def _columns(self) -> Iterator[tuple[Keys, Records]]:
        """Yield all rows of base and deltas, with all bits of their keys."""
        net, rows = self.table.net(), self.dataset.rows
        for first in range(0, rows, _ROWS_AT_ONCE):
            last = min(first + _ROWS_AT_ONCE, rows)
            _, records = read_rows(self.table.segment, first, last)
            yield as_changed(self.keys[first:last], records, first, net, self.layout)
        yield net.keys, net.records


def _as_bytes(rows: Rows, at: NDArray[Any]) -> Records:
    return np.ascontiguousarray(rows.records[at]).view(np.uint8)


def _taken(rows: Rows, at: NDArray[Any]) -> dict[int, bytes | None]:
    records = _as_bytes(rows, at)
    return {
        key: record.tobytes() for key, record in zip(rows.keys[at].tolist(), records, strict=True)
    }
