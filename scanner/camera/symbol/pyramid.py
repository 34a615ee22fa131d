"""A picture at power-of-two scales, each made when it is first asked for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray

LARGEST_LEVEL, SMALLEST_LEVEL = 2, -4
_MAX_PIXELS = 12_000_000
"""What an enlargement may grow to; whatever is larger already has pixels enough."""


class Pyramid:
    """One picture at scales 1/16 to 4. Not for use by two threads at once."""

    def __init__(self, gray: Gray) -> None:
        self._levels: dict[int, Gray] = {0: np.ascontiguousarray(gray)}

    @property
    def whole(self) -> Gray:
        """The picture itself."""
        return self._levels[0]

    def level_for(self, module_px: float, wanted_px: float) -> int:
        """Return the level at which a module of `module_px` is nearest to `wanted_px` in size.

        Large pictures are not enlarged beyond `_MAX_PIXELS`, nor any beyond the levels there are.
        """
        level = int(np.rint(np.log2(wanted_px / max(module_px, 1e-3))))
        level = min(max(level, SMALLEST_LEVEL), LARGEST_LEVEL)
        while level > 0 and self.whole.size * 4**level > _MAX_PIXELS:
            level -= 1
        return level

    def level(self, level: int) -> Gray:
        """Return the picture at scale 2**`level`."""
        if level not in self._levels:
            height, width = self.whole.shape
            scale = 2.0**level
            size = max(1, round(width * scale)), max(1, round(height * scale))
            kind = cv2.INTER_AREA if level < 0 else cv2.INTER_CUBIC
            picture = cv2.resize(self.whole, size, interpolation=kind)
            self._levels[level] = picture.astype(np.uint8, copy=False)
        return self._levels[level]


def at_level(points: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """Return `points` (pixel centres of the whole picture) in pixels of `level`."""
    moved: NDArray[np.float64] = (points + 0.5) * 2.0**level - 0.5
    return moved


def from_level(points: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """Return `points` of `level` in pixels of the whole picture."""
    moved: NDArray[np.float64] = (points + 0.5) / 2.0**level - 0.5
    return moved
