"""A segment: one dataset's rows in one immutable file, found by their keyed hashes.

Every byte of it is in `docs/replica-format.md` §3; this is what to know when reading the code.

**The file.** Parts of whole 4,096-byte pages, in this order; all integers are little-endian but
the stored hash:

| part      | content                                                                        |
|-----------|--------------------------------------------------------------------------------|
| header    | one page of fields (`cache.replica.geometry`), closed by its own CRC-32         |
| rows      | n rows of equal width, ascending by key, without gaps; then zeros               |
| wide rows | coded layouts: 8 bytes key ‖ 16 bytes record each, in the order of their rows   |
| tables    | coded layouts: each group's values as u32, ascending, one table after the other |
| index     | u32 first row of each bucket, then u32 n                                        |
| CRC table | u32 CRC-32 of each page of the four parts before it, in their order             |

**Finding a row.** A key is 64 bits of a keyed hash, evenly spread. Its B highest bits are its
bucket, and the index says which rows those are: 16 to 32. The next S bits stand big-endian at the
start of the row, so one byte search through the bucket finds it.

**Plain rows** have the record after the hash. No two share the B + S bits.

**Coded rows** have a code after the hash and then two bytes of identity digest
(`cache.replica.coding`). A code below P, the product of the tables' sizes, names a value of each
table; from P on it is the number of a wide row. Wide are the people with a value that is in no
table (24 bytes for a rare value is cheaper than a wider code for everybody), and those who share
the B + S bits with somebody: a wide row counts only for the key that it holds.

**Damage.** Header, tables, index and CRC table are checked when the segment is opened, and then
resident; pages of rows and wide rows when first touched. A page that fails its CRC answers nothing
for as long as the segment is open: "unreadable" is an answer, and never the same as "nobody".

A look-up is two index reads, one `mmap.find` and one slice: about a microsecond.
"""

from __future__ import annotations

import mmap
import sys
import zlib
from array import array
from pathlib import Path
from typing import Any

from cache.errors import SegmentError
from cache.replica.coding import Coding
from cache.replica.geometry import PAGE_BYTES, WIDE_BYTES, Header, unpack_header
from cache.replica.layout import Layout, layout_of
from cache.replica.lookup import (
    DAMAGED,
    SOUND,
    UNTOUCHED,
    Mapped,
    coded_locator,
    coded_records,
    contradiction,
    page_check,
    plain_locator,
    plain_records,
    wide_reader,
)
from cache.replica.merkle import LEAF_BYTES

_LEAF_PAGES = LEAF_BYTES // PAGE_BYTES
_WALK_BYTES = 1 << 18
SELF_TEST_ROWS = 32


class Segment:
    """One immutable segment. Thread-safe to read.

    The file must never be written to or truncated while it is open; replace it by rename. It is
    unmapped when the last reference goes.

    `locate(key)` returns the number (rank) of the row under a `PersonKey`, or None; it raises
    `DamagedPage` if a page that could hold the answer is damaged. `record(rank)` returns the record
    of a row that `locate` has just found, in the layout's form: its page is not checked again.

    `wide_row(number)` returns the key and record of a wide row, and raises `DamagedPage` likewise.
    `coding` has the tables (and `tables` is short for them); None and empty where the rows are
    plain. `index` is the bucket index, `view` the mapped file, `mapped` all of it for closures that
    find rows.
    """

    def __init__(self, view: mmap.mmap) -> None:
        """Take a whole segment. Raises as `open` does."""
        header = self.header = unpack_header(view[:PAGE_BYTES])
        if len(view) != header.size:
            msg = f"the segment has {len(view)} bytes instead of {header.size}"
            raise SegmentError(msg)
        self.layout = layout_of(header.layout)
        _require_rows_of(self.layout, header)
        self.view = view
        crcs = _crc_table(header, view)
        self.coding, self.index = _resident(self.layout, header, view, crcs)
        self.tables = self.coding.tables if self.coding else ()
        self._pages = bytearray(header.row_pages + header.wide_pages)
        self._trusted = bytearray(1 << header.bucket_bits)
        self._check = page_check(view, crcs, self._pages)
        mapped = self.mapped = Mapped(
            header, view, self.index, self._pages, self._trusted, self._check
        )
        self.wide_row = wide_reader(mapped)
        if self.coding is None:
            self.locate = plain_locator(mapped)
            self.record = plain_records(mapped)
        else:
            self.locate = coded_locator(mapped, self.wide_row, self.coding.codes)
            self.record = coded_records(mapped, self.wide_row, self.coding)

    @classmethod
    def open(cls, path: Path) -> Segment:
        """Return the segment in this file, its header, tables, index and CRC table checked.

        :raises SegmentError: if the file is no segment, truncated, longer than it says, or damaged
            in its header, tables, index or CRC table.
        :raises LayoutError: if its record layout is unknown here.
        """
        try:
            with path.open("rb") as file:
                if file.seek(0, 2) < PAGE_BYTES:
                    raise SegmentError("the file is too short to be a segment")
                view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            msg = f"the segment cannot be read: {error.strerror}"
            raise SegmentError(msg) from error
        view.madvise(mmap.MADV_RANDOM)
        return cls(view)

    @property
    def damaged_pages(self) -> int:
        """Pages found damaged since the segment was opened."""
        return self._pages.count(DAMAGED)

    def forget_checks(self) -> None:
        """Check every page again when it is next touched.

        A sound page may leave memory and come back decayed from the medium: whoever holds the
        segment open for long calls this now and then. Pages found damaged stay so.
        """
        self._pages[:] = self._pages.replace(bytes([SOUND]), bytes([UNTOUCHED]))
        self._trusted[:] = bytes(len(self._trusted))

    def distrust(self, leaf: int) -> None:
        """Treat the pages of one 64-KiB leaf as damaged: their look-ups answer nothing.

        :raises SegmentError: if the leaf reaches outside the rows and wide rows; such a segment is
            not usable.
        """
        first = leaf * _LEAF_PAGES - 1
        if first < 0 or first + _LEAF_PAGES > len(self._pages):
            raise SegmentError(
                "the segment's header, tables, index or CRCs are not the signed ones"
            )
        self._pages[first : first + _LEAF_PAGES] = bytes([DAMAGED]) * _LEAF_PAGES
        self._trusted[:] = bytes(len(self._trusted))

    def self_test(self) -> None:
        """Look up rows spread over the whole segment and decode what comes back.

        :raises SegmentError: if a row is damaged, or not found under its own key.
        :raises LayoutError: if its record holds a value that this version has no meaning for.
        """
        if self.header.rows == 0:
            return
        last = self.header.rows - 1
        for number in {i * last // SELF_TEST_ROWS for i in range(SELF_TEST_ROWS + 1)}:
            key, record = self.row(number)
            if self.find(key) != record:
                msg = f"row {number} is not found under its own key"
                raise SegmentError(msg)
            self.layout.unpack(record)

    def find(self, key: int) -> bytes | None:
        """Return the record under a key, or None.

        :raises DamagedPage: as `locate`.
        """
        rank = self.locate(key)
        return None if rank is None else self.record(rank)

    def facts(self, rank: int) -> Any:
        """Return what the record of a row that `locate` has just found says, as `Layout.unpack`.

        :raises LayoutError: if it holds a value that this version has no meaning for.
        """
        return self.layout.unpack(self.record(rank))

    def row(self, number: int) -> tuple[int, bytes]:
        """Return the key of a row, as far as it is stored, zeros after that, and its record.

        :param number: 0 to `header.rows` - 1. Of a wide row, the whole key is stored.
        :raises DamagedPage: if its page is damaged.
        """
        header = self.header
        stored = self.raw_rows(number, number + 1)
        # The last bucket that starts at or before the row; a binary search over the index.
        low, high = 0, 1 << header.bucket_bits
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.index[middle] <= number else (low, middle)
        split = header.hash_bits // 8
        hashed = int.from_bytes(stored[:split], "big") << 64 - header.hash_bits
        key = low << 64 - header.bucket_bits | hashed >> header.bucket_bits
        if self.coding is None:
            return key, stored[split:]
        code = int.from_bytes(stored[split : split + header.code_bytes], "little")
        if code < self.coding.codes:
            return key, self.record(number)
        whole, record = self.wide_row(code - self.coding.codes)
        if (whole ^ key) >> 64 - header.bucket_bits - header.hash_bits:
            raise contradiction("a wide row is not its row's")
        return whole, record

    def raw_rows(self, first: int, end: int) -> bytes:
        """Return the stored bytes of rows `first` to `end` - 1, `header.row_bytes` each.

        :raises DamagedPage: if one of their pages is damaged.
        """
        return self._part(0, first * self.header.row_bytes, end * self.header.row_bytes)

    def raw_wide(self, first: int, end: int) -> bytes:
        """Return the stored bytes of wide rows `first` to `end` - 1, `WIDE_BYTES` each.

        :raises DamagedPage: if one of their pages is damaged.
        """
        return self._part(self.header.row_pages, first * WIDE_BYTES, end * WIDE_BYTES)

    @property
    def wide(self) -> bytes:
        """The stored bytes of all wide rows. Raises as `raw_wide`."""
        return self.raw_wide(0, self.header.wide_rows)

    def _part(self, page: int, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        begin = PAGE_BYTES * (1 + page)
        at, size = begin + start, end - start
        # Whoever walks through all rows must not push what look-ups need out of memory.
        walk = size >= _WALK_BYTES
        if walk:
            self._advise(mmap.MADV_WILLNEED, at, size)
        self._check(page + start // PAGE_BYTES, page + (end - 1) // PAGE_BYTES)
        data = self.view[at : at + size]
        if walk:
            self._advise(mmap.MADV_DONTNEED, at, size)
        return data

    def _advise(self, advice: int, at: int, size: int) -> None:
        first = at // mmap.PAGESIZE * mmap.PAGESIZE
        self.view.madvise(advice, first, at + size - first)


def _require_rows_of(layout: Layout[Any], header: Header) -> None:
    """Refuse a segment whose rows are not of its layout's kind and width."""
    if layout.coded:
        fits = header.code_bytes != 0 and len(header.table_sizes) == len(layout.groups) - 1
    else:
        plain_bytes = header.hash_bits // 8 + layout.record_bytes
        fits = header.code_bytes == 0 and header.row_bytes == plain_bytes
    if not fits:
        raise SegmentError("the segment's rows do not have its layout's form")


def _crc_table(header: Header, view: mmap.mmap) -> array[int]:
    """Return the CRCs of the pages of all parts between the header and them, themselves checked."""
    table = view[PAGE_BYTES * (1 + header.checked_pages) :]
    if zlib.crc32(table) != header.crc_table_crc:
        raise SegmentError("the segment's CRC table is damaged")
    return _integers(table[: 4 * header.checked_pages])


def _resident(
    layout: Layout[Any], header: Header, view: mmap.mmap, crcs: array[int]
) -> tuple[Coding | None, array[int]]:
    """Return the tables and the bucket index, both checked."""
    first = header.row_pages + header.wide_pages
    for page in range(first, header.checked_pages):
        start = PAGE_BYTES * (1 + page)
        if zlib.crc32(view[start : start + PAGE_BYTES]) != crcs[page]:
            raise SegmentError("the segment's tables or index are damaged")
    index_at = PAGE_BYTES * (1 + first + header.table_pages)
    index = _integers(view[index_at : index_at + 4 * ((1 << header.bucket_bits) + 1)])
    if index[0] != 0 or index[-1] != header.rows:
        raise SegmentError("the segment's index contradicts its header")
    if not layout.coded:
        return None, index
    at, tables = PAGE_BYTES * (1 + first), []
    for size in header.table_sizes:
        tables.append(_integers(view[at : at + 4 * size]))
        at += 4 * size
    return Coding(layout, tables), index


def _integers(data: bytes) -> array[int]:
    integers = array("I", data)
    if sys.byteorder == "big":
        integers.byteswap()
    return integers
