"""The rows of a segment as columns, and columns as rows: the numpy half of the format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cache.errors import SegmentError
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Words
from cache.replica.geometry import IDENTITY_BYTES, PERSON_BITS, WIDE_BYTES, Header
from cache.replica.lookup import contradiction
from cache.replica.recoding import Codes, Flags, Identities, Tables
from cache.replica.row_columns import stored_hashes, wide_rows
from cache.replica.segment import Segment

_FULL_BITS = 64
_WORD_BYTES = 8


class PlainRows(NamedTuple):
    """Some rows of a plain segment. Keys are as far as rows keep them, zeros after that."""

    first: int
    keys: Keys
    records: NDArray[np.uint8]


class CodedRows(NamedTuple):
    """Some rows of a coded segment.

    Keys are as far as rows keep them, zeros after that, and whole where the row is wide. `wide` are
    the places of wide rows here, `wide_words` their records; their `codes` mean nothing.
    """

    first: int
    keys: Keys
    codes: Codes
    identities: Identities
    wide: NDArray[np.intp]
    wide_words: Words


def matched_bits(header: Header) -> int:
    """Return how many of a key's highest bits its row tells."""
    return min(_FULL_BITS, header.bucket_bits + header.hash_bits)


def plain_rows(segment: Segment, step: int) -> Iterator[PlainRows]:
    """Yield a plain segment's rows in order, `step` at a time.

    :raises DamagedPage: if a page is damaged.
    """
    split = segment.header.hash_bits // 8
    for first, rows in _raw_rows(segment, step):
        yield PlainRows(first, _keys(segment, first, rows), rows[:, split:])


def coded_rows(segment: Segment, step: int) -> Iterator[CodedRows]:
    """Yield a coded segment's rows in order, `step` at a time.

    :raises DamagedPage: if a page is damaged.
    :raises SegmentError: if the rows contradict the wide rows.
    """
    header = segment.header
    wide_seen = 0
    for first, rows in _raw_rows(segment, step):
        keys = _keys(segment, first, rows)
        # A code and the identity behind it are eight bytes at least: one read, then a mask.
        codes = _column(rows, header.hash_bits // 8, "<u8").astype(np.uint64)
        codes &= np.uint64((1 << 8 * header.code_bytes) - 1)
        identities = _column(rows, header.row_bytes - IDENTITY_BYTES, "<u2").astype(np.uint16)
        wide = _wide_places(codes, header, wide_seen)
        wide_keys, words = _wide_rows(segment, wide_seen, wide_seen + len(wide))
        if np.any((wide_keys ^ keys[wide]) >> np.uint64(_FULL_BITS - matched_bits(header))):
            raise contradiction("a wide row is not its row's")
        wide_seen += len(wide)
        keys[wide] = wide_keys
        yield CodedRows(first, keys, codes, identities, wide, words)
    if wide_seen != header.wide_rows:
        raise contradiction("it has wide rows that are no row's")


class RowSink(Protocol):
    """Where a segment's rows go: `SegmentWriter`, or whoever only looks at them."""

    @property
    def wide_rows(self) -> int:
        """Wide rows so far: the number that the next one gets."""

    def append(self, keys: Keys, rows: NDArray[np.uint8]) -> None:
        """Take rows as they are stored, and their keys."""

    def append_wide(self, rows: NDArray[np.uint8]) -> None:
        """Take wide rows as they are stored."""


def append_plain(sink: RowSink, plan: CodingPlan, keys: Keys, records: NDArray[np.uint8]) -> None:
    """Hand plain rows to a sink. Raises as the sink."""
    hashes = stored_hashes(keys, plan.bucket_bits, plan.hash_bits)
    sink.append(keys, np.concatenate((hashes, records), axis=1))


class CodedColumns(NamedTuple):
    """Some rows of a coded segment that is being made, ascending by key.

    Keys are whole where a row is wide. `absent` are the rows of which a value is in no table; their
    `codes` mean nothing, and `words` are their records, in their order.
    """

    keys: Keys
    codes: Codes
    identities: Identities
    absent: Flags
    words: Words


class CodedAppender:
    """Coded rows on their way to a sink: finds out which of them are wide.

    Wide is a row of which a value is in no table, and one that shares the bits which rows keep of a
    key with a neighbour.
    """

    def __init__(self, sink: RowSink, plan: CodingPlan, tables: Tables) -> None:
        self._sink = sink
        self._plan = plan
        self._tables = tables
        self._unmatched = np.uint64(_FULL_BITS - plan.bucket_bits - plan.hash_bits)
        self._most_twins = 1 << PERSON_BITS - plan.bucket_bits - plan.hash_bits
        self._held: CodedColumns | None = None

    def append(self, rows: CodedColumns) -> None:
        """Take the next rows.

        :raises SegmentError: if more rows share the bits that are kept than there are people, or
            the codes do not have room for all wide rows.
        """
        if self._held is not None:
            rows = _joined(self._held, rows)
        if not len(rows.keys):
            return
        # The last row may share its bits with the first of the next: it waits for them.
        prefixes = rows.keys >> self._unmatched
        ready = int(np.searchsorted(prefixes, prefixes[-1]))
        if len(prefixes) - ready > self._most_twins:
            raise SegmentError("more rows share a stored hash than there are people to have it")
        worded = int(np.count_nonzero(rows.absent[:ready]))
        keys, codes, identities, absent, words = rows
        self._held = CodedColumns(
            keys[ready:], codes[ready:], identities[ready:], absent[ready:], words[worded:]
        )
        self._write(
            CodedColumns(
                keys[:ready], codes[:ready], identities[:ready], absent[:ready], words[:worded]
            )
        )

    def finish(self) -> None:
        """Hand on the rows that were waited with. Raises as `append`."""
        if self._held is not None:
            self._write(self._held)
            self._held = None

    def _write(self, rows: CodedColumns) -> None:
        keys, codes, identities, absent, words = rows
        if not len(keys):
            return
        prefixes = keys >> self._unmatched
        same = np.flatnonzero(prefixes[1:] == prefixes[:-1])
        wide = absent.copy()
        wide[same] = wide[same + 1] = True
        places = np.flatnonzero(wide)
        if len(places):
            coded = ~absent[places]
            whole = np.empty((len(places), 2), np.uint64)
            whole[~coded] = words
            whole[coded] = self._tables.words(codes[places[coded]], identities[places[coded]])
            first = self._tables.codes + self._sink.wide_rows
            if first + len(places) > 1 << 8 * self._plan.code_bytes:
                raise SegmentError("the codes do not have room for all wide rows")
            codes = codes.copy()
            codes[places] = np.arange(len(places), dtype=np.uint64) + np.uint64(first)
            self._sink.append_wide(wide_rows(keys[places], whole))
        self._sink.append(keys, self._stored(keys, codes, identities))

    def _stored(self, keys: Keys, codes: Codes, identities: Identities) -> NDArray[np.uint8]:
        plan = self._plan
        rows = np.empty((len(keys), plan.row_bytes), np.uint8)
        # Each is written eight bytes wide, and the next covers what was too many of it.
        _column(rows, 0, ">u8")[:] = keys << np.uint64(plan.bucket_bits)
        _column(rows, plan.hash_bits // 8, "<u8")[:] = codes
        _column(rows, plan.row_bytes - IDENTITY_BYTES, "<u2")[:] = identities
        return rows


def _joined(first: CodedColumns, then: CodedColumns) -> CodedColumns:
    return CodedColumns(
        np.concatenate((first.keys, then.keys)),
        np.concatenate((first.codes, then.codes)),
        np.concatenate((first.identities, then.identities)),
        np.concatenate((first.absent, then.absent)),
        np.concatenate((first.words, then.words)),
    )


def _raw_rows(segment: Segment, step: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for first in range(0, segment.header.rows, step):
        rows = segment.raw_rows(first, min(first + step, segment.header.rows))
        yield first, np.frombuffer(rows, np.uint8).reshape(-1, segment.header.row_bytes)


def _keys(segment: Segment, first: int, rows: NDArray[np.uint8]) -> Keys:
    header = segment.header
    if header.row_bytes >= _WORD_BYTES:
        stored = _column(rows, 0, ">u8").astype(np.uint64)
    else:
        wide = np.zeros((len(rows), _WORD_BYTES), np.uint8)
        wide[:, : rows.shape[1]] = rows
        stored = wide.view(">u8").ravel().astype(np.uint64)
    cut = np.uint64(_FULL_BITS - header.hash_bits)
    keys = stored >> cut << cut >> np.uint64(header.bucket_bits)
    if header.bucket_bits:
        index = np.frombuffer(segment.index, np.uint32)
        low = int(np.searchsorted(index, first, "right")) - 1
        high = int(np.searchsorted(index, first + len(rows) - 1, "right")) - 1
        firsts = index[low : high + 2].astype(np.int64).clip(first, first + len(rows))
        steps = np.diff(firsts)
        if np.any(steps < 0) or int(steps.sum()) != len(rows):
            raise contradiction("its index does not ascend")
        buckets = np.repeat(np.arange(low, high + 1, dtype=np.uint64), steps)
        keys |= buckets << np.uint64(_FULL_BITS - header.bucket_bits)
    return keys


def _wide_places(codes: Codes, header: Header, wide_seen: int) -> NDArray[np.intp]:
    """Return which of these rows are wide; they are numbered in their order, as written."""
    if header.codes >> _FULL_BITS:
        return np.zeros(0, np.intp)  # every code stands for a value of each table
    wide = np.flatnonzero(codes >= np.uint64(header.codes))
    numbers = codes[wide] - np.uint64(header.codes)
    expected = np.arange(wide_seen, wide_seen + len(wide), dtype=np.uint64)
    if wide_seen + len(wide) > header.wide_rows or not np.array_equal(numbers, expected):
        raise contradiction("a row has a code that stands for nothing")
    return wide


def _wide_rows(segment: Segment, first: int, end: int) -> tuple[Keys, Words]:
    stored = np.frombuffer(segment.raw_wide(first, end), "<u8").reshape(
        end - first, WIDE_BYTES // _WORD_BYTES
    )
    return stored[:, 0].astype(np.uint64), stored[:, 1:].astype(np.uint64)


def _column(rows: NDArray[np.uint8], offset: int, form: str) -> NDArray[np.unsignedinteger]:
    """Return the integers that stand at one place of every row."""
    return np.ndarray((len(rows),), form, rows, offset, (rows.shape[1],))
