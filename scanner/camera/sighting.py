"""A code seen in a picture, and the edge to zxing-cpp that sees it."""

from __future__ import annotations

import msgspec
import zxingcpp

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.camera.port import Gray

Corner = tuple[float, float]
Quad = tuple[Corner, Corner, Corner, Corner]

_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """One code in one picture.

    `quad` holds its corners (x, y) in pixels of the whole picture, clockwise from the code's own
    top left. `text` is untrusted, valid Unicode, and no longer than a door may hand on.
    """

    text: str
    symbology: Symbology
    rung: str
    quad: Quad

    @property
    def area_px(self) -> float:
        """The quad's area: the nearest or largest code has the most."""
        sides = zip(self.quad, self.quad[1:] + self.quad[:1], strict=True)
        return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides)) / 2

    def moved(self, right_px: float, down_px: float, rung: str) -> Sighting:
        """Return this sighting in a picture that this one was cut out of at (right, down)."""
        a, b, c, d = ((x + right_px, y + down_px) for x, y in self.quad)
        return Sighting(self.text, self.symbology, rung, (a, b, c, d))


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
    return [
        Sighting(_text_of(barcode), Symbology.QR_CODE, rung, _quad_of(barcode, scale))
        for barcode in barcodes
    ]


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
