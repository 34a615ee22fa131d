"""A code seen in a picture, and the edge to zxing-cpp that sees it."""

from __future__ import annotations

import math
from typing import cast

import msgspec
import zxingcpp

from admission.reading import MAX_PAYLOAD_BYTES, MAX_TEXT_LENGTH, Symbology
from scanner.camera.port import Gray
from scanner.parts import Part

Corner = tuple[float, float]
Quad = tuple[Corner, Corner, Corner, Corner]

_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """One code in one picture.

    `quad` holds its corners (x, y) in pixels of the whole picture, clockwise from the code's own
    top left. `text` is untrusted, valid Unicode, and no longer than a door may hand on; `payload`
    holds the bytes that it was decoded from, bounded likewise. `version` and error correction
    `level` are a QR code's, None and empty where unknown; `module_px` is the mean side of a module
    (0 if unknown). `part` is set if the code is a part of a longer one.
    """

    text: str
    symbology: Symbology
    rung: str
    quad: Quad
    payload: bytes = b""
    version: int | None = None
    level: str = ""
    module_px: float = 0.0
    part: Part | None = None

    @property
    def area_px(self) -> float:
        """The quad's area: the nearest or largest code has the most."""
        sides = zip(self.quad, self.quad[1:] + self.quad[:1], strict=True)
        return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides)) / 2

    def moved(self, right_px: float, down_px: float, rung: str) -> Sighting:
        """Return this sighting in a picture that this one was cut out of at (right, down)."""
        a, b, c, d = ((x + right_px, y + down_px) for x, y in self.quad)
        return msgspec.structs.replace(self, rung=rung, quad=(a, b, c, d))


def sightings_in(
    gray: Gray, binarizer: zxingcpp.Binarizer, scale: tuple[float, float], rung: str
) -> list[Sighting]:
    """Return the QR codes that zxing-cpp reads in `gray` as it is, in no order.

    :param scale: pixels of `gray` across and down per pixel of the picture that quads refer to.
    """
    barcodes = zxingcpp.read_barcodes(
        gray,
        formats=_FORMATS,
        binarizer=binarizer,
        # What these three add costs twice the time on every picture; the ladder has rungs for it.
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [_sighting_of(barcode, scale, rung) for barcode in barcodes]


def _sighting_of(barcode: zxingcpp.Barcode, scale: tuple[float, float], rung: str) -> Sighting:
    quad, extra = _quad_of(barcode, scale), cast("dict[str, object]", barcode.extra)
    stated = str(extra.get("Version", ""))
    version = int(stated) if stated.isdecimal() else None
    return Sighting(
        text=_text_of(barcode),
        symbology=Symbology.QR_CODE,
        rung=rung,
        quad=quad,
        payload=bytes(barcode.bytes[:MAX_PAYLOAD_BYTES]),
        version=version,
        level=str(extra.get("ECLevel", "")),
        module_px=_mean_side_px(quad) / modules_across(version) if version else 0.0,
    )


def modules_across(version: int) -> int:
    """Return how many modules a QR code of `version` 1 to 40 is wide (ISO/IEC 18004, 5.3.1)."""
    return 17 + 4 * version


def _mean_side_px(quad: Quad) -> float:
    sides = zip(quad, quad[1:] + quad[:1], strict=True)
    return sum(math.dist(a, b) for a, b in sides) / len(quad)


def _quad_of(barcode: zxingcpp.Barcode, scale: tuple[float, float]) -> Quad:
    at, (across, down) = barcode.position, scale
    a, b, c, d = (
        (corner.x / across, corner.y / down)
        for corner in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    )
    return (a, b, c, d)


def _text_of(barcode: zxingcpp.Barcode) -> str:
    try:
        text: str = barcode.text
        text.encode()
    except UnicodeError:  # neither the symbol's ECI nor a guess gives text: keep what is UTF-8
        text = barcode.bytes.decode("utf-8", "replace")
    return text[: MAX_TEXT_LENGTH + 1]
