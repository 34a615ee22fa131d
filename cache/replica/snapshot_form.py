"""What both ends of a snapshot agree on: its head, how gaps are split, how values are ordered.

`docs/replica-snapshots.md` describes every byte.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import numpy as np

from cache.errors import BuildError, SegmentError
from cache.replica.coding_plan import CodingPlan, unpack_plan
from cache.replica.column_types import Values
from cache.replica.geometry import MAX_ROWS, Header
from cache.replica.layout import Layout, layout_of
from cache.replica.planes import MAX_ORDERED, Alphabet

MAGIC = b"CHOTSNAP"
VERSION = 1
BLOCK_ROWS = 1 << 18
"""Rows of a block, at most."""
LONG_GAP = 255
"""The highest byte of a gap that stands elsewhere, whole."""
LONG_GAP_BYTES = 8
MAX_GAP_SHIFT = 56
HAS_IDENTITY, IS_WIDE = 0x40, 0x80
"""Flags of a row, above those of its groups: bit g is set where group g is not the usual value."""
IDENTITY_BYTES = 2
MAX_PLAN_BYTES = 1 << 20
"""A plan's msgpack: its tables have 2^17 values of 4 bytes at most."""
_HEAD = struct.Struct("<8sHHBxxxQIII8s")
HEAD_BYTES = _HEAD.size
_SPARE_SHIFT = 4
"""So many bits of a gap's highest byte lie above its mean's highest."""


def bytes_of(bits: int) -> int:
    """Return how many bytes so many bits take."""
    return -(-bits // 8)


class SnapshotHead(msgspec.Struct, frozen=True):
    """The first bytes of a snapshot. `plan_bytes` and `order_bytes` are of what follows, unpacked.

    `gap_shift` is where a gap's highest byte begins.
    """

    layout: int
    gap_shift: int
    rows: int
    wide_rows: int
    plan_bytes: int
    order_bytes: int
    hash_key_id: bytes

    def pack(self) -> bytes:
        """Return the bytes."""
        return _HEAD.pack(
            MAGIC,
            VERSION,
            self.layout,
            self.gap_shift,
            self.rows,
            self.wide_rows,
            self.plan_bytes,
            self.order_bytes,
            self.hash_key_id,
        )


def unpack_head(data: bytes) -> SnapshotHead:
    """Return the head in a snapshot's first bytes.

    :raises SegmentError: if they are none of this version, or say what cannot be.
    """
    if len(data) != HEAD_BYTES or not data.startswith(MAGIC):
        raise SegmentError("not a snapshot")
    _, version, *fields = _HEAD.unpack(data)
    if version != VERSION:
        msg = f"snapshot version {version} is unknown here"
        raise SegmentError(msg, hint="update this appliance")
    head = SnapshotHead(*fields)
    sane = (
        head.rows <= MAX_ROWS
        and head.gap_shift <= MAX_GAP_SHIFT
        and head.plan_bytes <= MAX_PLAN_BYTES
        and head.order_bytes <= MAX_PLAN_BYTES
        and head.pack() == data
    )
    if not sane:
        raise SegmentError("the snapshot's head is out of bounds")
    return head


def gap_shift(rows: int, matched_bits: int) -> int:
    """Return where the highest byte of the gaps begins, so that it tells most by its frequency.

    :param matched_bits: the keys' bits that rows keep: gaps are, in the mean, 2^bits / rows.
    """
    mean_bits = matched_bits - max(1, rows).bit_length() + 1
    return min(MAX_GAP_SHIFT, max(0, mean_bits - _SPARE_SHIFT))


class Orders:
    """The values of each group in the order of their bytes: the commonest first.

    Of each group `places` are places in its table; the first of them is its *usual* value.
    """

    def __init__(self, tables: tuple[Values, ...], places: list[Any]) -> None:
        self.places = places
        self.alphabets = [Alphabet(max(0, len(order) - 1)) for order in places]
        self.ranks = [_inverse(order, len(t)) for order, t in zip(places, tables, strict=True)]

    def pack(self) -> bytes:
        """Return the bytes: for each group u32 how many, then u32 each."""
        parts = [np.array([len(order), *order], "<u4").tobytes() for order in self.places]
        return b"".join(parts)


def unpack_orders(data: bytes, tables: tuple[Values, ...]) -> Orders:
    """Return the orders in these bytes.

    :raises SegmentError: if they are not orders of these tables.
    """
    if len(data) % 4:
        raise SegmentError("the snapshot's orders end amid a number")
    numbers = np.frombuffer(data, "<u4").astype(np.int64)
    places = []
    for table in tables:
        count = int(numbers[0]) if len(numbers) else -1
        order, numbers = numbers[1 : 1 + count], numbers[1 + count :]
        known = count == len(order) <= MAX_ORDERED and bool(count) == bool(len(table))
        if not known or np.any(order >= len(table)) or len(np.unique(order)) != count:
            raise SegmentError("the snapshot's orders are not those of its tables")
        places.append(order)
    if len(numbers):
        raise SegmentError("the snapshot has more orders than tables")
    return Orders(tables, places)


def judged_plan(data: bytes, head: SnapshotHead) -> tuple[Layout[Any], CodingPlan, Header]:
    """Return the layout, the plan, and the header of the segment that a snapshot is of.

    :raises SegmentError: if no segment can be so.
    :raises LayoutError: if its record layout is unknown here.
    """
    layout = layout_of(head.layout)
    try:
        plan = unpack_plan(data, layout)
    except BuildError as error:
        msg = f"the snapshot's plan cannot be: {error}"
        raise SegmentError(msg) from error
    header = plan.header(layout, head.rows, head.wide_rows)
    wrong = header.contradiction()
    if wrong:
        msg = f"the snapshot's segment cannot be: {wrong}"
        raise SegmentError(msg)
    return layout, plan, header


def _inverse(order: Any, size: int) -> Any:
    """Return the place of each table entry in the order; -1 for one that is not in it."""
    ranks = np.full(size, -1, np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
