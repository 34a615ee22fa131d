"""Structured append: which part of a longer message a QR code says it is.

zxing-cpp's Python wheel does not tell. It hands out the modules that it sampled, though, and the
header is at the very beginning of them: mode indicator 0011, index, count less one, parity (ISO/IEC
18004:2015, 7.4.2 and 8.2), 20 bits of the first block's first three codewords.
"""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from scanner.camera.symbol.blocks import layout
from scanner.camera.symbol.reed_solomon import correct_block, syndromes
from scanner.camera.symbol.structure import Level, data_order, mask_pattern, size_of
from scanner.errors import DecoderError
from scanner.parts import Part

_APPENDED = 0b0011
_MIRRORED = (False, True)


def part_of(barcode: zxingcpp.Barcode, version: int, level: Level, mask: int) -> Part | None:
    """Return which part a QR code (model 2) that was read is; None if it is a code of its own.

    :raises DecoderError: its modules do not say, so that it can be taken for neither.
    """
    dark = np.array(barcode.to_image(scale=1, add_quiet_zones=False)) == 0
    if dark.shape != (size_of(version),) * 2:
        raise DecoderError("the modules of a QR code that was read are missing")
    for mirrored in _MIRRORED:
        word = _first_block(dark.T if mirrored else dark, version, level, mask)
        correction = layout(version, level).correction
        corrected = correct_block(word, syndromes(word[None], correction)[0])
        if corrected is not None:
            return _header(corrected)
    raise DecoderError("the first block of a QR code that was read cannot be corrected")


def _first_block(
    dark: NDArray[np.bool_], version: int, level: Level, mask: int
) -> NDArray[np.uint8]:
    order = data_order(version)
    codewords = order[: len(order) // 8 * 8].reshape(-1, 8)
    places = codewords[layout(version, level).blocks[0]]
    bits = dark.ravel()[places] ^ mask_pattern(mask, version).ravel()[places]
    return np.packbits(bits, axis=1)[:, 0]


def _header(codewords: NDArray[np.uint8]) -> Part | None:
    bits = int.from_bytes(codewords[:3].tobytes(), "big") >> 4
    mode, index, last, parity = bits >> 16, bits >> 12 & 15, bits >> 8 & 15, bits & 255
    return Part(index, last + 1, str(parity)) if mode == _APPENDED else None
