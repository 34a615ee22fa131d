"""Frames and the file header: bytes to values and back, without I/O.

A file is one header, then frames back to back; all integers little-endian:

    header  magic 8 | version u16 | zero u16 | journal id 16 | first sequence u64
            | chain hash before 32 | CRC32C u32 of all that
    frame   length u32 | sequence u64 | CRC32C u32 of the frame's other bytes
            | chain hash 32 | record

A frame of length 0 is a pruned run: every entry from the one that is expected there through its
sequence has been removed, and the chain goes on with its hash.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import google_crc32c
import msgspec

from admission.passage import CHAIN_HASH_BYTES, JOURNAL_ID_BYTES, MAX_SEQUENCE, chained
from admission.wire import MAX_PASSAGE_BYTES

MAGIC = b"CHOTJRNL"
VERSION = 2
FIRST_VERSION = 1
"""Files of this version hold whole passages in the clear (`journal_record` tells them apart)."""

_HEADER = struct.Struct(f"<8sHH{JOURNAL_ID_BYTES}sQ{CHAIN_HASH_BYTES}s")
_CRC = struct.Struct("<I")
_PREFIX = struct.Struct("<IQ")
_CHECKED = struct.Struct(f"<{_PREFIX.size}sI")
_FRAME_HEAD = struct.Struct(f"<IQI{CHAIN_HASH_BYTES}s")

_crc32c: Callable[[bytes], int] = google_crc32c.value
_extended: Callable[[int, bytes], int] = google_crc32c.extend
"""The checksum of bytes that follow on others, from that of the others."""

HEADER_BYTES = _HEADER.size + _CRC.size
FRAME_HEAD_BYTES = _FRAME_HEAD.size
MAX_FRAME_BYTES = FRAME_HEAD_BYTES + MAX_PASSAGE_BYTES


class Header(msgspec.Struct, frozen=True):
    """What a file says of itself: its journal, and where in the chain its first entry stands.

    `first_sequence` - 1 is the last entry that was durable when the file was begun: frames of
    earlier files from `first_sequence` on were never acknowledged, and this file supersedes them.
    """

    journal: bytes
    first_sequence: int
    chain_before: bytes
    version: int = VERSION


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One entry as it stands in a file, at `offset` bytes from the file's start.

    `packed` is its record; empty, the frame is a pruned run.
    """

    offset: int
    sequence: int
    chain_hash: bytes
    packed: bytes

    @property
    def end(self) -> int:
        """Offset of the first byte after this frame."""
        return self.offset + FRAME_HEAD_BYTES + len(self.packed)


def pack_header(header: Header) -> bytes:
    """Return the header's `HEADER_BYTES` bytes."""
    body = _HEADER.pack(
        MAGIC, header.version, 0, header.journal, header.first_sequence, header.chain_before
    )
    return body + _CRC.pack(_crc32c(body))


def unpack_header(data: bytes) -> Header | None:
    """Return the header at the start of `data`, or None if those bytes are not an intact one."""
    if len(data) < HEADER_BYTES:
        return None
    body = data[: _HEADER.size]
    magic, version, zero, journal, first_sequence, chain_before = _HEADER.unpack(body)
    if (magic, zero) != (MAGIC, 0) or not FIRST_VERSION <= version <= VERSION:
        return None
    if _CRC.unpack_from(data, _HEADER.size)[0] != _crc32c(body):
        return None
    if not 0 < first_sequence <= MAX_SEQUENCE:
        return None
    return Header(journal, first_sequence, chain_before, version)


def pack_frame(sequence: int, chain_hash: bytes, packed: bytes) -> bytes:
    """Return one frame's bytes.

    :param chain_hash: `admission.passage.chained` of the entry before, this sequence and `packed`.
    :param packed: a record of 1 to `MAX_PASSAGE_BYTES` bytes.
    """
    prefix = _PREFIX.pack(len(packed), sequence)
    rest = chain_hash + packed
    return _CHECKED.pack(prefix, _extended(_crc32c(prefix), rest)) + rest


def pack_frames(
    previous: bytes, last_sequence: int, records: Iterable[bytes]
) -> tuple[bytes, bytes]:
    """Return the frames of records that follow on an entry, and the last one's chain hash.

    :param previous: the chain hash of that entry, `last_sequence` its sequence.
    """
    frames = []
    for sequence, record in enumerate(records, start=last_sequence + 1):
        previous = chained(previous, sequence, record)
        frames.append(pack_frame(sequence, previous, record))
    return b"".join(frames), previous


def pack_pruned_run(last: int, chain_hash: bytes) -> bytes:
    """Return the `FRAME_HEAD_BYTES` bytes that stand for entries which were removed.

    :param last: the sequence of the last one that was removed, `chain_hash` its hash.
    """
    return pack_frame(last, chain_hash, b"")


def frame_at(data: bytes, offset: int) -> Frame | None:
    """Return the frame that begins at `offset`, or None if no intact one does.

    Intact means: whole, its length within bounds and its CRC right. Whether it belongs there (its
    sequence, its chain hash) is for `cache.journal.scan` to say.
    """
    if offset + FRAME_HEAD_BYTES > len(data):
        return None
    length, sequence, crc, chain_hash = _FRAME_HEAD.unpack_from(data, offset)
    if length > MAX_PASSAGE_BYTES or not 0 < sequence <= MAX_SEQUENCE:
        return None
    end = offset + FRAME_HEAD_BYTES + length
    if end > len(data):
        return None
    rest = offset + _PREFIX.size + _CRC.size
    if crc != _crc32c(data[offset : offset + _PREFIX.size] + data[rest:end]):
        return None
    return Frame(offset, sequence, chain_hash, data[offset + FRAME_HEAD_BYTES : end])


def follows(previous: bytes, frame: Frame) -> bool:
    """Whether the frame's chain hash is the one that follows from `previous`."""
    return chained(previous, frame.sequence, frame.packed) == frame.chain_hash
