"""Pictures with soft edges that are pasted into a frame."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""Colour picture: `uint8`, shape (height, width, 3), blue-green-red."""
Tone: TypeAlias = tuple[int, int, int]
"""One colour, blue-green-red."""
Weight: TypeAlias = NDArray[np.float32]
"""Opacity per pixel, 0 to 1: `float32`, shape (height, width)."""
Mask: TypeAlias = NDArray[np.uint8]
"""Opacity per pixel, 0 to 255: `uint8`, shape (height, width)."""


def as_picture(pixels: NDArray[Any]) -> Picture:
    """Return the pixels rounded into 0 to 255 (OpenCV's own types do not say that they are)."""
    if pixels.dtype == np.uint8:
        return cast("Picture", pixels)
    rounded: Picture = np.clip(pixels, 0, 255).astype(np.uint8)
    return rounded


class Sprite:
    """A picture and its opacity, prepared once so that pasting costs little per frame."""

    def __init__(self, picture: Picture, mask: Mask) -> None:
        self.picture = picture
        self._over: Weight = mask.astype(np.float32) / np.float32(255)
        self._under: Weight = np.float32(1) - self._over

    def paste(self, canvas: Picture, left: int, top: int) -> tuple[slice, slice] | None:
        """Draw onto `canvas` with the corner at (`left`, `top`), which may lie outside.

        Return the rows and columns that were drawn on, or None where nothing is inside.
        """
        height, width = self._over.shape
        y0, y1 = max(top, 0), min(top + height, canvas.shape[0])
        x0, x1 = max(left, 0), min(left + width, canvas.shape[1])
        if y0 >= y1 or x0 >= x1:
            return None
        inner = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        target = canvas[y0:y1, x0:x1]
        target[:] = cv2.blendLinear(
            self.picture[inner], target, self._over[inner], self._under[inner]
        )
        return slice(y0, y1), slice(x0, x1)


def smooth_noise(
    shape: tuple[int, int], grain_px: float, strength: float, noise: np.random.Generator
) -> NDArray[Any]:
    """Return cloudy texture (`float32`, shape `shape`, mean about 0, sigma `strength`)."""
    small = (max(2, int(shape[0] / grain_px)), max(2, int(shape[1] / grain_px)))
    grains = noise.normal(0, strength, small).astype(np.float32)
    return cv2.resize(grains, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
