"""Rows as columns, both ways: records to codes for writing, stored rows to records for reading.

Needs numpy: for whoever works on all rows (the publisher, merges, deltas), not for look-ups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Records, Values, Words
from cache.replica.geometry import IDENTITY_BYTES, WIDE_BYTES, Header
from cache.replica.layout import Group, Layout
from cache.replica.lookup import contradiction
from cache.replica.planning import values_of
from cache.replica.recoding import Tables
from cache.replica.segment import Segment

_WHOLE_BITS = 16
"""Groups this narrow are looked up in an array of all their values."""
_MAX_CELLS = 1 << 22
_ABSENT = np.uint32(0xFFFF_FFFF)
_FULL_BITS = 64
_WORD_BYTES = 8


class Encoder:
    """Codes of records under one plan."""

    def __init__(self, layout: Layout[Any], plan: CodingPlan) -> None:
        self._groups = layout.groups[:-1]
        self._tables = plan.tables
        self._find = [
            _Finder(group, table) for group, table in zip(self._groups, plan.tables, strict=True)
        ]

    def codes(self, words: Words) -> tuple[Keys, NDArray[np.bool_]]:
        """Return each record's code, and who has a value that is in no table (and no true code)."""
        code = np.zeros(len(words), np.uint64)
        absent = np.zeros(len(words), bool)
        for group, table, find in reversed(
            list(zip(self._groups, self._tables, self._find, strict=True))
        ):
            places = find(values_of(group, words))
            absent |= places == _ABSENT
            code *= np.uint64(len(table))
            code += places
        return code, absent


class _Finder:
    """The place of values in an ascending table, or `_ABSENT`."""

    def __init__(self, group: Group, table: Values) -> None:
        self._table = table
        self._split = group.bits // 2
        places = np.arange(len(table), dtype=np.uint32)
        self._whole: Values | None = None
        self._cells: tuple[Values, Values, Values] | None = None
        if group.bits <= _WHOLE_BITS:
            self._whole = np.full(1 << group.bits, _ABSENT)
            self._whole[table] = places
            return
        # The halves of the values that occur are few: a small matrix of them holds the places.
        high, low = table >> self._split, table & (1 << self._split) - 1
        highs, lows = np.unique(high), np.unique(low)
        if (len(highs) + 1) * (len(lows) + 1) > _MAX_CELLS:
            return
        row = np.full(1 << group.bits - self._split, len(highs), np.uint32)
        row[highs] = np.arange(len(highs), dtype=np.uint32)
        column = np.full(1 << self._split, len(lows), np.uint32)
        column[lows] = np.arange(len(lows), dtype=np.uint32)
        cells = np.full((len(highs) + 1, len(lows) + 1), _ABSENT)
        cells[row[high], column[low]] = places
        self._cells = row * np.uint32(len(lows) + 1), column, cells.ravel()

    def __call__(self, values: Values) -> Values:
        if self._whole is not None:
            return self._whole.take(values)
        if self._cells is not None:
            row, column, cells = self._cells
            at = row[values >> self._split] + column[values & (1 << self._split) - 1]
            found: Values = cells.take(at)
            return found
        if not len(self._table):
            return np.full(len(values), _ABSENT)
        near = np.searchsorted(self._table, values).astype(np.uint32)
        near[near == len(self._table)] = 0
        return np.where(self._table[near] == values, near, _ABSENT)


def plain_rows(plan: CodingPlan, keys: Keys, records: Records) -> Records:
    """Return rows as they are stored, from their keys and records."""
    hashed = (keys << np.uint64(plan.bucket_bits)).astype(">u8").view(np.uint8).reshape(-1, 8)
    return np.concatenate((hashed[:, : plan.hash_bits // 8], records), axis=1)


def coded_rows(plan: CodingPlan, keys: Keys, codes: Keys, identities: NDArray[Any]) -> Records:
    """Return rows as they are stored, from their keys, codes and identities of 16 bits."""
    rows = np.empty((len(keys), plan.row_bytes), np.uint8)
    # Each is written eight bytes wide, and the next covers what was too many of it.
    _column(rows, 0, ">u8")[:] = keys << np.uint64(plan.bucket_bits)
    _column(rows, plan.hash_bits // 8, "<u8")[:] = codes
    _column(rows, plan.row_bytes - IDENTITY_BYTES, "<u2")[:] = identities
    return rows


def wide_rows(keys: Keys, words: Words) -> Records:
    """Return wide rows as they are stored, from their keys and records."""
    stored = np.concatenate((keys[:, None], words), axis=1)
    return stored.astype("<u8", copy=False).view(np.uint8).reshape(-1, WIDE_BYTES)


def raw_rows(segment: Segment, first: int, end: int) -> Records:
    """Return rows `first` to `end` - 1 as they are stored.

    :raises DamagedPage: if a page that holds them is damaged.
    """
    rows = np.frombuffer(segment.raw_rows(first, end), np.uint8)
    return rows.reshape(-1, segment.header.row_bytes)


def matched_bits(header: Header) -> int:
    """Return how many of a key's highest bits its row tells."""
    return min(_FULL_BITS, header.bucket_bits + header.hash_bits)


def tables_of(segment: Segment) -> tuple[Values, ...]:
    """Return the groups' tables; none where the rows are plain."""
    return tuple(np.array(table, np.uint32) for table in segment.tables)


def keys_of(segment: Segment, first: int, rows: Records) -> Keys:
    """Return the keys of stored rows from rank `first` on, zeros after what is kept of them.

    :raises DamagedPage: if the index contradicts itself.
    """
    header = segment.header
    if header.row_bytes >= _WORD_BYTES:
        stored = _column(rows, 0, ">u8").astype(np.uint64)
    else:
        padded = np.zeros((len(rows), _WORD_BYTES), np.uint8)
        padded[:, : rows.shape[1]] = rows
        stored = padded.view(">u8").ravel().astype(np.uint64)
    cut = np.uint64(_FULL_BITS - header.hash_bits)
    keys = stored >> cut << cut >> np.uint64(header.bucket_bits)
    if header.bucket_bits and len(rows):
        keys |= _buckets(segment, first, len(rows)) << np.uint64(_FULL_BITS - header.bucket_bits)
    return keys


def codes_of(header: Header, rows: Records) -> tuple[Keys, NDArray[np.uint16]]:
    """Return the codes and the identities of stored rows of a coded segment."""
    # A code and the identity behind it are eight bytes at least: one read, then a mask.
    codes = _column(rows, header.hash_bits // 8, "<u8").astype(np.uint64)
    codes &= np.uint64((1 << 8 * header.code_bytes) - 1)
    return codes, _column(rows, header.row_bytes - IDENTITY_BYTES, "<u2").astype(np.uint16)


def wide_places(header: Header, codes: Keys) -> tuple[NDArray[np.intp], Keys]:
    """Return which of the rows of these codes are wide, and the numbers of their wide rows.

    :raises DamagedPage: if there is no wide row of such a number.
    """
    if header.codes >> _FULL_BITS:  # every code stands for a value of each table
        return np.zeros(0, np.intp), np.zeros(0, np.uint64)
    places = np.flatnonzero(codes >= np.uint64(header.codes))
    numbers = codes[places] - np.uint64(header.codes)
    if np.any(numbers >= np.uint64(header.wide_rows)):
        raise contradiction("a row has a code that stands for nothing")
    return places, numbers


def wide_of(segment: Segment, numbers: Keys, keys: Keys) -> tuple[Keys, Words]:
    """Return the whole keys and the records of wide rows.

    :param numbers: of the wide rows, all there.
    :param keys: of their rows, as far as those keep them.
    :raises DamagedPage: if a page that holds them is damaged, or their keys are not those.
    """
    if not len(numbers):
        return np.zeros(0, np.uint64), np.zeros((0, 2), np.uint64)
    low, high = int(numbers.min()), int(numbers.max())
    stored = np.frombuffer(segment.raw_wide(low, high + 1), "<u8")
    stored = stored.reshape(-1, WIDE_BYTES // _WORD_BYTES)[(numbers - np.uint64(low)).astype(int)]
    whole, words = stored[:, 0].astype(np.uint64), stored[:, 1:].astype(np.uint64)
    if np.any((whole ^ keys) >> np.uint64(_FULL_BITS - matched_bits(segment.header))):
        raise contradiction("a wide row is not its row's")
    return whole, words


def read_rows(segment: Segment, first: int, end: int) -> tuple[Keys, Records]:
    """Return the keys of rows `first` to `end` - 1, as far as they are stored, and their records.

    Of a wide row the whole key is stored; of others zeros follow the bits that are.

    :raises DamagedPage: if a page that holds them is damaged, or the rows contradict themselves.
    """
    header, layout = segment.header, segment.layout
    rows = raw_rows(segment, first, end)
    keys = keys_of(segment, first, rows)
    if not header.code_bytes:
        return keys, rows[:, header.hash_bits // 8 :]
    codes, identities = codes_of(header, rows)
    wide, numbers = wide_places(header, codes)
    words = np.zeros((len(codes), 2), np.uint64)
    if header.codes:
        codes[wide] = 0
        words = Tables(layout, tables_of(segment)).words(codes, identities)
    keys[wide], words[wide] = wide_of(segment, numbers, keys[wide])
    return keys, as_records(words)


def as_words(records: NDArray[Any]) -> Words:
    """Return records of a coded layout as n × 2 words, from either form."""
    if records.dtype == np.uint8:
        return np.ascontiguousarray(records).view("<u8").reshape(-1, 2)
    return records


def as_records(words: Words) -> Records:
    """Return records of a coded layout as n × 16 bytes."""
    return np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8).reshape(-1, 16)


def _buckets(segment: Segment, first: int, count: int) -> Keys:
    """Return the bucket of each of `count` rows from rank `first` on; there is at least one."""
    index = np.frombuffer(segment.index, np.uint32)
    low = int(np.searchsorted(index, first, "right")) - 1
    high = int(np.searchsorted(index, first + count - 1, "right")) - 1
    steps = np.diff(index[low : high + 2].astype(np.int64).clip(first, first + count))
    if np.any(steps < 0) or int(steps.sum()) != count:
        raise contradiction("its index does not ascend")
    return np.repeat(np.arange(low, high + 1, dtype=np.uint64), steps)


def _column(rows: Records, offset: int, form: str) -> NDArray[np.unsignedinteger]:
    """Return the integers that stand at one place of every row."""
    if not len(rows):
        return np.zeros(0, form)  # an empty array has no place to start from
    return np.ndarray((len(rows),), form, rows, offset, (rows.shape[1],))
