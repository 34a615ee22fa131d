"""Whether a picture is full of finder patterns: a decoder pairs each of them with each other one.

zxing-cpp needs 0.1 s for 6,000 of them and three seconds for 50,000, in each rung, whatever a
picture's size. No honest picture has a hundred.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray

CROWDED = 1000
"""Finder patterns beyond which a picture is not worth a decoder's time: 15 ms in each rung."""
_ROWS = 32
_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples lie unevenly: patterns at even distances would else be all met or all missed."""
_SAMPLE = 250
"""Places that are looked at closely."""
_WINDOW_PX = 65
_MODULES = 7
_MIDDLE_MODULES = 3
"""A row meets a finder pattern's rings in the proportion 1:1:3:1:1 where it crosses its middle."""
_SHIFTS = np.array([-1, 0, 1])
"""The row crosses the middle's upper, mean or lower module."""
_RINGS = np.array([-4, -3, -2, -1, 0, 1, 2, 3, 4])
_AS_MIDDLE = np.array([False, True, False, True, True, True, False, True, False])
"""Modules up and down from the centre, and whether they are as dark as it is."""


def is_crowded(gray: Gray) -> bool:
    """Return whether more finder patterns than `CROWDED` are in a picture, by a sample of rows."""
    return finder_patterns_about(gray) > CROWDED


def finder_patterns_about(gray: Gray) -> float:
    """Return about how many finder patterns are in a picture, or fewer than `CROWDED` at most."""
    height, width = gray.shape
    step = max(1, height // _ROWS)
    numbers = np.arange(height // step)
    rows = numbers * step + (numbers * _GOLDEN % 1 * step).astype(np.intp)
    if width < _MODULES:
        return 0.0
    strips = np.ascontiguousarray(gray[rows])
    means = cv2.blur(strips, (_WINDOW_PX, 1), borderType=cv2.BORDER_REPLICATE)
    starts, runs = _runs(strips < means)
    # The middle is about as long as the runs on its sides together, and these are alike.
    middle = runs[2:-2]
    near = runs[1:-3] + runs[3:-1]
    alike = np.flatnonzero((middle > near) & (middle < 2 * near))
    outer, inner = runs[alike] + runs[alike + 4], near[alike]
    kept = np.abs(outer - inner) <= np.maximum(1, inner // 2)
    alike = alike[kept]
    module = (outer[kept] + inner[kept] + middle[alike]) / _MODULES
    at_most = float((step / (_MIDDLE_MODULES * module)).sum())
    if at_most <= CROWDED:  # whether they have rings above and below makes no difference
        return at_most
    every = len(alike) // _SAMPLE + 1
    alike, module = alike[::every], module[::every]
    at = starts[alike + 2] + runs[alike + 2] // 2
    row, column = at // width, at % width
    threshold = means[row, column]
    middle_dark = strips[row, column] < threshold
    # One gather for all: (shift, ring above or below, place).
    away = np.rint((_SHIFTS[:, None] + _RINGS)[:, :, None] * module).astype(np.intp)
    beyond = np.clip(rows[row] + away, 0, height - 1)
    as_middle = (gray[beyond, column] < threshold) == middle_dark
    ringed = (as_middle == _AS_MIDDLE[None, :, None]).all(axis=1).any(axis=0)
    return every * float((step / (_MIDDLE_MODULES * module[ringed])).sum())


def _runs(dark: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where runs of one brightness begin in the flattened rows, and their lengths."""
    changes = np.empty(dark.shape, np.bool_)
    changes[:, 0] = True
    np.not_equal(dark[:, 1:], dark[:, :-1], out=changes[:, 1:])
    starts = np.flatnonzero(changes)
    return starts, np.diff(starts, append=dark.size)
