"""Deltas applied one after the other: into one delta, and into what look-ups read. Needs numpy."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.errors import DeltaError
from cache.replica.column_types import Keys, Records
from cache.replica.delta import Delta, Ranks
from cache.replica.groups import group_bits, spare_bits
from cache.replica.layout import Layout
from cache.replica.overlay import BLOCK_ROWS, REMOVED, SHARED, Overlay

MAX_OVERLAY_ROWS = 1 << 22
"""Rows that may differ from a base: more are for a new base."""


def compose(deltas: Sequence[Delta], layout: Layout[Any]) -> Delta:
    """Return the one delta that does what these do one after the other.

    :param deltas: at least one, each on the number that the one before it ends with.
    :raises DeltaError: if they do not join, are of another layout, or contradict each other.
    """
    joined = all(one.through == other.after for one, other in pairwise(deltas))
    if not deltas or not joined or any(delta.layout != layout.id for delta in deltas):
        raise DeltaError("the deltas do not join, or are not of the same layout")
    require_few(sum(delta.rows for delta in deltas))
    first, last = deltas[0], deltas[-1]
    if len(deltas) == 1 and not (first.after == 0 and len(first.dropped)):
        return first
    keys, records, dropped = _added(deltas, layout)
    ranks = _union([column for d in deltas for column in (d.ranks, d.removed)])
    masks = np.zeros(len(ranks), np.uint8)
    values = np.zeros((len(ranks), layout.record_bytes), np.uint8)
    gone = np.zeros(len(ranks), bool)
    whole = (1 << len(layout.groups)) - 1
    kept = kept_bytes(layout)
    for delta in deltas:
        at = np.searchsorted(ranks, delta.ranks)
        if np.any(gone[at] & (delta.masks != whole)):
            raise DeltaError("a delta changes a part of a row that is not on record")
        _scatter(values, at, values[at] & kept[delta.masks] | delta.values)
        masks[at] |= delta.masks
        gone[at] = False
        # What it said before is written over whole if it comes back.
        gone[np.searchsorted(ranks, delta.removed)] = True
    return Delta(
        layout.id,
        first.after,
        last.through,
        ranks[~gone],
        masks[~gone],
        values[~gone],
        ranks[gone],
        _union([delta.shared for delta in deltas]),
        keys,
        records,
        dropped,
    )


def require_few(rows: int) -> None:
    """Return if an overlay may speak of so many rows.

    :raises DeltaError: if not.
    """
    if rows > MAX_OVERLAY_ROWS:
        msg = f"the deltas speak of more than {MAX_OVERLAY_ROWS} rows"
        raise DeltaError(msg, hint="the hub has to publish a new base")


def overlay_of(delta: Delta, rows: int) -> Overlay:
    """Return what look-ups read of a delta from number 0 on.

    :param rows: of the base.
    :raises DeltaError: if the delta speaks of rows that the base does not have.
    """
    ranks = _union([delta.ranks, delta.removed, delta.shared])
    if len(ranks) and ranks[-1] >= rows:
        raise DeltaError("the deltas are on another base")
    masks = np.zeros(len(ranks), np.uint8)
    values = np.zeros((len(ranks), delta.values.shape[1]), np.uint8)
    at = np.searchsorted(ranks, delta.ranks)
    masks[at] = delta.masks
    _scatter(values, at, delta.values)
    gone = np.searchsorted(ranks, delta.removed)
    masks[np.searchsorted(ranks, delta.shared)] |= SHARED
    # A row that is gone is looked for among the added ones in any case.
    masks[gone] = REMOVED
    blocks = -(-rows // BLOCK_ROWS)
    bits = np.zeros(blocks * BLOCK_ROWS // 8, np.uint8)
    if len(ranks):
        first_of_byte = np.flatnonzero(np.diff(ranks >> 3, prepend=np.uint32(0xFFFFFFFF)))
        ones = np.left_shift(np.uint8(1), (ranks & 7).astype(np.uint8))
        bits[ranks[first_of_byte] >> 3] = np.bitwise_or.reduceat(ones, first_of_byte)
    starts = np.arange(blocks, dtype=np.uint32) * np.uint32(BLOCK_ROWS)
    counts = array("I", np.searchsorted(ranks, starts).astype(np.uint32).tobytes())
    return Overlay(
        bits.tobytes(),
        counts,
        masks.tobytes(),
        values.tobytes(),
        array("Q", delta.keys.astype(np.uint64).tobytes()),
        delta.records.tobytes(),
        array("I", delta.shared.astype(np.uint32).tobytes()),
    )


def delta_of(overlay: Overlay, layout: Layout[Any], through: int) -> Delta:
    """Return the delta that an overlay was made of."""
    bits = np.unpackbits(np.frombuffer(overlay.bitmap, np.uint8), bitorder="little")
    ranks = np.flatnonzero(bits).astype(np.uint32)
    masks = np.frombuffer(overlay.masks, np.uint8)
    values = np.frombuffer(overlay.values, np.uint8).reshape(len(ranks), layout.record_bytes)
    gone, said = masks == REMOVED, masks & ~np.uint8(SHARED) != 0
    return Delta(
        layout.id,
        0,
        through,
        ranks[said],
        masks[said] & ~np.uint8(SHARED),
        values[said],
        ranks[gone],
        np.array(overlay.shared, np.uint32),
        np.array(overlay.keys, np.uint64),
        np.frombuffer(overlay.records, np.uint8).reshape(-1, layout.record_bytes),
        np.zeros(0, np.uint64),
    )


def nothing(layout: Layout[Any], after: int, through: int) -> Delta:
    """Return the delta that changes nothing."""
    ranks, keys = np.zeros(0, np.uint32), np.zeros(0, np.uint64)
    records = np.zeros((0, layout.record_bytes), np.uint8)
    masks = np.zeros(0, np.uint8)
    return Delta(
        layout.id, after, through, ranks, masks, records, ranks, ranks, keys, records, keys
    )


def _added(deltas: Sequence[Delta], layout: Layout[Any]) -> tuple[Keys, Records, Keys]:
    spare = np.uint64(spare_bits(layout))
    # What is said last of a key counts, and of what one delta says, that the row is there.
    spoken_of = np.concatenate([column for d in deltas for column in (d.dropped, d.keys)])
    written = np.repeat(
        np.array([False, True] * len(deltas)),
        [len(column) for d in deltas for column in (d.dropped, d.keys)],
    )
    order = np.argsort(spoken_of >> spare, kind="stable")
    last = order[_last_of_each(spoken_of[order] >> spare)]
    added, dropped = last[written[last]], last[~written[last]]
    records = np.concatenate([delta.records for delta in deltas])
    records = records[np.cumsum(written)[added] - 1]
    # From the base on, nothing was added before that could be dropped.
    return spoken_of[added], records, spoken_of[dropped if deltas[0].after else dropped[:0]]


def _last_of_each(ascending: Keys) -> NDArray[np.bool_]:
    """Return which of these are the last of those that are equal."""
    last = np.ones(len(ascending), bool)
    last[:-1] = ascending[1:] != ascending[:-1]
    return last


def _union(columns: Sequence[Ranks]) -> Ranks:
    # Columns that ascend are merged by a stable sort in no time; np.unique would hash every rank.
    every = np.sort(np.concatenate(columns), kind="stable")
    return every[np.append(every[1:] != every[:-1], True)] if len(every) else every


def _scatter(records: Records, at: NDArray[np.intp], new: Records) -> None:
    """Write whole records at these places: as one copy each, not one for each byte."""
    if len(at):
        width = f"V{records.shape[1]}"
        records.view(width)[at] = np.ascontiguousarray(new).view(width)


def kept_bytes(layout: Layout[Any]) -> Records:
    """Return, by mask, the bytes of a record with the mask's groups zero and all others ones."""
    everything = (1 << 8 * layout.record_bytes) - 1
    masks = []
    for mask in range(128):
        bits = everything
        for number, group in enumerate(layout.groups):
            if mask >> number & 1:
                bits &= ~group_bits(group)
        masks.append(bits.to_bytes(layout.record_bytes, "little"))
    return np.frombuffer(b"".join(masks), np.uint8).reshape(128, layout.record_bytes)
