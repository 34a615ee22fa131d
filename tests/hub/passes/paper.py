"""What is on a printed page: the filled boxes of a PDF as they stand in it, and a picture."""

from __future__ import annotations

import base64
import io
import re
import zlib
from collections.abc import Iterator

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image

MM_PER_POINT = 25.4 / 72

Gray = NDArray[np.uint8]
Boxes = NDArray[np.float64]
"""Rows of left, top, right, bottom in mm from the upper left corner."""


def page_sizes(pdf: bytes) -> list[tuple[float, float]]:
    """Width and height of each page, mm."""
    boxes = re.findall(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", pdf)
    return [(float(w) * MM_PER_POINT, float(h) * MM_PER_POINT) for w, h in boxes]


def page_boxes(pdf: bytes) -> list[Boxes]:
    """The filled boxes of each page that has some."""
    sizes = iter(page_sizes(pdf))
    return [_boxes(content, next(sizes)[1]) for content in _contents(pdf)]


def drawn(boxes: Boxes, size_mm: tuple[float, float], dpi: int) -> Gray:
    """The page as a printer of this resolution fills it, without its texts."""
    scale = dpi / 25.4
    width, height = (round(side * scale) for side in size_mm)
    image = np.full((height, width), 255, np.uint8)
    for left, top, right, bottom in np.rint(boxes * scale).astype(int):
        image[top:bottom, left:right] = 0
    return image


def picture(png: bytes) -> tuple[Gray, float]:
    """A PNG's pixels and resolution, dpi."""
    image = Image.open(io.BytesIO(png))
    return np.asarray(image.convert("L")), float(image.info["dpi"][0])


def extent(boxes: Boxes) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of everything that is filled, mm."""
    low, high = boxes.min(axis=0), boxes.max(axis=0)
    return float(low[0]), float(low[1]), float(high[2]), float(high[3])


def texts_in(image: Gray) -> set[str]:
    """What the codes in a picture say."""
    return {
        code.text for code in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    }


def _contents(pdf: bytes) -> Iterator[str]:
    for packed in re.findall(
        rb"/ASCII85Decode /FlateDecode \].*?stream\r?\n(.*?)endstream", pdf, re.DOTALL
    ):
        content = zlib.decompress(base64.a85decode(packed.strip().removesuffix(b"~>")))
        if b" re" in content:
            yield content.decode("latin-1")


def _boxes(content: str, height_mm: float) -> Boxes:
    number = r"(-?[0-9.]+)"
    found = re.findall(rf"{number} {number} {number} {number} re", content)
    x, y, width, height = np.array(found, float).T * MM_PER_POINT
    return np.stack([x, height_mm - y - height, x + width, height_mm - y], axis=1)
