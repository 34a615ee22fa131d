"""A code seen in a picture, and the edge to zxing-cpp that sees it."""

from __future__ import annotations

from typing import cast

import msgspec
import zxingcpp

from admission.reading import MAX_PAYLOAD_BYTES, MAX_TEXT_LENGTH, Symbology
from scanner.camera.appended import part_of
from scanner.camera.port import Gray
from scanner.camera.regions import Quad, area_of, mean_side_of, shifted
from scanner.camera.symbol.structure import Level, size_of
from scanner.camera.symbologies import symbology_of
from scanner.errors import DecoderError
from scanner.parts import Part

__all__ = ["Quad", "Sighting", "sighting_of", "sightings_in"]


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
        return area_of(self.quad)

    def moved(self, right_px: float, down_px: float, rung: str) -> Sighting:
        """Return this sighting in a picture that this one was cut out of at (right, down)."""
        return msgspec.structs.replace(self, rung=rung, quad=shifted(self.quad, right_px, down_px))


def sightings_in(
    gray: Gray,
    formats: zxingcpp.BarcodeFormats,
    binarizer: zxingcpp.Binarizer,
    scale: tuple[float, float],
    rung: str,
    *,
    turned: bool = False,
) -> list[Sighting]:
    """Return the codes of `formats` that zxing-cpp reads in `gray` as it is, in no order.

    :param scale: pixels of `gray` across and down per pixel of the picture that quads refer to.
    :param turned: look for what is read along lines in upright lines, too.
    :raises DecoderError: as `sighting_of`.
    """
    barcodes = zxingcpp.read_barcodes(
        gray,
        formats=formats,
        binarizer=binarizer,
        try_rotate=turned,
        # What these two add costs twice the time on every picture; the ladder has rungs for it.
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [
        sighting
        for barcode in barcodes
        if (sighting := sighting_of(barcode, rung, _quad_of(barcode, scale))) is not None
    ]


def sighting_of(barcode: zxingcpp.Barcode, rung: str, quad: Quad) -> Sighting | None:
    """Return the sighting of what zxing-cpp read at `quad`; None if it is no code of ours.

    :raises DecoderError: it may be a part of a longer code, or not.
    """
    symbology = symbology_of(barcode.format)
    if symbology is None:
        return None
    extra = cast("dict[str, object]", barcode.extra or {})
    stated = str(extra.get("Version", ""))
    is_qr = symbology is Symbology.QR_CODE and stated.isdecimal()
    version = int(stated) if is_qr else None
    level = str(extra.get("ECLevel", "")) if is_qr else ""
    part = part_of(barcode, version, Level[level], _mask_of(extra)) if version else None
    return Sighting(
        text=_text_of(barcode),
        symbology=symbology,
        rung=rung,
        quad=quad,
        payload=bytes(barcode.bytes[:MAX_PAYLOAD_BYTES]),
        version=version,
        level=level,
        module_px=mean_side_of(quad) / size_of(version) if version else 0.0,
        part=part,
    )


def _mask_of(extra: dict[str, object]) -> int:
    mask = extra.get("DataMask")
    if not isinstance(mask, int):
        raise DecoderError("a QR code that was read does not tell its mask")
    return mask


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
