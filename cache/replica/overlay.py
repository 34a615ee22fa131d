"""What deltas say about a base, held so that a look-up is quick and memory small.

A bit per row of the base tells whether anything is said about it. How many bits are set before a
row is its place in the columns that hold what is said: a count per 256 rows is kept, the rest are
counted. The row of the base itself is read only when somebody looks it up.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from cache.replica.changes import Changes
from cache.replica.groups import group_bits
from cache.replica.layout import Group

BLOCK_ROWS = 256
_BLOCK_BYTES = BLOCK_ROWS // 8

REMOVED = 0
"""The mask of a row that is not on record any more."""
SHARED = 0x80
"""Set in the mask of a row whose stored bits are also those of an added key."""

LookUp = Callable[[int], int | bytes | None]
"""From a key to the rank of a base row that is as it was, or the record that counts, or None."""


class Overlay(msgspec.Struct, frozen=True, eq=False):
    """Columns over the rows that deltas speak of, and the added rows. Made by `composition`.

    `bitmap` has a bit per base row, lowest first, and whole blocks; `counts` the set bits before
    each block. In the order of set bits: `masks` (bit g = group g is replaced; `SHARED`, `REMOVED`)
    and `values`, records with the bits of the replaced groups, zeros elsewhere. `keys` ascend,
    `records` are theirs.
    """

    bitmap: bytes
    counts: array[int]
    masks: bytes
    values: bytes
    keys: array[int]
    records: bytes
    shared: array[int]
    """The ranks of the rows that are marked `SHARED`, removed ones among them too."""

    @property
    def rows(self) -> int:
        """How many rows it speaks of."""
        return len(self.masks) + len(self.keys)

    @property
    def removed(self) -> int:
        """How many base rows are not on record any more."""
        return self.masks.count(REMOVED)


def added_reader(overlay: Overlay, record_bytes: int, spare: int) -> Callable[[int], bytes | None]:
    """Return the look-up among added rows, on all but the `spare` lowest bits of a key."""
    keys, records, count = overlay.keys, overlay.records, len(overlay.keys)

    def added(key: int) -> bytes | None:
        matched = key >> spare
        at = bisect_left(keys, matched << spare)
        if at < count and keys[at] >> spare == matched:
            return records[at * record_bytes : (at + 1) * record_bytes]
        return None

    return added


def changed_reader(
    overlay: Overlay,
    groups: tuple[Group, ...],
    record_bytes: int,
    base: Callable[[int], bytes],
    added: Callable[[int], bytes | None],
) -> Callable[[int, int], bytes | None]:
    """Return what is said of a base row whose bit is set, from the key looked up and its rank.

    :param base: gives the record of a base row; called only where a part of it still counts.
    :param added: the look-up among added rows: one may share the stored bits of a base row.
    """
    bitmap, counts, masks, values = overlay.bitmap, overlay.counts, overlay.masks, overlay.values
    whole = (1 << len(groups)) - 1
    kept = _kept_bits(groups, record_bytes)

    def changed(key: int, rank: int) -> bytes | None:
        block = rank >> 8
        start = block * _BLOCK_BYTES
        bits = int.from_bytes(bitmap[start : start + _BLOCK_BYTES], "little")
        place = counts[block] + (bits & (1 << (rank & 255)) - 1).bit_count()
        mask = masks[place]
        if mask == REMOVED or mask & SHARED:
            record = added(key)
            if record is not None or mask == REMOVED:
                return record
        replaced = values[place * record_bytes : (place + 1) * record_bytes]
        if mask & whole == whole:
            return replaced
        now = int.from_bytes(base(rank), "little") & kept[mask] | int.from_bytes(replaced, "little")
        return now.to_bytes(record_bytes, "little")

    return changed


def overlaid(
    overlay: Overlay,
    locate: Callable[[int], int | None],
    changed: Callable[[int, int], bytes | None],
    added: Callable[[int], bytes | None],
) -> LookUp:
    """Return the look-up of a key: the rank of an unchanged row, what is said instead, or None."""
    bitmap = overlay.bitmap

    def look_up(key: int) -> int | bytes | None:
        rank = locate(key)
        if rank is None:
            return added(key)
        return changed(key, rank) if bitmap[rank >> 3] >> (rank & 7) & 1 else rank

    return look_up


def with_changes(changes: Changes, spare: int, locate: LookUp) -> LookUp:
    """Return the look-up that asks the changes first, and `locate` for whom they do not name."""
    said: dict[int, Any] = {key >> spare: record for key, record in changes.items()}
    get, unsaid = said.get, object()

    def look_up(key: int) -> int | bytes | None:
        record: bytes | None = get(key >> spare, unsaid)
        return locate(key) if record is unsaid else record

    return look_up


def finder(locate: LookUp, record_at: Callable[[int], bytes]) -> Callable[[int], bytes | None]:
    """Return the look-up of a key that gives the record of unchanged rows, too."""

    def find(key: int) -> bytes | None:
        found = locate(key)
        return record_at(found) if found.__class__ is int else found  # type: ignore[return-value]

    return find


@lru_cache
def _kept_bits(groups: tuple[Group, ...], record_bytes: int) -> list[int]:
    """Return, by mask, the bits of a base record that still count."""
    everything = (1 << 8 * record_bytes) - 1
    kept = []
    for mask in range(256):
        bits = everything
        for number, group in enumerate(groups):
            if mask >> number & 1:
                bits &= ~group_bits(group)
        kept.append(bits)
    return kept
