"""A segment, opened: mapped read-only, its index resident, each page checked when first touched.

A look-up is two index reads, one `mmap.find` and one slice: about a microsecond. A page that
fails its CRC answers nothing, for as long as the segment is open.
"""

from __future__ import annotations

import mmap
import sys
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path

from cache.errors import DamagedPage, SegmentError
from cache.replica.geometry import PAGE_BYTES, Header, unpack_header
from cache.replica.layout import layout_of
from cache.replica.merkle import LEAF_BYTES

_UNTOUCHED, _SOUND, _DAMAGED = 0, 1, 2
_LEAF_PAGES = LEAF_BYTES // PAGE_BYTES
SELF_TEST_ROWS = 32


class Segment:
    """One immutable segment. Thread-safe to read.

    The file must never be written to or truncated while it is open; replace it by rename. It is
    unmapped when the last reference goes.

    `locate(key)` returns the number (rank) of the row under a `PersonKey`, or None; `find(key)` its
    record in the layout's form, or None. Both raise `DamagedPage` if a page that could hold the
    answer is damaged.
    """

    def __init__(self, view: mmap.mmap) -> None:
        """Take a whole segment. Raises as `open` does."""
        header = self.header = unpack_header(view[:PAGE_BYTES])
        if len(view) != header.size:
            msg = f"the segment has {len(view)} bytes instead of {header.size}"
            raise SegmentError(msg)
        self.layout = layout_of(header.layout)
        if header.row_bytes != header.hash_bits // 8 + self.layout.record_bytes:
            raise SegmentError("the segment's rows do not have its layout's width")
        self._view = view
        self._index, crcs = _resident(header, view)
        self._pages = bytearray(header.row_pages)
        self._check = _page_check(view, crcs, self._pages)
        self.locate = _locator(header, view, self._index, self._pages, self._check)

    @classmethod
    def open(cls, path: Path) -> Segment:
        """Return the segment in this file, its header, index and CRC table checked.

        :raises SegmentError: if the file is no segment, truncated, longer than it says, or damaged
            in its header, index or CRC table.
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
        return self._pages.count(_DAMAGED)

    def forget_checks(self) -> None:
        """Check every page again when it is next touched.

        A sound page may leave memory and come back decayed from the medium: whoever holds the
        segment open for long calls this now and then. Pages found damaged stay so.
        """
        self._pages[:] = self._pages.replace(bytes([_SOUND]), bytes([_UNTOUCHED]))

    def distrust(self, leaf: int) -> None:
        """Treat the pages of one 64-KiB leaf as damaged: their look-ups answer nothing.

        :raises SegmentError: if the leaf reaches outside the rows; such a segment is not usable.
        """
        first = leaf * _LEAF_PAGES - 1
        if first < 0 or first + _LEAF_PAGES > self.header.row_pages:
            raise SegmentError("the segment's header, index or CRC table is not the signed one")
        self._pages[first : first + _LEAF_PAGES] = bytes([_DAMAGED]) * _LEAF_PAGES

    def self_test(self) -> None:
        """Look up rows spread over the whole segment and decode what comes back.

        :raises SegmentError: if a row is damaged, not found under its own key, or not decodable.
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

    def record(self, rank: int) -> bytes:
        """Return the record of a row that `locate` has just found: its page is not checked."""
        width, split = self.header.row_bytes, self.header.hash_bits // 8
        start = PAGE_BYTES + rank * width
        return self._view[start + split : start + width]

    def row(self, number: int) -> tuple[int, bytes]:
        """Return the key of a row, as far as it is stored, zeros after that, and its record.

        :param number: 0 to `header.rows` - 1.
        :raises DamagedPage: if its page is damaged.
        """
        header = self.header
        start = number * header.row_bytes
        self._check(start // PAGE_BYTES, (start + header.row_bytes - 1) // PAGE_BYTES)
        row = self._view[PAGE_BYTES + start : PAGE_BYTES + start + header.row_bytes]
        split = header.hash_bits // 8
        # The last bucket that starts at or before the row; a binary search over the index.
        low, high = 0, 1 << header.bucket_bits
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._index[middle] <= number else (low, middle)
        stored = int.from_bytes(row[:split], "big") << 64 - header.hash_bits
        return low << 64 - header.bucket_bits | stored >> header.bucket_bits, row[split:]


def _resident(header: Header, view: mmap.mmap) -> tuple[array[int], array[int]]:
    """Return the bucket index and the row pages' CRCs, both checked."""
    index_at = PAGE_BYTES * (1 + header.row_pages)
    table_at = index_at + PAGE_BYTES * header.index_pages
    table = view[table_at:]
    if zlib.crc32(table) != header.table_crc:
        raise SegmentError("the segment's CRC table is damaged")
    crcs = _integers(table[: 4 * (header.row_pages + header.index_pages)])
    for page in range(header.index_pages):
        start = index_at + page * PAGE_BYTES
        if zlib.crc32(view[start : start + PAGE_BYTES]) != crcs[header.row_pages + page]:
            raise SegmentError("the segment's index is damaged")
    index = _integers(view[index_at : index_at + 4 * ((1 << header.bucket_bits) + 1)])
    if index[0] != 0 or index[-1] != header.rows:
        raise SegmentError("the segment's index contradicts its header")
    return index, crcs[: header.row_pages]


def _integers(data: bytes) -> array[int]:
    integers = array("I", data)
    if sys.byteorder == "big":
        integers.byteswap()
    return integers


def _page_check(view: mmap.mmap, crcs: array[int], pages: bytearray) -> Callable[[int, int], None]:
    """Return the function that checks row pages `first` to `last` and remembers what it found."""

    def check(first: int, last: int) -> None:
        for page in range(first, last + 1):
            if pages[page] == _UNTOUCHED:
                start = PAGE_BYTES * (1 + page)
                sound = zlib.crc32(view[start : start + PAGE_BYTES]) == crcs[page]
                pages[page] = _SOUND if sound else _DAMAGED
            if pages[page] == _DAMAGED:
                msg = f"row page {page} is damaged"
                raise DamagedPage(msg, hint="it is fetched again from the hub")

    return check


def _locator(
    header: Header,
    view: mmap.mmap,
    index: array[int],
    pages: bytearray,
    check: Callable[[int, int], None],
) -> Callable[[int], int | None]:
    """Return the look-up: a closure, because attribute reads would cost a third of its time."""
    width, hash_bytes = header.row_bytes, header.hash_bits // 8
    bucket_shift = 64 - header.bucket_bits
    # The stored bits are those after the bucket's; a key that has no more is filled with zeros.
    down = 64 - header.bucket_bits - header.hash_bits
    up, down = max(0, -down), max(0, down)
    mask = (1 << header.hash_bits) - 1
    search = view.find

    def locate(key: int) -> int | None:
        bucket = key >> bucket_shift
        start, end = index[bucket] * width, index[bucket + 1] * width
        if start >= end:
            return None
        first, last = start >> 12, end - 1 >> 12
        if last - first > 1 or pages[first] != _SOUND or pages[last] != _SOUND:
            check(first, last)
        start, end = start + PAGE_BYTES, end + PAGE_BYTES
        stored = ((key << up) >> down & mask).to_bytes(hash_bytes, "big")
        at = search(stored, start, end)
        while at >= 0:
            if not (at - start) % width:
                return (at - PAGE_BYTES) // width
            # The same bytes may straddle two rows or lie inside a record.
            at = search(stored, at + 1, end)
        return None

    return locate
