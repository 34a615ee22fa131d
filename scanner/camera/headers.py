"""What a picture file says of itself, read before any decoder touches it.

A decoder allocates what the header asks for: a header is hostile until its size was judged. Only
the kinds that are parsed here ever reach the decoder.
"""

from __future__ import annotations

import re
import struct
from enum import StrEnum

import msgspec

from scanner.errors import PictureDamagedError

_JPEG_SIZED = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 (ITU-T T.81, B.1.1.3)
_JPEG_BARE = frozenset([0x01, *range(0xD0, 0xD8)])  # TEM and RSTn carry no length
_JPEG_BASELINE = frozenset([0xC0, 0xC1])  # one pass over the picture, Huffman-coded
_JPEG_SEGMENTS_MAX = 512
_JPEG_SCANS_MAX = 32
"""A decoder goes over the whole picture once for every scan, however few bytes it has. Encoders
make some ten of them for a progressive picture."""
_JPEG_BASELINE_SCANS_MAX = 4
"""One, or one for each of at most four components (B.2.3)."""
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # what ends entropy-coded data (B.1.1.5)
_PNG_CHUNKS_MAX = 16_384
_PNM = re.compile(rb"P[2356](?:\s|#[^\n]{0,256}\n)+(\d{1,6})\s+(\d{1,6})\s+(\d{1,5})\s")


class PictureKind(StrEnum):
    """The picture files that this appliance reads."""

    JPEG = "jpeg"
    PNG = "png"
    BMP = "bmp"
    WEBP = "webp"
    PNM = "pnm"


class PictureHeader(msgspec.Struct, frozen=True, gc=False):
    """Kind and size as the file claims them. Both sizes are at least 1."""

    kind: PictureKind
    width_px: int
    height_px: int


def header_of(data: bytes, *, baseline: bool = False) -> PictureHeader:
    """Return what the file says of itself, having seen that its end is there where a kind has one.

    :param baseline: whether it must be a sequential, Huffman-coded JPEG, as cameras' frames are.
    :raises PictureDamagedError: no known kind, malformed, an empty picture, truncated, or costlier
        to decode than a picture needs to be.
    """
    if not data:
        raise PictureDamagedError("the picture is empty: it has no bytes")
    for magic, kind, size_of in _KINDS:
        if data.startswith(magic) and (kind is PictureKind.JPEG or not baseline):
            try:
                width, height = size_of(data, baseline)
            except (struct.error, IndexError, ValueError) as error:
                msg = f"the {kind} header is cut short"
                raise PictureDamagedError(msg) from error
            if width < 1 or height < 1:
                msg = f"the {kind} header states {width} x {height} pixels"
                raise PictureDamagedError(msg)
            return PictureHeader(kind, width, height)
    if baseline:
        raise PictureDamagedError("not a jpeg", hint="choose the camera's motion JPEG mode")
    raise PictureDamagedError(
        "not a picture of a known kind",
        hint="JPEG, PNG, BMP, WebP and PNM pictures are read",
    )


def _jpeg_size(data: bytes, baseline: bool) -> tuple[int, int]:
    """Walk all segments to the end marker, as a decoder does: in time linear to the bytes.

    A cut-off picture decodes to a gray rest without an error: the end marker tells it apart.
    Whatever a camera pads its frames with comes after it.
    """
    position, size, scans = 2, None, 0
    for _ in range(_JPEG_SEGMENTS_MAX):
        position, marker = _jpeg_marker(data, position)
        if marker == 0xD9:
            break
        if marker in _JPEG_BARE:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2:
            raise PictureDamagedError("the jpeg has a segment of no length")
        if marker in _JPEG_SIZED:
            if size is not None:
                raise PictureDamagedError("the jpeg states its size twice")
            if baseline and marker not in _JPEG_BASELINE:
                raise PictureDamagedError("the jpeg is not a baseline one, as cameras make")
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = (width, height)
        position += length
        if marker == 0xDA:
            scans += 1
            _judge_scans(scans, size is not None, baseline)
            position = _jpeg_scan_end(data, position)
    else:
        raise PictureDamagedError("the jpeg has more segments than a picture needs")
    if size is None or not scans:
        raise PictureDamagedError("the jpeg has no picture")
    return size


def _jpeg_marker(data: bytes, position: int) -> tuple[int, int]:
    """Return the place after the marker at `position`, and the marker."""
    if data[position] != 0xFF:
        raise PictureDamagedError("the jpeg has bytes between its segments")
    position += 1
    while data[position] == 0xFF:  # fill bytes (B.1.1.2)
        position += 1
    if data[position] == 0x00:
        raise PictureDamagedError("the jpeg has bytes between its segments")
    return position + 1, data[position]


def _judge_scans(scans: int, sized: bool, baseline: bool) -> None:
    if not sized:
        raise PictureDamagedError("the jpeg has a scan before its size")
    limit = _JPEG_BASELINE_SCANS_MAX if baseline else _JPEG_SCANS_MAX
    if scans > limit:
        msg = f"the jpeg has more than {limit} scans"
        raise PictureDamagedError(msg)


def _jpeg_scan_end(data: bytes, position: int) -> int:
    end = _JPEG_MARKER.search(data, position)
    if end is None:
        raise PictureDamagedError("the jpeg is truncated")
    return end.start()


def _png_size(data: bytes, _: bool) -> tuple[int, int]:
    """Walk all chunks to the last: a decoder makes room for the length that each one claims."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise PictureDamagedError("the png does not begin with its header chunk")
    position = 8
    for _chunk in range(_PNG_CHUNKS_MAX):
        length, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        if position > len(data):
            raise PictureDamagedError("the png is truncated")
        if kind == b"IEND":
            return width, height
    raise PictureDamagedError("the png has more chunks than a picture needs")


def _bmp_size(data: bytes, _: bool) -> tuple[int, int]:
    (header_length,) = struct.unpack_from("<I", data, 14)
    if header_length == 12:  # BITMAPCOREHEADER
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)  # negative: rows from the top


def _webp_size(data: bytes, _: bool) -> tuple[int, int]:
    (riff_length,) = struct.unpack_from("<I", data, 4)
    if data[8:12] != b"WEBP":
        raise PictureDamagedError("a RIFF file that is no WebP picture")
    if riff_length + 8 > len(data):
        raise PictureDamagedError("the webp is truncated")
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            canvas = data[24:30]
            width, height = (int.from_bytes(canvas[at : at + 3], "little") for at in (0, 3))
            return width + 1, height + 1
        case _:
            raise PictureDamagedError("a WebP picture of an unknown kind")


def _pnm_size(data: bytes, _: bool) -> tuple[int, int]:
    match = _PNM.match(data[:1024])
    if match is None:
        raise PictureDamagedError("the pnm header is malformed")
    return int(match[1]), int(match[2])


_KINDS = (
    (b"\xff\xd8", PictureKind.JPEG, _jpeg_size),
    (b"\x89PNG\r\n\x1a\n", PictureKind.PNG, _png_size),
    (b"BM", PictureKind.BMP, _bmp_size),
    (b"RIFF", PictureKind.WEBP, _webp_size),
    (b"P2", PictureKind.PNM, _pnm_size),
    (b"P3", PictureKind.PNM, _pnm_size),
    (b"P5", PictureKind.PNM, _pnm_size),
    (b"P6", PictureKind.PNM, _pnm_size),
)
