"""Rows as columns, both ways: records to codes for writing, stored rows to records for reading.

Needs numpy: for whoever works on all rows (the publisher, merges, deltas), not for look-ups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.replica.coding import Coding
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Records, Values, Words
from cache.replica.geometry import IDENTITY_BYTES, WIDE_BYTES, WIDE_KEY_BYTES
from cache.replica.layout import Group, Layout
from cache.replica.lookup import contradiction
from cache.replica.planning import values_of
from cache.replica.segment import Segment

_WHOLE_BITS = 16
"""Groups this narrow are looked up in an array of all their values."""
_MAX_CELLS = 1 << 22
_ABSENT = np.uint32(0xFFFF_FFFF)


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


def stored_hashes(keys: Keys, bucket_bits: int, hash_bits: int) -> Records:
    """Return the stored hash of each key, as the bytes that stand at the start of its row."""
    hashed = keys << np.uint64(bucket_bits)
    return hashed.astype(">u8").view(np.uint8).reshape(-1, 8)[:, : hash_bits // 8]


def coded_rows(plan: CodingPlan, keys: Keys, codes: Keys, words: Words) -> Records:
    """Return rows as they are stored, from their keys, codes and records (for the identity)."""
    split, code_end = plan.hash_bits // 8, plan.hash_bits // 8 + plan.code_bytes
    rows = np.empty((len(keys), plan.row_bytes), np.uint8)
    rows[:, :split] = stored_hashes(keys, plan.bucket_bits, plan.hash_bits)
    rows[:, split:code_end] = _bytes_of(codes)[:, : plan.code_bytes]
    rows[:, code_end:] = as_records(words)[:, -IDENTITY_BYTES:]
    return rows


def wide_rows(keys: Keys, words: Words) -> Records:
    """Return wide rows as they are stored, from their keys and records."""
    return np.concatenate([_bytes_of(keys), as_records(words)], axis=1)


def read_rows(segment: Segment, first: int, end: int) -> tuple[Keys, Records]:
    """Return the keys of rows `first` to `end` - 1, as far as they are stored, and their records.

    Of a wide row the whole key is stored; of others zeros follow the bits that are.

    :raises DamagedPage: if a page that holds them is damaged, or the rows contradict themselves.
    """
    header = segment.header
    rows = np.frombuffer(segment.raw_rows(first, end), np.uint8).reshape(-1, header.row_bytes)
    split = header.hash_bits // 8
    hashed = np.zeros((len(rows), 8), np.uint8)
    hashed[:, :split] = rows[:, :split]
    keys = hashed.view(">u8").ravel().astype(np.uint64) >> np.uint64(header.bucket_bits)
    if header.bucket_bits and first < end:
        keys |= _buckets(segment, first, end) << np.uint64(64 - header.bucket_bits)
    if segment.coding is None:
        return keys, rows[:, split:]
    coded = np.zeros((len(rows), 8), np.uint8)
    coded[:, : header.code_bytes] = rows[:, split : split + header.code_bytes]
    codes = coded.view("<u8").ravel().astype(np.uint64)
    codes_in_tables = segment.coding.codes
    wide: NDArray[np.intp] = np.arange(len(codes))
    if codes_in_tables:
        wide = np.flatnonzero(codes > np.uint64(codes_in_tables - 1))
    words = _decoded(segment.coding, segment.layout, codes)
    words[:, 1] |= rows[:, -IDENTITY_BYTES:].copy().view("<u2").ravel().astype(np.uint64) << (
        np.uint64(segment.layout.groups[-1].shift)
    )
    if len(wide):
        _fill_in_wide(segment, keys, words, wide, codes[wide] - np.uint64(codes_in_tables))
    return keys, as_records(words)


def as_words(records: NDArray[Any]) -> Words:
    """Return records of a coded layout as n × 2 words, from either form."""
    if records.dtype == np.uint8:
        return np.ascontiguousarray(records).view("<u8").reshape(-1, 2)
    return records


def as_records(words: Words) -> Records:
    """Return records of a coded layout as n × 16 bytes."""
    return np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8).reshape(-1, 16)


def _bytes_of(integers: Keys) -> Records:
    return integers.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)


def _buckets(segment: Segment, first: int, end: int) -> Keys:
    """Return the bucket of each of these rows."""
    index = np.frombuffer(segment.index, np.uint32)
    low = int(np.searchsorted(index, first, "right")) - 1
    high = max(low + 1, int(np.searchsorted(index, end, "left")))
    steps = np.ediff1d(np.clip(index[low : high + 1].astype(np.int64), first, end))
    if np.any(steps < 0) or int(steps.sum()) != end - first:
        raise contradiction("its index does not ascend")
    return np.repeat(np.arange(low, high, dtype=np.uint64), steps)


def _decoded(coding: Coding, layout: Layout[Any], codes: Keys) -> Words:
    """Return the records of these codes without their identity; of wide rows, anything."""
    words = np.zeros((len(codes), 2), np.uint64)
    if not coding.codes:
        return words
    rest = codes.copy()
    for group, table in zip(layout.groups[:-1], coding.tables, strict=True):
        values = np.frombuffer(table, np.uint32).astype(np.uint64) << np.uint64(group.shift)
        size = np.uint64(len(table))
        over = rest // size
        words[:, group.word] |= values[rest - over * size]
        rest = over
    return words


def _fill_in_wide(
    segment: Segment, keys: Keys, words: Words, ranks: NDArray[Any], numbers: Keys
) -> None:
    """Put the whole keys and the records of wide rows in their places."""
    header = segment.header
    low, high = int(numbers.min()), int(numbers.max())
    if high >= header.wide_rows:
        raise contradiction("a row has a code that stands for nothing")
    stored = np.frombuffer(segment.raw_wide(low, high + 1), np.uint8).reshape(-1, WIDE_BYTES)
    stored = stored[(numbers - np.uint64(low)).astype(np.int64)]
    whole = np.ascontiguousarray(stored[:, :WIDE_KEY_BYTES]).view("<u8").ravel().astype(np.uint64)
    unmatched = np.uint64(64 - header.bucket_bits - header.hash_bits)
    if np.any((whole ^ keys[ranks]) >> unmatched):
        raise contradiction("a wide row is not its row's")
    keys[ranks] = whole
    words[ranks] = as_words(stored[:, WIDE_KEY_BYTES:])
