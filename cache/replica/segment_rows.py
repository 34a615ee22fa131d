"""A walk over all rows of a segment, and coded rows on their way to a new one. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cache.errors import SegmentError
from cache.replica.alias import PERSON_BITS
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Words
from cache.replica.lookup import contradiction
from cache.replica.recoding import Codes, Flags, Identities, Tables
from cache.replica.row_columns import (
    coded_rows,
    codes_of,
    keys_of,
    raw_rows,
    wide_of,
    wide_places,
    wide_rows,
)
from cache.replica.segment import Segment

_FULL_BITS = 64


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


def each_plain(segment: Segment, step: int) -> Iterator[PlainRows]:
    """Yield a plain segment's rows in order, `step` at a time.

    :raises DamagedPage: if a page is damaged, or the index contradicts itself.
    """
    split = segment.header.hash_bits // 8
    for first, rows in _raw_rows(segment, step):
        yield PlainRows(first, keys_of(segment, first, rows), rows[:, split:])


def each_coded(segment: Segment, step: int) -> Iterator[CodedRows]:
    """Yield a coded segment's rows in order, `step` at a time.

    :raises DamagedPage: if a page is damaged, or the rows contradict the index or the wide rows.
    """
    header = segment.header
    wide_seen = 0
    for first, rows in _raw_rows(segment, step):
        keys = keys_of(segment, first, rows)
        codes, identities = codes_of(header, rows)
        wide, numbers = wide_places(header, codes)
        if np.any(numbers != np.arange(wide_seen, wide_seen + len(wide), dtype=np.uint64)):
            raise contradiction("its wide rows are not in the order of its rows")
        keys[wide], words = wide_of(segment, numbers, keys[wide])
        wide_seen += len(wide)
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
        self._sink.append(keys, coded_rows(self._plan, keys, codes, identities))


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
        yield first, raw_rows(segment, first, min(first + step, segment.header.rows))
