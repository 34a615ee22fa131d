"""A segment's header and geometry: which bytes of the file are what.

`cache.replica.segment` describes the format, `docs/replica-format.md` every byte of it.
"""

from __future__ import annotations

import math
import struct
import zlib
from enum import IntEnum

import msgspec

from cache.errors import SegmentError
from cache.replica.alias import PERSON_BITS

PAGE_BYTES = 4_096
MAGIC = b"CHOTSEG\x00"
FORMAT_VERSION = 2
MAX_ROWS = (1 << 32) - 1
MAX_BUCKET_BITS = 28
HASH_KEY_ID_BYTES = 8

CODE_BYTES = range(6, 9)
"""How wide a code may be."""
IDENTITY_BYTES = 2
"""What a coded row holds after its code: the one group that is in no table."""
MAX_TABLES = 8
MAX_TABLE_ENTRIES = 1 << 17
"""In all tables of a segment together: they are resident."""
WIDE_KEY_BYTES = 8
CODED_RECORD_BYTES = 16
WIDE_BYTES = WIDE_KEY_BYTES + CODED_RECORD_BYTES
"""Of a wide row: the whole key and the whole record."""
_CODED_MATCHED_BITS = 48
"""Bits that a coded row's bucket and stored hash have at least."""
_CODED_HASH_BITS = range(32, 49, 8)
_PLAIN_HASH_BITS = range(40, 65, 8)
_HEADER = struct.Struct("<8sHHHHBBBBQQ8sI8II")
_CRC = struct.Struct("<I")


class SegmentKind(IntEnum):
    """What the rows of a segment are. Values are in the header."""

    BASE = 1
    """Every person of the dataset, whole."""


class Header(msgspec.Struct, frozen=True):
    """A segment's header (page 0), and what follows from it.

    A key's `bucket_bits` highest bits choose its bucket; the `hash_bits` bits after them (zeros
    where the key has no more) stand big-endian at the start of its row.
    """

    layout: int
    rows: int
    row_bytes: int
    bucket_bits: int
    hash_bits: int
    hash_key_id: bytes
    crc_table_crc: int
    """CRC-32 of the pages that hold the CRC table."""
    code_bytes: int = 0
    """Of a coded row; 0 = the rows are plain: their records follow the hash."""
    wide_rows: int = 0
    table_sizes: tuple[int, ...] = ()
    """Values in each group's table, if the rows are coded."""
    kind: SegmentKind = SegmentKind.BASE

    @property
    def codes(self) -> int:
        """How many codes the tables make: a code below it is one value of each table."""
        return math.prod(self.table_sizes) if self.table_sizes else 0

    @property
    def row_pages(self) -> int:
        """Pages that hold rows."""
        return pages_for(self.rows * self.row_bytes)

    @property
    def wide_pages(self) -> int:
        """Pages that hold wide rows; they follow those of the rows."""
        return pages_for(self.wide_rows * WIDE_BYTES)

    @property
    def table_pages(self) -> int:
        """Pages that hold the groups' tables."""
        return pages_for(4 * sum(self.table_sizes))

    @property
    def index_pages(self) -> int:
        """Pages that hold the bucket index."""
        return pages_for(4 * ((1 << self.bucket_bits) + 1))

    @property
    def checked_pages(self) -> int:
        """Pages that the CRC table covers: all between the header and itself."""
        return self.row_pages + self.wide_pages + self.table_pages + self.index_pages

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return PAGE_BYTES * (1 + self.checked_pages + pages_for(4 * self.checked_pages))

    def pack(self) -> bytes:
        """Return page 0."""
        fields = _HEADER.pack(
            MAGIC,
            FORMAT_VERSION,
            self.kind,
            self.layout,
            self.row_bytes,
            self.bucket_bits,
            self.hash_bits,
            self.code_bytes,
            len(self.table_sizes),
            self.rows,
            self.size,
            self.hash_key_id,
            self.wide_rows,
            *self.table_sizes,
            *[0] * (MAX_TABLES - len(self.table_sizes)),
            self.crc_table_crc,
        )
        body = fields.ljust(PAGE_BYTES - _CRC.size, b"\0")
        return body + _CRC.pack(zlib.crc32(body))

    def contradiction(self) -> str:
        """Return what in this header cannot be so, or an empty text.

        Whether its layout is one that has such rows is for whoever knows the layout.
        """
        if self.rows > MAX_ROWS or self.bucket_bits > MAX_BUCKET_BITS:
            return "more rows or buckets than a segment takes"
        if self.code_bytes:
            return self._coded_contradiction()
        if self.table_sizes or self.wide_rows:
            return "tables or wide rows without codes"
        if self.hash_bits not in _PLAIN_HASH_BITS or self.row_bytes <= self.hash_bits // 8:
            return "rows of an impossible width"
        return ""

    def _coded_contradiction(self) -> str:
        if self.code_bytes not in CODE_BYTES or self.hash_bits not in _CODED_HASH_BITS:
            return "codes or hashes of an impossible width"
        if not _CODED_MATCHED_BITS <= self.bucket_bits + self.hash_bits <= PERSON_BITS:
            return "too few or too many bits to tell people apart by"
        if self.row_bytes != self.hash_bits // 8 + self.code_bytes + IDENTITY_BYTES:
            return "rows of an impossible width"
        if sum(self.table_sizes) > MAX_TABLE_ENTRIES or len({not n for n in self.table_sizes}) != 1:
            return "tables that are too large, missing, or empty beside others"
        if self.wide_rows > self.rows or self.codes + self.wide_rows > 256**self.code_bytes:
            return "more codes than its rows have room for"
        return ""


def unpack_header(page: bytes) -> Header:
    """Return the header of a file's first page.

    :raises SegmentError: if it is no header of this format version, or fails its CRC.
    """
    if len(page) != PAGE_BYTES or page[:8] != MAGIC:
        raise SegmentError("not a segment")
    if zlib.crc32(page[: -_CRC.size]) != _CRC.unpack(page[-_CRC.size :])[0]:
        raise SegmentError("the segment's header is damaged")
    fields = _HEADER.unpack_from(page)
    if fields[1] != FORMAT_VERSION or fields[2] not in SegmentKind.__members__.values():
        msg = f"segment format {fields[1]}, kind {fields[2]} is unknown here"
        raise SegmentError(msg, hint="update this appliance, or fetch the segment again")
    tables = fields[8]
    if tables > MAX_TABLES:
        raise SegmentError("the segment's header contradicts itself: too many tables")
    header = Header(
        layout=fields[3],
        rows=fields[9],
        row_bytes=fields[4],
        bucket_bits=fields[5],
        hash_bits=fields[6],
        hash_key_id=fields[11],
        crc_table_crc=fields[21],
        code_bytes=fields[7],
        wide_rows=fields[12],
        table_sizes=fields[13 : 13 + tables],
        kind=SegmentKind(fields[2]),
    )
    wrong = header.contradiction()
    # One header has one form: packing again must give the same page, reserved bytes included.
    if wrong or header.pack() != page:
        msg = f"the segment's header contradicts itself: {wrong or 'its size or reserved bytes'}"
        raise SegmentError(msg)
    return header


def pages_for(size: int) -> int:
    """Return how many pages `size` bytes take."""
    return -(-size // PAGE_BYTES)


def bucket_bits_for(rows: int) -> int:
    """Return the bucket bits for this many rows: 16 to 32 rows a bucket."""
    return min(MAX_BUCKET_BITS, max(0, rows.bit_length() - 5))


def coded_hash_bits_for(bucket_bits: int) -> int:
    """Return the stored bits of a coded row: so many that 48 are matched in all, at least 32."""
    return next(bits for bits in _CODED_HASH_BITS if bucket_bits + bits >= _CODED_MATCHED_BITS)
