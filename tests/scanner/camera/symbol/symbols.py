"""Symbols drawn by segno, and what happens to them on the way to a gate."""

from __future__ import annotations

import numpy as np
import segno
from numpy.typing import NDArray

from scanner.camera.symbol.structure import Level, data_order, mask_pattern

Matrix = NDArray[np.bool_]
Values = NDArray[np.float32]


def symbol(text: str, version: int, level: Level, mask: int | None = None) -> Matrix:
    """A symbol of exactly this version and level."""
    code = segno.make(
        text, version=version, error=level.name, mask=mask, boost_error=False, micro=False
    )
    return np.array([list(row) for row in code.matrix], np.bool_)


def certain(matrix: Matrix) -> Values:
    """What a perfect picture would show."""
    return np.where(matrix, 1, -1).astype(np.float32)


def codewords_in(matrix: Matrix, version: int, mask: int) -> NDArray[np.uint8]:
    """The codewords as they lie in the symbol."""
    order = data_order(version)
    bits = (matrix ^ mask_pattern(mask, version)).ravel()[order[: len(order) // 8 * 8]]
    return np.packbits(bits)


def with_noise(matrix: Matrix, deviation: float, random: np.random.Generator) -> Values:
    """Soft values of a bad picture: about deviation 0.6 turns 5 % of the modules over."""
    noise = random.normal(0, deviation, matrix.shape)
    return (certain(matrix) + noise).clip(-1, 1).astype(np.float32)
