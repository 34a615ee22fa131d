"""Where finder patterns are: runs of dark and light as 1:1:3:1:1 along rows and columns.

Every straight line through the middle of a finder pattern cuts it in these proportions (ISO/IEC
18004:2015, 6.3.3), turned and tilted too. Whole pictures are searched at once by array arithmetic.
"""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray

_TOLERANCE = 0.5
_MAX_RUNS = 20_000
"""Matching runs of one direction that are looked into: a picture made of nothing but finder
patterns must not cost more than that."""
_BAND_PIXELS = 1_000_000
"""Rows are searched some at a time: noise changes at every other pixel, and each change takes a
hundred bytes while it is looked into."""
_MAX_PATTERNS = 64
_SMALLEST_PX = 7


class FinderPattern(msgspec.Struct, frozen=True, gc=False):
    """Something like a finder pattern: its middle and its size along rows and columns, in pixels.

    `support` grows with the rows and columns that agree on it, and with each picture that shows it.
    """

    x: float
    y: float
    across_px: float
    down_px: float
    support: int

    @property
    def size_px(self) -> float:
        """The mean of both: its side, or up to 1.4 times that if it is turned."""
        return float(np.sqrt(self.across_px * self.down_px))

    def scaled(self, across: float, down: float) -> FinderPattern:
        """Return the pattern in a picture enlarged by these factors."""
        return FinderPattern(
            (self.x + 0.5) * across - 0.5,
            (self.y + 0.5) * down - 0.5,
            self.across_px * across,
            self.down_px * down,
            self.support,
        )


def finder_patterns(dark: Gray) -> list[FinderPattern]:
    """Return the finder patterns in a picture of 1 for dark and 0 for light, best supported first.

    At most `_MAX_PATTERNS` are returned, whatever the picture.
    """
    rows = _stacked(_runs(dark))
    columns = _stacked(_runs(np.ascontiguousarray(dark.T)))
    if not len(rows) or not len(columns):
        return []
    return merged(_crossings(rows, columns))


def merged(patterns: list[FinderPattern]) -> list[FinderPattern]:
    """Return `patterns` without those that lie within a better supported one, which gains by it."""
    kept: list[FinderPattern] = []
    for pattern in sorted(patterns, key=lambda each: -each.support):
        reach_px = 0.4 * pattern.size_px
        for place, other in enumerate(kept):
            if abs(other.x - pattern.x) < reach_px and abs(other.y - pattern.y) < reach_px:
                support = other.support + pattern.support
                kept[place] = msgspec.structs.replace(other, support=support)
                break
        else:
            if len(kept) < _MAX_PATTERNS:
                kept.append(pattern)
    return sorted(kept, key=lambda each: -each.support)


def _runs(dark: Gray) -> NDArray[np.float64]:
    """Return (x, y, length) of the stretches of rows in the finder's proportions.

    Of more than `_MAX_RUNS` some are left out, evenly.
    """
    height, width = dark.shape
    band = max(1, _BAND_PIXELS // max(1, width))
    found = [np.empty((0, 3))]
    for top in range(0, height, band):
        runs = _runs_of_band(dark[top : top + band])
        runs[:, 1] += top
        found.append(runs)
    runs = np.concatenate(found)
    return runs[:: len(runs) // _MAX_RUNS + 1] if len(runs) > _MAX_RUNS else runs


def _runs_of_band(dark: Gray) -> NDArray[np.float64]:
    height, width = dark.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = dark
    # Each row begins and ends light, so changes come in pairs: dark from the first to the second.
    changes = np.flatnonzero(padded.ravel()[1:] != padded.ravel()[:-1]) + 1
    begins, ends = changes[0::2], changes[1::2]
    if len(begins) < 3:
        return np.empty((0, 3))
    row = begins // (width + 2)
    lengths, gaps = ends - begins, begins[1:] - ends[:-1]
    outer, inner, last = lengths[:-2], lengths[1:-1], lengths[2:]
    before, after = gaps[:-1], gaps[1:]
    total = outer + before + inner + after + last
    slack = np.maximum(_TOLERANCE * total / 7, 1.0)
    found = (row[:-2] == row[2:]) & (total >= _SMALLEST_PX)
    for run in (outer, before, after, last):
        found &= np.abs(run - total / 7) < slack
    found &= np.abs(inner - total * 3 / 7) < np.maximum(slack * 2.4, 1.5)
    place = np.flatnonzero(found)
    middle = (begins[place + 1] + ends[place + 1]) / 2 - row[place] * (width + 2) - 1.5
    return np.stack((middle, row[place].astype(float), total[place].astype(float)), axis=1)


def _stacked(runs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (x, y, length, count) of runs that lie on top of one another."""
    if not len(runs):
        return np.empty((0, 4))
    # Cells of a few pixels, growing with the runs' length: what shares one belongs together.
    step = np.exp2(np.floor(np.log2(runs[:, 2] * 0.3)))
    cell = np.floor(runs[:, 0] / step) + 1j * np.floor(runs[:, 1] / step)
    keys = np.stack((cell.real, cell.imag, step), axis=1)
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    means = [np.bincount(group, runs[:, axis]) / count for axis in range(3)]
    stacks = np.stack((*means, count.astype(float)), axis=1)
    best = np.argsort(-stacks[:, 3], kind="stable")
    return stacks[best[: 8 * _MAX_PATTERNS]]


def _crossings(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> list[FinderPattern]:
    """Return where a stack of rows and a stack of columns have their middle in common."""
    apart_x = np.abs(rows[:, None, 0] - columns[None, :, 1])
    apart_y = np.abs(rows[:, None, 1] - columns[None, :, 0])
    across, down = rows[:, None, 2], columns[None, :, 2]
    reach = 0.3 * np.minimum(across, down)
    alike = (across < 2.6 * down) & (down < 2.6 * across)
    met = np.argwhere((apart_x < reach) & (apart_y < reach) & alike)
    return [
        FinderPattern(
            float(rows[r, 0]),
            float(columns[c, 0]),
            float(rows[r, 2]),
            float(columns[c, 2]),
            int(rows[r, 3] + columns[c, 3]),
        )
        for r, c in met[: 64 * _MAX_PATTERNS]
    ]


def darker_than_around(gray: Gray, window_px: int, offset: int, blur_px: float = 0.0) -> Gray:
    """Return 1 where `gray` is `offset` darker than the mean of `window_px` around it, else 0."""
    if blur_px:
        gray = cv2.GaussianBlur(gray, (0, 0), blur_px).astype(np.uint8, copy=False)
    mean, below = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV
    dark = cv2.adaptiveThreshold(gray, 1, mean, below, window_px, offset)
    return dark.astype(np.uint8, copy=False)
