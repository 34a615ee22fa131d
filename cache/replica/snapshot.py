"""Making a segment of its snapshot: the gate's half. Needs numpy.

A snapshot holds a segment's rows as columns, which are a third shorter on the wire than the rows.
Both ends stream: blocks of 2^18 rows stand for themselves, and memory is a few of them. Nothing in
the file is believed: every length is known before anything is expanded, and what comes out is worth
nothing before its root is the signed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cache.errors import BuildError, MergeStopped, SegmentError
from cache.replica.build import Built, built
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Words
from cache.replica.geometry import Header
from cache.replica.layout import Layout
from cache.replica.planes import PlaneReader
from cache.replica.recoding import Identities, Tables, places_in
from cache.replica.regular import open_regular
from cache.replica.row_columns import matched_bits, plain_rows
from cache.replica.segment_rows import (
    CodedAppender,
    CodedColumns,
)
from cache.replica.segment_writer import SegmentWriter
from cache.replica.snapshot_form import (
    BLOCK_ROWS,
    HAS_IDENTITY,
    HEAD_BYTES,
    IDENTITY_BYTES,
    IS_WIDE,
    LONG_GAP,
    LONG_GAP_BYTES,
    Orders,
    bytes_of,
    judged_plan,
    unpack_head,
    unpack_orders,
)

_FULL_BITS = 64
_FULL = (1 << _FULL_BITS) - 1


def read_snapshot(
    snapshot: Path, path: Path, *, size: int, stop: Callable[[], bool] = lambda: False
) -> Built:
    """Write the segment that a snapshot is of to a new file.

    The caller has compared the snapshot's SHA-256; it makes the new file durable, compares the
    root and renames it. On any error what was written so far stays under `path` and is nothing.

    :param path: where to write; what is there is removed, so it must be no segment in use.
    :param size: of the segment, in bytes, as the head says: a snapshot of another is refused before
        anything is written.
    :param stop: asked once a block; True ends it.
    :raises MergeStopped: if `stop` said so.
    :raises SegmentError: if the file is no such snapshot.
    :raises LayoutError: if its record layout is unknown here.
    :raises OSError: if one file cannot be read or the other not written.
    """
    with open_regular(snapshot) as source:
        planes = PlaneReader(source)
        head = unpack_head(planes.take(HEAD_BYTES))
        packed = planes.plane(head.plan_bytes).tobytes()
        layout, plan, header = judged_plan(packed, head)
        if header.size != size:
            msg = f"the snapshot is of a segment of {header.size} bytes instead of {size}"
            raise SegmentError(msg)
        orders = unpack_orders(planes.plane(head.order_bytes).tobytes(), plan.tables)
        path.unlink(missing_ok=True)
        try:
            with path.open("xb") as file:
                writer = SegmentWriter(file, layout, plan, head.hash_key_id)
                blocks = _blocks(planes, header, head.gap_shift, stop)
                if layout.coded:
                    _CodedColumns(planes, layout, header, plan, orders).write(blocks, writer)
                else:
                    for keys in blocks:
                        columns = [planes.plane(len(keys)) for _ in range(layout.record_bytes)]
                        writer.append(keys, plain_rows(plan, keys, np.stack(columns, axis=1)))
                planes.require_end()
                if writer.finish().wide_rows != header.wide_rows:
                    raise SegmentError("the snapshot has not as many wide rows as it says")
        except BuildError as error:
            msg = f"the snapshot is of no segment: {error}"
            raise SegmentError(msg) from error
    return built(path, plan)


def _blocks(
    planes: PlaneReader, header: Header, shift: int, stop: Callable[[], bool]
) -> Iterator[Keys]:
    """Yield the keys of each block, as far as rows keep them; its other columns are next."""
    matched = matched_bits(header)
    unmatched = np.uint64(_FULL_BITS - matched)
    left, last = header.rows, np.zeros(1, np.uint64)
    while left:
        if stop():
            raise MergeStopped("the making of a segment was told to stop")
        rows = int.from_bytes(planes.take(4), "little")
        if not 0 < rows <= min(left, BLOCK_ROWS):
            raise SegmentError("a block of the snapshot has too many rows, or none")
        left -= rows
        high = planes.plane(rows).astype(np.uint64)
        low = planes.numbers(rows, bytes_of(shift))
        long = np.flatnonzero(high == LONG_GAP)
        high[long] = planes.numbers(len(long), LONG_GAP_BYTES)
        if np.any(high >> np.uint64(max(0, matched - shift))) or np.any(low >> np.uint64(shift)):
            raise SegmentError("a gap of the snapshot is too large")
        keys = np.cumsum(np.concatenate((last, high << np.uint64(shift) | low)), dtype=np.uint64)
        # A sum that does not fit begins again from zero.
        if np.any(keys[1:] < keys[:-1]) or int(keys[-1]) >> matched:
            raise SegmentError("the gaps of the snapshot lead beyond the last key")
        last = keys[-1:]
        yield keys[1:] << unmatched


class _CodedColumns:
    """What the rows of a coded segment say, block by block."""

    def __init__(
        self,
        planes: PlaneReader,
        layout: Layout[Any],
        header: Header,
        plan: CodingPlan,
        orders: Orders,
    ) -> None:
        self._planes = planes
        self._groups = layout.groups[:-1]
        self._identity = layout.groups[-1]
        self._plan = plan
        self._orders = orders
        self._tables = Tables(layout, plan.tables)
        self._wide_rows = header.wide_rows
        self._unkept_bits = _FULL_BITS - matched_bits(header)

    def write(self, blocks: Iterator[Keys], writer: SegmentWriter) -> None:
        """Write the rows of all blocks."""
        appender = CodedAppender(writer, self._plan, self._tables)
        for keys in blocks:
            appender.append(self._rows(keys))
            if writer.wide_rows > self._wide_rows:
                raise SegmentError("the snapshot has more wide rows than it says")
        appender.finish()

    def _rows(self, keys: Keys) -> CodedColumns:
        planes, radix = self._planes, 1
        flags = planes.plane(len(keys))
        codes, absent = np.zeros(len(keys), np.uint64), np.zeros(len(keys), bool)
        columns: list[_Column] = []
        for number, table in enumerate(self._plan.tables):
            column = self._column(number, flags >> np.uint8(number) & 1 == 1)
            columns.append(column)
            absent[column.absent] = True
            codes += column.places.astype(np.uint64) * np.uint64(radix)
            radix = radix * len(table) & _FULL
        identities = np.zeros(len(keys), np.uint16)
        named = np.flatnonzero(flags & HAS_IDENTITY)
        identities[named] = planes.numbers(len(named), IDENTITY_BYTES)
        wide = np.flatnonzero(flags & IS_WIDE)
        ends = planes.numbers(len(wide), bytes_of(self._unkept_bits))
        if np.any(ends >> np.uint64(self._unkept_bits)):
            raise SegmentError("the snapshot holds the end of a key that is too long")
        keys[wide] |= ends
        return CodedColumns(
            keys, codes, identities, absent, self._words(columns, absent, identities)
        )

    def _column(self, number: int, unusual: NDArray[np.bool_]) -> _Column:
        """Return one group of a block: places in its table, and the values that are not in it."""
        order, alphabet = self._orders.places[number], self._orders.alphabets[number]
        table, bits = self._plan.tables[number], self._groups[number].bits
        at = np.flatnonzero(unusual)
        if not len(order) and len(at) < len(unusual):
            raise SegmentError("the snapshot has a usual value where there is no table")
        places = np.full(len(unusual), order[0] if len(order) else 0, np.int64)
        symbols = self._planes.plane(len(at))
        ranks, outside = alphabet.places(symbols, self._planes.plane(alphabet.binned(symbols)))
        if len(order) > 1:
            places[at] = order[ranks + 1]
        at = at[outside]
        numbers = self._planes.numbers(len(at), bytes_of(bits))
        if np.any(numbers >> np.uint64(bits)):
            raise SegmentError("the snapshot holds a value of another group")
        values = numbers.astype(np.uint32)
        places[at], missing = places_in(table, values)
        return _Column(places, at[missing], values[missing])

    def _words(
        self, columns: Sequence[_Column], absent: NDArray[np.bool_], identities: Identities
    ) -> Words:
        """Return the records of the rows that have no code."""
        rows = np.flatnonzero(absent)
        words = np.zeros((len(rows), 2), np.uint64)
        words[:, self._identity.word] = identities[rows].astype(np.uint64) << np.uint64(
            self._identity.shift
        )
        for group, table, column in zip(self._groups, self._plan.tables, columns, strict=True):
            values = np.zeros(len(rows), np.uint32)
            if len(table):
                values = table[column.places[rows]]
            values[np.searchsorted(rows, column.absent)] = column.values
            words[:, group.word] |= values.astype(np.uint64) << np.uint64(group.shift)
        return words


class _Column(NamedTuple):
    """One group of a block: places in its table, who has none, and what values they have."""

    places: NDArray[np.int64]
    absent: NDArray[np.intp]
    values: NDArray[np.uint32]
