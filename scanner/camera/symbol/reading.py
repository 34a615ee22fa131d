"""An exact symbol becomes a barcode: zxing-cpp reads it.

So modes, ECI, FNC1, kanji and structured append mean here what they mean on every other rung.
"""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanner.camera.symbol.structure import version_of

QUIET_ZONE_MODULES = 4
"""Light modules around a symbol (6.3.8)."""

# Not QRCodeModel2: zxing-cpp 3.1 reads no pure picture when asked for that one.
_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def read_matrix(matrix: NDArray[np.bool_]) -> zxingcpp.Barcode | None:
    """Return what an exact symbol (dark True, without quiet zone) says; None if it says nothing.

    zxing-cpp must find it as undamaged as it is and of the version that its size says: a symbol
    that it had to correct, or took for another one, is not the one that was handed in.
    """
    version = version_of(matrix.shape[0])
    if version is None or matrix.shape != (matrix.shape[0],) * 2:
        return None
    barcode = read_as_seen(matrix)
    if barcode is None or not barcode.valid or not barcode.bytes:
        return None
    undamaged = {"Version": str(version), "UEC": 1.0}
    about = barcode.extra
    if not isinstance(about, dict) or not undamaged.items() <= about.items():
        return None
    return barcode


def read_as_seen(matrix: NDArray[np.bool_]) -> zxingcpp.Barcode | None:
    """Return what zxing-cpp makes of modules that need not be exact; None if it finds no symbol.

    Whether the barcode is valid is the caller's to ask.
    """
    # One pixel a module: for a pure picture zxing-cpp needs no more.
    picture = np.pad(
        np.where(matrix, 0, 255).astype(np.uint8), QUIET_ZONE_MODULES, constant_values=255
    )
    return zxingcpp.read_barcode(
        picture,
        formats=_FORMATS,
        binarizer=zxingcpp.Binarizer.FixedThreshold,
        is_pure=True,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )
