"""Which codes a site takes, and what zxing-cpp calls them."""

from __future__ import annotations

from collections.abc import Iterable

from zxingcpp import BarcodeFormat, BarcodeFormats

from admission.reading import Symbology
from scanner.errors import CameraError

_SQUARES = {
    # `QRCode` would take model 1, Micro QR and rMQR along.
    Symbology.QR_CODE: BarcodeFormat.QRCodeModel2,
    Symbology.MICRO_QR: BarcodeFormat.MicroQRCode,
    Symbology.RMQR: BarcodeFormat.RMQRCode,
}
"""Found by their finder patterns, in any direction, by all rungs."""
_OTHERS = {
    Symbology.AZTEC: BarcodeFormat.AztecCode,
    Symbology.DATA_MATRIX: BarcodeFormat.DataMatrix,
    Symbology.PDF417: BarcodeFormat.PDF417,
    Symbology.CODE_128: BarcodeFormat.Code128,
}
"""Each costs about as much again as the QR family on a picture; rungs of their own read them."""
_STRIPES = frozenset({Symbology.PDF417, Symbology.CODE_128})
_NAMES = {format_: symbology for symbology, format_ in (_SQUARES | _OTHERS).items()} | {
    BarcodeFormat.QRCode: Symbology.QR_CODE,
    BarcodeFormat.Aztec: Symbology.AZTEC,
    BarcodeFormat.CompactPDF417: Symbology.PDF417,
}
OPTICAL = frozenset(_SQUARES | _OTHERS)
"""What a camera can be asked to read."""


class Wanted:
    """The symbologies of one site, as the decoder takes them.

    :raises CameraError: none, or one that no camera reads.
    """

    def __init__(self, symbologies: Iterable[Symbology] = (Symbology.QR_CODE,)) -> None:
        self.symbologies = frozenset(symbologies)
        strange = sorted(self.symbologies - OPTICAL)
        if strange or not self.symbologies:
            msg = f"no camera reads {', '.join(strange) or 'nothing'}"
            raise CameraError(msg, hint=f"choose from {', '.join(sorted(OPTICAL))}")
        self.squares = _formats(_SQUARES, self.symbologies)
        """The QR family, or None."""
        self.others = _formats(_OTHERS, self.symbologies)
        """The rest, or None."""
        self.corrected = _formats(_SQUARES | _OTHERS, self.symbologies - {Symbology.CODE_128})
        """All that carry error correction, or None. Code 128 has but one check character modulo
        103: whoever reads it from twenty preparations of a picture reads it where it is not."""
        self.striped = bool(self.symbologies & _STRIPES)
        """Whether some of the rest are read along lines, and so must be looked for upright too."""


def symbology_of(format_: BarcodeFormat) -> Symbology | None:
    """Return what zxing-cpp's `format_` is called here, or None if it is never asked for."""
    return _NAMES.get(format_)


def _formats(
    known: dict[Symbology, BarcodeFormat], wanted: frozenset[Symbology]
) -> BarcodeFormats | None:
    chosen = [format_ for symbology, format_ in known.items() if symbology in wanted]
    return BarcodeFormats(chosen) if chosen else None


QR_ONLY = Wanted()
"""What a camera reads unless it is configured otherwise."""
