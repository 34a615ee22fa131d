"""Packing a segment for the wire: the publisher's half of snapshots. Needs numpy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Values
from cache.replica.geometry import Header
from cache.replica.head import Blob
from cache.replica.layout import Layout
from cache.replica.planes import MAX_ORDERED, PlaneWriter
from cache.replica.planning import values_of
from cache.replica.recoding import divided, places_in
from cache.replica.row_columns import matched_bits, tables_of
from cache.replica.segment import Segment
from cache.replica.segment_rows import CodedRows, each_coded, each_plain
from cache.replica.snapshot_form import (
    BLOCK_ROWS,
    HAS_IDENTITY,
    IDENTITY_BYTES,
    IS_WIDE,
    LONG_GAP,
    LONG_GAP_BYTES,
    Orders,
    SnapshotHead,
    bytes_of,
    gap_shift,
)

_FULL_BITS = 64


def write_snapshot(segment: Segment, path: Path) -> Blob:
    """Write a segment's rows to a new file, packed, and return the file's name.

    `snapshot.read_snapshot` makes the segment of it, byte for byte. The caller makes the file
    durable and renames it. Memory is a few blocks, however many rows there are.

    :param path: where to write; replaced if it exists.
    :raises DamagedPage: if a page of the segment is damaged.
    :raises OSError: if the file cannot be written.
    """
    header, layout = segment.header, segment.layout
    tables = tables_of(segment)
    plan = CodingPlan(header.bucket_bits, header.hash_bits, header.code_bytes, tables)
    orders = Orders(tables, _by_frequency(segment, tables))
    packed_plan, packed_orders = plan.pack(), orders.pack()
    head = SnapshotHead(
        layout.id,
        gap_shift(header.rows, matched_bits(header)),
        header.rows,
        header.wide_rows,
        len(packed_plan),
        len(packed_orders),
        header.hash_key_id,
    )
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(head.pack())
        planes = PlaneWriter(file)
        planes.add(packed_plan)
        planes.add(packed_orders)
        gaps = _Gaps(head.gap_shift, header)
        if layout.coded:
            columns = _CodedColumns(layout, header, orders, tables)
            for rows in each_coded(segment, BLOCK_ROWS):
                file.write(len(rows.keys).to_bytes(4, "little"))
                gaps.write(planes, rows.keys)
                columns.write(planes, rows)
        else:
            for plain in each_plain(segment, BLOCK_ROWS):
                file.write(len(plain.keys).to_bytes(4, "little"))
                gaps.write(planes, plain.keys)
                for column in plain.records.T:
                    planes.add(column)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return Blob(digest, path.stat().st_size)


def _by_frequency(segment: Segment, tables: tuple[Values, ...]) -> list[NDArray[np.int64]]:
    """Return each table's places, those of the commonest values first, of equals the lowest."""
    counts = [np.zeros(len(table), np.int64) for table in tables]
    if tables:
        for rows in each_coded(segment, BLOCK_ROWS):
            for number, column in enumerate(_columns(rows, segment.layout, tables)):
                known = column.places[~column.absent]
                counts[number] += np.bincount(known, minlength=len(tables[number]))
    return [np.argsort(-count, kind="stable")[:MAX_ORDERED] for count in counts]


class _Column(NamedTuple):
    """One group of some rows: places in its table, where there is none, and which values then."""

    places: NDArray[np.int64]
    absent: NDArray[np.bool_]
    values: NDArray[Any]


def _columns(rows: CodedRows, layout: Layout[Any], tables: tuple[Values, ...]) -> list[_Column]:
    rest = rows.codes
    rest[rows.wide] = 0
    columns = []
    for group, table in zip(layout.groups[:-1], tables, strict=True):
        absent = np.zeros(len(rest), bool)
        if len(table):
            rest, places = divided(rest, len(table))
        else:
            places = np.zeros(len(rest), np.intp)
        said = values_of(group, rows.wide_words)
        found, missing = places_in(table, said)
        places[rows.wide], absent[rows.wide] = found, missing
        columns.append(_Column(places, absent, said[missing]))
    return columns


class _Gaps:
    """Keys, as far as rows keep them, as the differences between each and the one before."""

    def __init__(self, shift: int, header: Header) -> None:
        self._shift = shift
        self._unmatched = np.uint64(_FULL_BITS - matched_bits(header))
        self._last = np.zeros(1, np.uint64)

    def write(self, planes: PlaneWriter, keys: Keys) -> None:
        kept = np.concatenate((self._last, keys >> self._unmatched))
        self._last = kept[-1:]
        gaps = np.diff(kept)
        high = gaps >> np.uint64(self._shift)
        planes.add(np.minimum(high, LONG_GAP).astype(np.uint8))
        planes.add_numbers(gaps & np.uint64((1 << self._shift) - 1), bytes_of(self._shift))
        planes.add_numbers(high[high >= LONG_GAP], LONG_GAP_BYTES)


class _CodedColumns:
    """What coded rows say, block by block."""

    def __init__(
        self, layout: Layout[Any], header: Header, orders: Orders, tables: tuple[Values, ...]
    ) -> None:
        self._layout = layout
        self._orders = orders
        self._tables = tables
        self._unkept_bits = _FULL_BITS - matched_bits(header)

    def write(self, planes: PlaneWriter, rows: CodedRows) -> None:
        flags = np.zeros(len(rows.keys), np.uint8)
        flags[rows.identities != 0] |= HAS_IDENTITY
        flags[rows.wide] |= IS_WIDE
        columns = _columns(rows, self._layout, self._tables)
        for number, column in enumerate(columns):
            usual = self._orders.places[number][:1]
            unusual = column.absent if not len(usual) else column.absent | (column.places != usual)
            flags |= unusual.astype(np.uint8) << np.uint8(number)
        planes.add(flags)
        for number, column in enumerate(columns):
            self._write_column(planes, number, column, flags >> np.uint8(number) & 1 == 1)
        planes.add_numbers(rows.identities[flags & HAS_IDENTITY != 0], IDENTITY_BYTES)
        ends = rows.keys[rows.wide] & np.uint64((1 << self._unkept_bits) - 1)
        planes.add_numbers(ends, bytes_of(self._unkept_bits))

    def _write_column(
        self, planes: PlaneWriter, number: int, column: _Column, unusual: NDArray[np.bool_]
    ) -> None:
        alphabet, table = self._orders.alphabets[number], self._tables[number]
        places, absent = column.places[unusual], column.absent[unusual]
        ranks = self._orders.ranks[number][places] if len(table) else places
        outside = absent | (ranks < 0)
        symbols, rest = alphabet.symbols(ranks - 1, outside)
        planes.add(symbols)
        planes.add(rest)
        values = np.zeros(len(places), np.uint32)
        values[absent] = column.values
        if len(table):
            values[~absent] = table[places[~absent]]
        planes.add_numbers(values[outside], bytes_of(self._layout.groups[number].bits))
