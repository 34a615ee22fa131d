"""Delta files: what changed in one dataset between two numbers, as columns. The reader's half.

A file is one zstd frame of one msgpack map. It names rows of the base by rank, and of a changed
row only the groups that changed. `docs/replica-deltas.md` describes every byte.

Needs numpy. Nothing in a file is believed before it is bounded: the frame's size and window before
it is expanded, the count of rows before columns are made of them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from cache.errors import DeltaError
from cache.replica.column_types import Keys, Records
from cache.replica.groups import record_bits, spare_bits
from cache.replica.layout import Group, Layout

DELTA_VERSION = 1
MAX_UNPACKED_BYTES = 64 << 20
MAX_WINDOW_BYTES = 8 << 20
MAX_DELTA_ROWS = 1 << 21
"""Rows that one delta may speak of, all kinds together."""
ESCAPE = 255
"""A gap of this size or more stands as four bytes elsewhere."""
MAX_TABLE_ENTRIES = 1 << 16
MAX_TABLE_BITS = 32
"""Of a group whose values may stand in a table."""

Ranks = NDArray[np.uint32]
Masks = NDArray[np.uint8]


class Delta(msgspec.Struct, frozen=True, eq=False):
    """What is new in a dataset after number `after`, through number `through`.

    `ranks` (ascending) are the base rows of which some groups changed: bit g of `masks` is set for
    group g, and `values` are records that hold the new bits of these groups, zeros elsewhere.
    `removed` are base rows that are not on record any more. `keys` (all 64 bits, ascending) and
    `records` are rows that the base does not have, or has them no more; `dropped` are keys of rows
    that were added before and are gone. `shared` are base rows whose stored bits are also those of
    an added key. `records` and `values` are [rows, record_bytes].
    """

    layout: int
    after: int
    through: int
    ranks: Ranks
    masks: Masks
    values: Records
    removed: Ranks
    shared: Ranks
    keys: Keys
    records: Records
    dropped: Keys

    @property
    def rows(self) -> int:
        """How many rows it speaks of."""
        columns = (self.ranks, self.removed, self.shared, self.keys, self.dropped)
        return sum(len(column) for column in columns)


_Masks = Annotated[int, msgspec.Meta(ge=1, le=127)]
_Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Gaps(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Ascending ranks: a byte per rank (how many rows lie between), and planes of large gaps."""

    short: bytes
    long: bytes


class Column(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Values of one group: byte planes of places in a table of u32, or, without one, of values."""

    table: bytes
    planes: bytes


_Columns = Annotated[tuple[Column, ...], msgspec.Meta(max_length=7)]


class Changed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Rows of which the same groups changed, and a column for each of these, lowest first."""

    mask: _Masks
    ranks: Gaps
    columns: _Columns


class DeltaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The msgpack map of a delta file."""

    version: int
    layout: int
    base: bytes
    after: _Number
    through: _Number
    changed: Annotated[tuple[Changed, ...], msgspec.Meta(max_length=127)]
    removed: Gaps
    shared: Gaps
    added: bytes
    records: _Columns
    dropped: bytes


_decode = msgspec.msgpack.Decoder(DeltaBody).decode


def read_delta(
    data: bytes, *, base: bytes, layout: Layout[Any], rows: int, after: int, through: int
) -> Delta:
    """Return what a delta file says. Everything else than `data` is what its head says of it.

    :param base: root of the segment that the delta is on, `rows` its rows.
    :raises DeltaError: if the file is malformed, out of bounds or not the one that is expected.
    """
    body = _unpack(data)
    if body.version != DELTA_VERSION:
        msg = f"delta version {body.version} is unknown here"
        raise DeltaError(msg, hint="update this appliance")
    named = (body.layout, body.base, body.after, body.through)
    if named != (layout.id, base, after, through) or after >= through:
        raise DeltaError("the delta is not on this base and number")
    ranks = [each.ranks for each in body.changed] + [body.removed, body.shared]
    spoken_of = sum(len(gaps.short) for gaps in ranks) + (len(body.added) + len(body.dropped)) // 8
    if spoken_of > MAX_DELTA_ROWS:
        msg = f"the delta speaks of {spoken_of} rows, more than {MAX_DELTA_ROWS}"
        raise DeltaError(msg)
    changed, masks, values = _changed(body.changed, layout, rows)
    removed, shared = _ranks(body.removed, rows), _ranks(body.shared, rows)
    keys, dropped = _keys(body.added, layout), _keys(body.dropped, layout)
    if len(np.intersect1d(changed, removed, assume_unique=True)) or len(
        np.intersect1d(keys, dropped, assume_unique=True)
    ):
        raise DeltaError("the delta both removes a row and writes it")
    records = _records(body.records, layout.groups, len(keys), layout)
    return Delta(
        layout.id,
        after,
        through,
        changed,
        masks,
        values,
        removed,
        shared,
        keys,
        records,
        dropped,
    )


def _unpack(data: bytes) -> DeltaBody:
    try:
        frame = zstandard.get_frame_parameters(data)
        if not 0 < frame.content_size <= MAX_UNPACKED_BYTES:
            raise DeltaError("the delta does not say how large it is, or is too large")
        if frame.window_size > MAX_WINDOW_BYTES or frame.dict_id:
            raise DeltaError("the delta asks for too large a window, or for a dictionary")
        unpacked = zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
        return _decode(unpacked)
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        msg = f"not a delta: {type(error).__name__}"
        raise DeltaError(msg) from error


def _ranks(gaps: Gaps, rows: int) -> Ranks:
    between = np.frombuffer(gaps.short, np.uint8).astype(np.int64)
    escaped = np.flatnonzero(between == ESCAPE)
    between[escaped] = _integers(gaps.long, 4, len(escaped))
    if len(escaped) and between[escaped].min() < ESCAPE:
        raise DeltaError("the delta's ranks are not in their shortest form")
    # At most 2^21 gaps below 2^32: no sum overflows.
    ranks = np.cumsum(between + 1) - 1
    if len(ranks) and ranks[-1] >= rows:
        raise DeltaError("the delta speaks of rows that the base does not have")
    return ranks.astype(np.uint32)


def _keys(data: bytes, layout: Layout[Any]) -> Keys:
    if len(data) % 8:
        raise DeltaError("the delta's keys are cut off")
    planes = np.frombuffer(data, np.uint8).reshape(8, -1)
    keys = np.cumsum(np.ascontiguousarray(planes.T).view(">u8").ravel(), dtype=np.uint64)
    # A sum over 2^64 comes out smaller than the one before it.
    matched = keys >> np.uint64(spare_bits(layout))
    if np.any(matched[1:] <= matched[:-1]):
        raise DeltaError("the delta's keys do not ascend")
    return keys


def _changed(
    parts: tuple[Changed, ...], layout: Layout[Any], rows: int
) -> tuple[Ranks, Masks, Records]:
    groups = layout.groups
    ranks: list[Ranks] = [np.zeros(0, np.uint32)]
    masks: list[Masks] = [np.zeros(0, np.uint8)]
    values: list[Records] = [np.zeros((0, layout.record_bytes), np.uint8)]
    for part in parts:
        some = tuple(group for number, group in enumerate(groups) if part.mask >> number & 1)
        if part.mask >> len(groups) or len(part.ranks.short) == 0:
            raise DeltaError("the delta changes groups that its layout does not have, or no row")
        ranks.append(_ranks(part.ranks, rows))
        masks.append(np.full(len(ranks[-1]), part.mask, np.uint8))
        values.append(_records(part.columns, some, len(ranks[-1]), layout))
    if any(one.mask >= other.mask for one, other in pairwise(parts)):
        raise DeltaError("the delta's masks do not ascend")
    every = np.concatenate(ranks)
    order = np.argsort(every, kind="stable")
    every = every[order]
    if np.any(every[1:] == every[:-1]):
        raise DeltaError("the delta changes a row twice")
    # Whole records are moved as one item each: byte by byte takes ten times as long.
    whole = np.concatenate(values).view(f"V{layout.record_bytes}")[order]
    return every, np.concatenate(masks)[order], whole.view(np.uint8)


def _records(
    columns: tuple[Column, ...], groups: tuple[Group, ...], count: int, layout: Layout[Any]
) -> Records:
    """Return records that hold these groups' columns, zeros elsewhere."""
    if len(columns) != len(groups):
        raise DeltaError("the delta has not one column for each group")
    if not layout.coded:
        return _plain_records(columns[0], count, layout)
    words = np.zeros((count, layout.record_bytes // 8), "<u8")
    for column, group in zip(columns, groups, strict=True):
        values = _column(column, group, count)
        if count and int(values.max()) >> group.bits:
            raise DeltaError("the delta holds a value that does not fit its group")
        words[:, group.word] |= values << np.uint64(group.shift)
    return words.view(np.uint8)


def _plain_records(column: Column, count: int, layout: Layout[Any]) -> Records:
    if column.table or len(column.planes) != count * layout.record_bytes:
        raise DeltaError("the delta's records are cut off")
    planes = np.frombuffer(column.planes, np.uint8).reshape(layout.record_bytes, count)
    unused = -record_bits(layout) % 8
    if count and int(planes[-1].max()) >> 8 - unused:
        raise DeltaError("the delta holds a record with bits that its layout does not have")
    return np.ascontiguousarray(planes.T)


def _column(column: Column, group: Group, count: int) -> NDArray[np.uint64]:
    if not column.table:
        return _integers(column.planes, -(-group.bits // 8), count)
    table = np.frombuffer(column.table[: len(column.table) // 4 * 4], "<u4")
    if (
        len(column.table) % 4
        or len(table) > MAX_TABLE_ENTRIES
        or group.bits > MAX_TABLE_BITS
        or np.any(table[1:] <= table[:-1])
    ):
        raise DeltaError("a table of the delta is cut off, too large or not ascending")
    places = _integers(column.planes, place_bytes(len(table)), count)
    if count and int(places.max()) >= len(table):
        raise DeltaError("the delta points outside a table")
    return table.astype(np.uint64)[places]


def _integers(planes: bytes, width: int, count: int) -> NDArray[np.uint64]:
    """Return `count` integers from their byte planes, the lowest bytes first."""
    if len(planes) != width * count:
        raise DeltaError("a column of the delta is cut off")
    integers = np.zeros(count, np.uint64)
    for number, plane in enumerate(np.frombuffer(planes, np.uint8).reshape(width, count)):
        integers |= plane.astype(np.uint64) << np.uint64(8 * number)
    return integers


def place_bytes(entries: int) -> int:
    """Return how many bytes a place in a table of so many entries takes."""
    return 1 if entries <= 256 else 2
