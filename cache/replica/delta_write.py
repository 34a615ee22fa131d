"""Delta files, the publisher's half: what changed, told apart by base row and group, and packed.

The same changes on the same state give the same bytes, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from cache.errors import DeltaError
from cache.replica.changes import Changes
from cache.replica.column_types import Keys, Records
from cache.replica.composition import compose
from cache.replica.delta import (
    DELTA_VERSION,
    ESCAPE,
    MAX_DELTA_ROWS,
    MAX_TABLE_BITS,
    MAX_TABLE_ENTRIES,
    MAX_UNPACKED_BYTES,
    MAX_WINDOW_BYTES,
    Changed,
    Column,
    Delta,
    DeltaBody,
    Gaps,
    Ranks,
    place_bytes,
)
from cache.replica.groups import group_bits, record_bits, spare_bits
from cache.replica.layout import Group, Layout, layout_of

if TYPE_CHECKING:
    from cache.replica.table import Table

_LEVEL = 19

BaseKeys = Sequence[int] | NDArray[np.uint64]
"""The base's keys by rank, all 64 bits of each."""

_encode = msgspec.msgpack.Encoder().encode


def encode_delta(
    before: Table, after: Changes, *, base: bytes, through: int, base_keys: BaseKeys | None = None
) -> bytes:
    """Return the delta file that makes of `before` what is on record after these changes.

    Takes what `difference` does, and the base's root.

    :raises DeltaError: as `difference` and `write_delta` do.
    :raises DamagedPage: if a page of the base is damaged.
    """
    return write_delta(difference(before, after, through=through, base_keys=base_keys), base)


def combine(deltas: Sequence[Delta]) -> Delta:
    """Return one delta for several that follow each other: the hours of a day, say.

    :raises DeltaError: if there is none, or they do not join, or contradict each other.
    """
    if not deltas:
        raise DeltaError("there is no delta to combine")
    return compose(deltas, layout_of(deltas[0].layout))


def difference(
    before: Table, after: Changes, *, through: int, base_keys: BaseKeys | None = None
) -> Delta:
    """Return what differs between `before` and these records, after number `before.after`.

    :param before: the base and its deltas so far, without changes on top.
    :param after: by key, the record that is there at number `through`; None = nothing any more.
        What is there already takes no place.
    :param base_keys: if the publisher keeps them: tells somebody new whose stored bits a base row
        shares from the person of that row. Without, the stored bits are believed.
    :raises DeltaError: if a record is not of the layout, two keys are matched as one, or they are
        too many.
    :raises DamagedPage: if a page of the base is damaged.
    """
    if before.changes or len(after) > MAX_DELTA_ROWS or not 0 <= before.after < through:
        raise DeltaError("a delta follows on deltas, and is bounded")
    layout = before.layout
    ranks, added = _sorted_out(before, after, base_keys)
    shared = sorted({rank for rank, record in added.shared if record is not None})
    bits = [group_bits(group) for group in layout.groups]
    changed: dict[int, tuple[int, int]] = {}
    removed: list[int] = []
    for rank, record in ranks.items():
        was = before.at(rank)
        if record is None:
            removed += [rank] if was is not None else []
        elif was != record:
            mask, kept = _changed_groups(was, record, bits)
            changed[rank] = (mask, kept)
    order = sorted(changed)
    values = b"".join(changed[rank][1].to_bytes(layout.record_bytes, "little") for rank in order)
    keys = sorted(key for key, record in added.rows.items() if record is not None)
    records = b"".join(added.rows[key] or b"" for key in keys)
    return Delta(
        layout.id,
        before.after,
        through,
        np.array(order, np.uint32),
        np.array([changed[rank][0] for rank in order], np.uint8),
        np.frombuffer(values, np.uint8).reshape(-1, layout.record_bytes),
        np.array(sorted(removed), np.uint32),
        np.array(shared, np.uint32),
        np.array(keys, np.uint64),
        np.frombuffer(records, np.uint8).reshape(-1, layout.record_bytes),
        np.array(sorted(k for k, record in added.rows.items() if record is None), np.uint64),
    )


class _Added(msgspec.Struct):
    """Changes that no base row takes: rows by key, and base rows that share their stored bits."""

    rows: dict[int, bytes | None]
    shared: list[tuple[int, bytes | None]]


def _sorted_out(
    before: Table, after: Changes, base_keys: BaseKeys | None
) -> tuple[dict[int, bytes | None], _Added]:
    """Return the changes by base row, and those that no base row takes."""
    layout, spare = before.layout, spare_bits(before.layout)
    locate, bits = before.segment.locate, record_bits(layout)
    ranks: dict[int, bytes | None] = {}
    added = _Added({}, [])
    matched: set[int] = set()
    for key, record in after.items():
        if key >> spare in matched:
            msg = f"two keys are matched as one: {key:016x}"
            raise DeltaError(msg)
        matched.add(key >> spare)
        if record is not None and (
            len(record) != layout.record_bytes or int.from_bytes(record, "little") >> bits
        ):
            msg = f"what is under {key:016x} is not a record of layout {layout.id}"
            raise DeltaError(msg)
        rank, there = locate(key), before.added(key)
        if rank is not None and (
            there is not None
            or (base_keys is not None and int(base_keys[rank]) >> spare != key >> spare)
        ):
            added.shared.append((rank, record))
            rank = None
        if rank is None:
            if record != there:
                added.rows[key] = record
        elif rank in ranks:
            msg = f"somebody new shares the stored bits of a base row: {key:016x}"
            raise DeltaError(msg, hint="pass the base's keys, or publish a new base")
        else:
            ranks[rank] = record
    return ranks, added


def _changed_groups(was: bytes | None, record: bytes, bits: list[int]) -> tuple[int, int]:
    """Return the mask of the groups that differ, and the new bits of these; all of a new row's."""
    new = int.from_bytes(record, "little")
    differing = new ^ int.from_bytes(was, "little") if was is not None else 0
    mask = kept = 0
    for number, group in enumerate(bits):
        if was is None or differing & group:
            mask |= 1 << number
            kept |= new & group
    return mask, kept


def write_delta(delta: Delta, base: bytes) -> bytes:
    """Return the delta's file.

    :param base: root of the segment that it is on.
    :raises DeltaError: if it is larger than a reader takes.
    """
    layout = layout_of(delta.layout)
    groups = layout.groups
    changed = []
    for mask in np.unique(delta.masks).tolist():
        chosen = delta.masks == mask
        some = tuple(group for number, group in enumerate(groups) if mask >> number & 1)
        columns = _columns(delta.values[chosen], some, layout)
        changed.append(Changed(mask, _gaps(delta.ranks[chosen]), columns))
    body = DeltaBody(
        version=DELTA_VERSION,
        layout=delta.layout,
        base=base,
        after=delta.after,
        through=delta.through,
        changed=tuple(changed),
        removed=_gaps(delta.removed),
        shared=_gaps(delta.shared),
        added=_key_planes(delta.keys),
        records=_columns(delta.records, groups, layout),
        dropped=_key_planes(delta.dropped),
    )
    data = _encode(body)
    if len(data) > MAX_UNPACKED_BYTES or delta.rows > MAX_DELTA_ROWS:
        raise DeltaError("the delta is too large", hint="publish a new base")
    window = MAX_WINDOW_BYTES.bit_length() - 1
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, source_size=len(data), window_log=min(window, max(10, len(data).bit_length()))
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)


def _gaps(ranks: Ranks) -> Gaps:
    between = np.diff(ranks.astype(np.int64), prepend=-1) - 1
    escaped = between >= ESCAPE
    short = np.where(escaped, ESCAPE, between).astype(np.uint8)
    return Gaps(short.tobytes(), _planes(between[escaped].astype(np.uint64), 4))


def _key_planes(keys: Keys) -> bytes:
    gaps = np.diff(keys, prepend=np.uint64(0)).astype(">u8")
    return np.ascontiguousarray(gaps.view(np.uint8).reshape(-1, 8).T).tobytes()


def _columns(
    records: Records, groups: tuple[Group, ...], layout: Layout[Any]
) -> tuple[Column, ...]:
    if not layout.coded:
        return (Column(b"", np.ascontiguousarray(records.T).tobytes()),)
    words = np.ascontiguousarray(records).view("<u8")
    return tuple(
        _column(words[:, g.word] >> np.uint64(g.shift) & np.uint64((1 << g.bits) - 1), g.bits)
        for g in groups
    )


def _column(values: NDArray[np.uint64], bits: int) -> Column:
    """Return the column, with a table where that is smaller."""
    width = -(-bits // 8)
    if bits <= MAX_TABLE_BITS:
        table, places = np.unique(values, return_inverse=True)
        entries = len(table)
        with_table = 4 * entries + place_bytes(entries) * len(values)
        if entries <= MAX_TABLE_ENTRIES and with_table < width * len(values):
            planes = _planes(places.astype(np.uint64), place_bytes(entries))
            return Column(table.astype("<u4").tobytes(), planes)
    return Column(b"", _planes(values, width))


def _planes(integers: NDArray[np.uint64], width: int) -> bytes:
    """Return the byte planes of integers, the lowest bytes first."""
    columns = np.ascontiguousarray(integers.astype("<u8").view(np.uint8).reshape(-1, 8).T)
    return columns[:width].tobytes()
