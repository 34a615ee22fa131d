"""Finding a row by its key: the closures that `cache.replica.segment` is made of.

Closures, because attribute reads would cost a third of a look-up's time.
"""

from __future__ import annotations

import mmap
import zlib
from array import array
from collections.abc import Callable
from struct import Struct

import msgspec

from cache.errors import DamagedPage
from cache.replica.alias import SPARE_BITS
from cache.replica.coding import Coding
from cache.replica.geometry import PAGE_BYTES, WIDE_BYTES, WIDE_KEY_BYTES, Header

_EIGHT_BYTES = Struct("<Q")
UNTOUCHED, SOUND, DAMAGED = 0, 1, 2
TRUSTED, WITH_WIDE = 1, 2
_HINT = "it is fetched again from the hub"

Locate = Callable[[int], int | None]
RecordOf = Callable[[int], bytes]


class Mapped(msgspec.Struct, frozen=True):
    """A mapped segment and what of it is resident.

    `pages` says of each page of the rows and wide rows whether it is untouched, sound or damaged;
    `trusted` of each bucket whether its rows lie within the file's and their pages were found
    sound: one byte to ask before a search (`TRUSTED`, or `WITH_WIDE` where one of them is wide).
    """

    header: Header
    view: mmap.mmap
    index: array[int]
    pages: bytearray
    trusted: bytearray
    check: Callable[[int, int], None]


def page_check(view: mmap.mmap, crcs: array[int], pages: bytearray) -> Callable[[int, int], None]:
    """Return the function that checks pages `first` to `last` and remembers what it found."""

    def check(first: int, last: int) -> None:
        for page in range(first, last + 1):
            if pages[page] == UNTOUCHED:
                start = PAGE_BYTES * (1 + page)
                sound = zlib.crc32(view[start : start + PAGE_BYTES]) == crcs[page]
                pages[page] = SOUND if sound else DAMAGED
            if pages[page] == DAMAGED:
                msg = f"row page {page} is damaged"
                raise DamagedPage(msg, hint=_HINT)

    return check


def contradiction(what: str) -> DamagedPage:
    """Return the error for sound pages that contradict each other: nothing is known then either."""
    msg = f"the segment contradicts itself: {what}"
    return DamagedPage(msg, hint=_HINT)


def plain_locator(mapped: Mapped) -> Locate:
    """Return the function from a key to the number of its row, or None, for plain rows."""
    header, view, index, trusted, check = _parts(mapped)
    width, hash_bytes = header.row_bytes, header.hash_bits // 8
    bucket_shift, rows_end = 64 - header.bucket_bits, header.rows * header.row_bytes
    # The stored bits are those after the bucket's; a key that has no more is filled with zeros.
    down = 64 - header.bucket_bits - header.hash_bits
    up, down = max(0, -down), max(0, down)
    mask = (1 << header.hash_bits) - 1
    search = view.find

    def locate(key: int) -> int | None:
        bucket = key >> bucket_shift
        start, end = index[bucket] * width, index[bucket + 1] * width
        if not trusted[bucket]:
            if start >= end or end > rows_end:
                _require_empty(start, end, rows_end)
                return None
            check(start // PAGE_BYTES, (end - 1) // PAGE_BYTES)
            trusted[bucket] = TRUSTED
        start, end = start + PAGE_BYTES, end + PAGE_BYTES
        stored = ((key << up) >> down & mask).to_bytes(hash_bytes, "big")
        at = search(stored, start, end)
        while at >= 0:
            rank, within = divmod(at - PAGE_BYTES, width)
            if not within:
                return rank
            # The same bytes may straddle two rows or lie inside a record.
            at = search(stored, at + 1, end)
        return None

    return locate


def coded_locator(mapped: Mapped, wide: Callable[[int], tuple[int, bytes]], codes: int) -> Locate:
    """Return the function from a key to the number of its row, or None, for coded rows.

    :param wide: returns the key and record of a wide row.
    """
    header, view, index, trusted, check = _parts(mapped)
    width, hash_bytes = header.row_bytes, header.hash_bits // 8
    bucket_shift, rows_end = 64 - header.bucket_bits, header.rows * header.row_bytes
    down, mask = bucket_shift - header.hash_bits, (1 << header.hash_bits) - 1
    code_mask = (1 << 8 * header.code_bytes) - 1
    # A code and what follows it in its row are at least eight bytes.
    search, eight_bytes = view.find, _EIGHT_BYTES.unpack_from
    with_wide = _wide_finder(mapped, codes)

    def locate(key: int) -> int | None:
        bucket = key >> bucket_shift
        start, end = index[bucket] * width, index[bucket + 1] * width
        if not trusted[bucket]:
            if start >= end or end > rows_end:
                _require_empty(start, end, rows_end)
                return None
            check(start // PAGE_BYTES, (end - 1) // PAGE_BYTES)
            trusted[bucket] = WITH_WIDE if with_wide(start, end) else TRUSTED
        end += PAGE_BYTES
        stored = (key >> down & mask).to_bytes(hash_bytes, "big")
        at = search(stored, start + PAGE_BYTES, end)
        while at >= 0:
            rank, within = divmod(at - PAGE_BYTES, width)
            if not within:
                if trusted[bucket] == TRUSTED:
                    return rank
                code = eight_bytes(view, at + hash_bytes)[0] & code_mask
                if code < codes:
                    return rank
                # Of two people with the same stored bits, the whole key of a wide row tells which.
                other = wide(code - codes)[0] ^ key
                if not other >> SPARE_BITS:
                    return rank
                if other >> down:
                    raise contradiction("a wide row is not its row's")
            at = search(stored, at + 1, end)
        return None

    return locate


def _wide_finder(mapped: Mapped, codes: int) -> Callable[[int, int], bool]:
    """Return whether one of the rows from one place to another, in bytes, has a wide row."""
    view, width = mapped.view, mapped.header.row_bytes
    first = PAGE_BYTES + mapped.header.hash_bits // 8
    code_mask, eight_bytes = (1 << 8 * mapped.header.code_bytes) - 1, _EIGHT_BYTES.unpack_from

    def with_wide(start: int, end: int) -> bool:
        places = range(first + start, PAGE_BYTES + end, width)
        return any(eight_bytes(view, at)[0] & code_mask >= codes for at in places)

    return with_wide


def plain_records(mapped: Mapped) -> RecordOf:
    """Return the function from a row's number to its record, for plain rows."""
    view, width = mapped.view, mapped.header.row_bytes
    first = PAGE_BYTES + mapped.header.hash_bits // 8
    record_bytes = width - mapped.header.hash_bits // 8

    def record(rank: int) -> bytes:
        at = first + rank * width
        return view[at : at + record_bytes]

    return record


def coded_records(
    mapped: Mapped, wide: Callable[[int], tuple[int, bytes]], coding: Coding
) -> RecordOf:
    """Return the function from a row's number to its record, for coded rows."""
    view, width = mapped.view, mapped.header.row_bytes
    first = PAGE_BYTES + mapped.header.hash_bits // 8
    row_rest = width - mapped.header.hash_bits // 8
    code_bits = 8 * mapped.header.code_bytes
    code_mask, codes = (1 << code_bits) - 1, coding.codes
    decoded, from_bytes = coding.record, int.from_bytes

    def record(rank: int) -> bytes:
        at = first + rank * width
        rest = from_bytes(view[at : at + row_rest], "little")
        code = rest & code_mask
        return decoded(code, rest >> code_bits) if code < codes else wide(code - codes)[1]

    return record


def wide_reader(mapped: Mapped) -> Callable[[int], tuple[int, bytes]]:
    """Return the function from the number of a wide row to its key and record.

    It raises `DamagedPage` if its page is damaged, or there is no such row.
    """
    header, view, pages, check = mapped.header, mapped.view, mapped.pages, mapped.check
    first_page, number_of = header.row_pages, header.wide_rows
    begin = PAGE_BYTES * (1 + first_page)
    key_of = _EIGHT_BYTES.unpack_from

    def wide(number: int) -> tuple[int, bytes]:
        if number >= number_of:
            raise contradiction("a row has a code that stands for nothing")
        at = number * WIDE_BYTES
        first, last = first_page + (at >> 12), first_page + (at + WIDE_BYTES - 1 >> 12)
        if pages[first] != SOUND or pages[last] != SOUND:
            check(first, last)
        at += begin
        return key_of(view, at)[0], view[at + WIDE_KEY_BYTES : at + WIDE_BYTES]

    return wide


def _parts(
    mapped: Mapped,
) -> tuple[Header, mmap.mmap, array[int], bytearray, Callable[[int, int], None]]:
    return mapped.header, mapped.view, mapped.index, mapped.trusted, mapped.check


def _require_empty(start: int, end: int, rows_end: int) -> None:
    """Refuse a bucket that ends before it starts, or after the last row."""
    if start != end or end > rows_end:
        raise contradiction("a bucket lies outside the rows")
