"""What differs between two states of one dataset. Needs numpy.

Both are streamed in the order of their keys, so memory stays small however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from cache.errors import LayoutError
from cache.replica.column_types import Keys, Records
from cache.replica.groups import group_bits
from cache.replica.layout import Layout
from cache.replica.row_columns import matched_bits
from cache.replica.table import Table

_ROWS_AT_ONCE = 1 << 18

Progress = Callable[[int], None]
"""Told how many rows were compared since it was told before."""


class Difference(msgspec.Struct, frozen=True):
    """Rows that are in one of two states only, and those that say something else.

    `by_group` counts the changed rows by the group of fields that changed, named by its fields.
    """

    same: int
    added: int
    removed: int
    changed: int
    by_group: dict[str, int]


def compare(before: Table, after: Table, progress: Progress) -> Difference:
    """Return what differs.

    :raises LayoutError: if their rows have different layouts: they say different things.
    :raises DamagedPage: if a page of a base is damaged.
    """
    layout = after.layout
    if before.layout.id != layout.id:
        msg = f"rows of layout {before.layout.id} cannot be compared with rows of {layout.id}"
        raise LayoutError(msg)
    # A row keeps the first bits of its key only, and not as many in every base.
    spare = 64 - min(matched_bits(before.header), matched_bits(after.header))
    counts = dict.fromkeys(("same", "added", "removed", "changed"), 0)
    groups = {_named(layout, number): 0 for number in range(len(layout.groups))}
    for old, new in _aligned(before, after, spare):
        # Not assumed to be unique: of keys that agree in all stored bits, the first one stands.
        shared, at_old, at_new = np.intersect1d(old[0], new[0], return_indices=True)
        differ = (old[1][at_old] != new[1][at_new]).any(axis=1)
        counts["added"] += len(new[0]) - len(shared)
        counts["removed"] += len(old[0]) - len(shared)
        counts["changed"] += int(differ.sum())
        counts["same"] += len(shared) - int(differ.sum())
        for number, name in enumerate(groups):
            groups[name] += _differing(
                layout, number, old[1][at_old][differ], new[1][at_new][differ]
            )
        progress(len(new[0]))
    return Difference(**counts, by_group=groups)


def _aligned(
    before: Table, after: Table, spare: int
) -> Iterator[tuple[tuple[Keys, Records], tuple[Keys, Records]]]:
    """Yield stretches of both with the same range of keys."""
    streams = (_Rows(before, spare), _Rows(after, spare))
    while any([stream.fill() for stream in streams]):  # noqa: C419 - both are filled
        last = min(stream.last for stream in streams)
        old, new = (stream.through(last) for stream in streams)
        yield old, new


class _Rows:
    """The rows of one table, taken from the front up to a key."""

    def __init__(self, table: Table, spare: int) -> None:
        self._chunks = table.items(_ROWS_AT_ONCE)
        self._spare = np.uint64(spare)
        self._keys = np.zeros(0, np.uint64)
        self._records = np.zeros((0, table.layout.record_bytes), np.uint8)
        self._ended = False

    def fill(self) -> bool:
        """Have rows in hand, if any are left; return whether there are."""
        while not len(self._keys) and not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
            else:
                self._keys, self._records = chunk[0] >> self._spare, chunk[1]
        return bool(len(self._keys))

    @property
    def last(self) -> int:
        """The last key in hand; the highest there can be once no rows are left."""
        return int(self._keys[-1]) if len(self._keys) else (1 << 64) - 1

    def through(self, key: int) -> tuple[Keys, Records]:
        """Take the rows in hand up to and including a key."""
        count = int(np.searchsorted(self._keys, np.uint64(key), side="right"))
        taken = self._keys[:count], self._records[:count]
        self._keys, self._records = self._keys[count:], self._records[count:]
        return taken


def _named(layout: Layout[Any], number: int) -> str:
    group, at, names = layout.groups[number], 0, []
    start = 64 * group.word + group.shift
    for field in layout.fields:
        if start <= at < start + group.bits:
            names.append(field.name)
        at += field.bits
    return ", ".join(names)


def _differing(layout: Layout[Any], number: int, old: Records, new: Records) -> int:
    bits = group_bits(layout.groups[number])
    mask = np.frombuffer(bits.to_bytes(layout.record_bytes, "little"), np.uint8)
    return int(((old ^ new) & mask).any(axis=1).sum())
