"""Pictures that lie, are cut, or are dear to decode; and how a hostile hand changes sound ones."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from hypothesis import strategies as st

from tests.scanner.camera.pictures import canvas, encoded, png_of_zeros, scene, with_jpeg_size

COLOUR = cv2.cvtColor(scene("a code"), cv2.COLOR_GRAY2BGR)
JPEG = encoded(COLOUR)
PROGRESSIVE = cv2.imencode(".jpg", COLOUR, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()


def segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """Each marker segment up to the first scan's header, with its bytes."""
    found, position = [], 2
    while True:
        marker = jpeg[position + 1]
        (length,) = struct.unpack_from(">H", jpeg, position + 2)
        found.append((marker, jpeg[position : position + 2 + length]))
        if marker == 0xDA:
            return found
        position += 2 + length


def without(jpeg: bytes, *markers: int) -> bytes:
    """The same picture without some of its segments."""
    head = segments(jpeg)
    rest = jpeg[2 + sum(len(part) for _, part in head) :]
    kept = b"".join(part for marker, part in head if marker not in markers)
    return jpeg[:2] + kept + rest


def with_app0(jpeg: bytes, name: bytes) -> bytes:
    body = name + bytes(14 - len(name))
    return jpeg[:2] + b"\xff\xe0" + struct.pack(">H", 16) + body + without(jpeg, 0xE0)[2:]


def with_scans(jpeg: bytes, total: int) -> bytes:
    """The same picture, its last scan said again and again until there are `total`."""
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * (total - jpeg.count(b"\xff\xda")) + jpeg[-2:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_with(*chunks: bytes) -> bytes:
    png = encoded(canvas(64, 64), ".png")
    return png[:33] + b"".join(chunks) + png[33:]


BOMB = zlib.compress(bytes(50_000_000), 9)

AS_CAMERAS_SEND_THEM = {
    "without Huffman tables": without(JPEG, 0xC4),
    "without Huffman tables, AVI1": with_app0(without(JPEG, 0xC4), b"AVI1\x00"),
    "with other APP0": with_app0(JPEG, b"CAM\x00\xff\xd8"),
    "zeros after the end": JPEG + bytes(5000),
    "fill bytes after the end": JPEG + b"\xff" * 5000,
    "a second picture after the end": JPEG + JPEG,
    "fill bytes between segments": JPEG[:2] + b"\xff" * 9 + JPEG[2:],
}

REFUSED = {
    "nothing": b"",
    "one byte": b"\xff",
    "start only": b"\xff\xd8",
    "start and end": b"\xff\xd8\xff\xd9",
    "garbage after the start": b"\xff\xd8" + bytes(range(256)) * 40,
    "one byte less": JPEG[:-1],
    "the end marker less": JPEG[:-2],
    "half": JPEG[: len(JPEG) // 2],
    "10,000 x 10,000 PNG": png_of_zeros(10_000, 10_000),
    "10,000 x 10,000 JPEG": with_jpeg_size(JPEG, 10_000, 10_000),
    "65,535 x 65,535 JPEG": with_jpeg_size(JPEG, 65_535, 65_535),
    "65,535 x 1 JPEG": with_jpeg_size(JPEG, 65_535, 1),
    "no height, as if it came later (DNL)": with_jpeg_size(JPEG, 640, 0),
    "a thousand scans": with_scans(PROGRESSIVE, 1000),
    "a thousand scans, baseline": with_scans(JPEG, 1000),
    "no quantisation tables": without(JPEG, 0xDB),
    "no size": without(JPEG, 0xC0),
    "arithmetic coding without its tables": JPEG.replace(b"\xff\xc0", b"\xff\xcb", 1),
    "ten thousand segments": JPEG[:2] + b"\xff\xfe\x00\x02" * 10_000 + JPEG[2:],
    "a segment that begins before itself": JPEG[:2] + b"\xff\xfe\x00\x00" + JPEG[2:],
    "a segment beyond the end": JPEG[:2] + b"\xff\xfe\xff\xff" + JPEG[2:20],
    "PNG with a chunk of 2 GB": _png_with(struct.pack(">I4s", 0x7FFFFFFF, b"tEXt")),
    "PNG of chunks without end": _png_with(_chunk(b"tEXt", b"") * 20_000),
    "PNG without its end": encoded(canvas(64, 64), ".png")[:-12],
    "BMP larger than any": b"BM" + bytes(12) + struct.pack("<Iii", 40, 40_000, -40_000) + bytes(40),
    "PNM larger than any": b"P5 99999 99999 255 ",
    "GIF": b"GIF89a" + struct.pack("<HH", 100, 100) + bytes(100),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='99999' height='99999'/>",
}

BOUNDED = {
    "smaller in its header": with_jpeg_size(JPEG, 64, 48),
    "larger in its header": with_jpeg_size(JPEG, 4096, 4096),
    "PNG, which no camera sends": encoded(canvas(64, 64), ".png"),
    "4,096 x 4,096 PNG of 4 KiB": png_of_zeros(4096, 4096),
    "a row of one pixel": encoded(np.zeros((1, 5000), np.uint8)),
    "a column of one pixel": encoded(np.zeros((5000, 1), np.uint8)),
    "32 scans": with_scans(PROGRESSIVE, 32),
    "PNG with a text of 50 MB in 50 KB": _png_with(_chunk(b"zTXt", b"a\0\0" + BOMB)),
    "PNG with a profile of 50 MB in 50 KB": _png_with(_chunk(b"iCCP", b"a\0\0" + BOMB)),
    "PNG that claims a thousand frames": _png_with(_chunk(b"acTL", struct.pack(">II", 1000, 0))),
}
"""Decoded or refused, but never more than their pixels' worth of time and memory."""

SEEDS = [
    JPEG,
    PROGRESSIVE,
    without(JPEG, 0xC4),
    encoded(canvas(37, 21)),
    encoded(canvas(64, 48), ".png"),
    encoded(canvas(64, 48), ".webp"),
    encoded(canvas(64, 48), ".bmp"),
    encoded(canvas(64, 48), ".pgm"),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sound picture after a few changes: bytes overwritten, cut out, put in, said twice."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.binary(min_size=1, max_size=8))
        length = draw(st.integers(1, 200))
        match draw(st.sampled_from(["overwrite", "cut", "insert", "double", "truncate"])):
            case "overwrite":
                data = data[:at] + piece + data[at + len(piece) :]
            case "cut":
                data = data[:at] + data[at + length :]
            case "insert":
                data = data[:at] + piece + data[at:]
            case "double":
                data = data[:at] + data[at : at + length] * 2 + data[at + length :]
            case _:
                data = data[:at] + data[-2:]
    return data
