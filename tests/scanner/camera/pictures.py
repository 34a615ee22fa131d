"""Pictures for tests: codes drawn on a canvas, and files that lie about themselves."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import segno

from scanner.camera.port import Encoding, Frame, Gray


def code(text: str, module_px: int = 4, border: int = 4) -> Gray:
    """A QR code, black on white, with its quiet zone."""
    matrix = np.array([list(row) for row in segno.make(text, micro=False).matrix], np.uint8)
    picture = np.pad(np.where(matrix, 0, 255).astype(np.uint8), border, constant_values=255)
    return np.kron(picture, np.ones((module_px, module_px), np.uint8))


def canvas(width_px: int = 640, height_px: int = 480, level: int = 128) -> Gray:
    return np.full((height_px, width_px), level, np.uint8)


def place(onto: Gray, picture: Gray, left_px: int, top_px: int) -> Gray:
    placed = onto.copy()
    height, width = picture.shape
    placed[top_px : top_px + height, left_px : left_px + width] = picture
    return placed


def scene(text: str, left_px: int = 200, top_px: int = 120, module_px: int = 4) -> Gray:
    return place(canvas(), code(text, module_px), left_px, top_px)


def encoded(picture: Gray, suffix: str = ".jpg") -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


def mjpeg_frame(picture: Gray, sequence: int = 0, captured_ns: int = 0) -> Frame:
    height, width = picture.shape
    return Frame(encoded(picture), Encoding.MJPEG, width, height, captured_ns, sequence)


def gray_frame(picture: Gray, sequence: int = 0, captured_ns: int = 0) -> Frame:
    height, width = picture.shape
    return Frame(picture, Encoding.GRAY, width, height, captured_ns, sequence)


def png_of_zeros(width_px: int, height_px: int) -> bytes:
    """A valid 1-bit PNG of any size, small as a file: 10,000 x 10,000 pixels in 12 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width_px, height_px, 1, 0, 0, 0, 0)
    row = b"\x00" + bytes((width_px + 7) // 8)
    packer = zlib.compressobj()
    rows = b"".join(packer.compress(row) for _ in range(height_px)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def with_jpeg_size(jpeg: bytes, width_px: int, height_px: int) -> bytes:
    """The same JPEG, claiming another size in its header."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height_px, width_px) + jpeg[at + 9 :]
