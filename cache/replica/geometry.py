"""A segment's header and geometry: which bytes of the file are what.

| part   | pages                            | content                                            |
|--------|----------------------------------|----------------------------------------------------|
| header | 1                                | fields, zeros, CRC-32 of the 4,092 bytes before it |
| rows   | ⌈rows · row_bytes / 4096⌉        | rows sorted by key, then zeros                     |
| index  | ⌈4 · (2^bucket_bits + 1) / 4096⌉ | u32 first row of each bucket, then u32 rows        |
| CRCs   | ⌈4 · (row + index pages) / 4096⌉ | u32 CRC-32 of each row and index page              |

All integers are little-endian. `docs/replica-format.md` says the same for other languages.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum

import msgspec

from cache.errors import SegmentError

PAGE_BYTES = 4_096
MAGIC = b"CHOTSEG\x00"
FORMAT_VERSION = 1
MAX_ROWS = (1 << 32) - 1
MAX_BUCKET_BITS = 28
HASH_KEY_ID_BYTES = 8
_NO_STATE = bytes(32)
_HEADER = struct.Struct("<8sHHHHBBHQQ8s32s32s32sI")
_CRC = struct.Struct("<I")


class SegmentKind(IntEnum):
    """What the rows of a segment are. Values are in the header."""

    BASE = 1
    """Every person of the dataset, whole."""


class Header(msgspec.Struct, frozen=True):
    """A segment's header (page 0), and what follows from it.

    A key's `bucket_bits` highest bits choose its bucket; the `hash_bits` bits after them (zeros
    where the key has no more) stand big-endian at the start of its row, and the record after them.
    """

    layout: int
    rows: int
    row_bytes: int
    bucket_bits: int
    hash_bits: int
    hash_key_id: bytes
    table_crc: int
    """CRC-32 of the pages that hold the CRC table."""
    kind: SegmentKind = SegmentKind.BASE

    @property
    def row_pages(self) -> int:
        """Pages that hold rows."""
        return pages_for(self.rows * self.row_bytes)

    @property
    def index_pages(self) -> int:
        """Pages that hold the bucket index."""
        return pages_for(4 * ((1 << self.bucket_bits) + 1))

    @property
    def table_pages(self) -> int:
        """Pages that hold the CRC table."""
        return pages_for(4 * (self.row_pages + self.index_pages))

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return PAGE_BYTES * (1 + self.row_pages + self.index_pages + self.table_pages)

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
            0,
            self.rows,
            self.size,
            self.hash_key_id,
            _NO_STATE,
            _NO_STATE,
            _NO_STATE,
            self.table_crc,
        )
        body = fields.ljust(PAGE_BYTES - _CRC.size, b"\0")
        return body + _CRC.pack(zlib.crc32(body))


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
        raise SegmentError(msg, hint="update this appliance")
    header = Header(
        layout=fields[3],
        rows=fields[8],
        row_bytes=fields[4],
        bucket_bits=fields[5],
        hash_bits=fields[6],
        hash_key_id=fields[10],
        table_crc=fields[14],
        kind=SegmentKind(fields[2]),
    )
    sane = (
        header.rows <= MAX_ROWS
        and header.bucket_bits <= MAX_BUCKET_BITS
        and header.hash_bits in range(8, 65, 8)
        and header.row_bytes > header.hash_bits // 8
    )
    # One header has one form: packing again must give the same page, reserved bytes included.
    if not sane or header.pack() != page:
        raise SegmentError("the segment's header contradicts itself")
    return header


def pages_for(size: int) -> int:
    """Return how many pages `size` bytes take."""
    return -(-size // PAGE_BYTES)


def bucket_bits_for(rows: int) -> int:
    """Return the bucket bits for this many rows: 8 to 16 rows a bucket."""
    return min(MAX_BUCKET_BITS, max(0, rows.bit_length() - 4))
