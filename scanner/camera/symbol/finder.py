"""One finder pattern fitted exactly: where its middle is, and how its modules lie in the picture.

An affine warp of the ideal pattern is fitted by maximising the enhanced correlation coefficient
(Evangelidis and Psarakis, 2008; `cv2.findTransformECC`), which does not mind brightness or
contrast. Three such fits say where a symbol is, how large, and how it is turned and tilted, each
for its own corner: no plane is assumed.
"""

from __future__ import annotations

from functools import cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.symbol.structure import FINDER

_MODULE_PX = 6
_MODULES = FINDER.shape[0] + 2  # with the light ring around it
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
_SMOOTHING_PX = 5
_LEAST_AGREEMENT = 0.55
_TURNS = (0.0, np.pi / 4)

Point = NDArray[np.float64]


class Finder(msgspec.Struct, frozen=True):
    """A fitted finder pattern, in pixels of the picture that it was fitted in."""

    agreement: float
    """Correlation with the ideal pattern: 1 is perfect."""
    middle: Point
    """(x, y) of its centre."""
    axes: NDArray[np.float64]
    """Columns: one module along the pattern's own rows, and one along its columns (2 x 2)."""

    def in_modules(self, point: Point) -> Point:
        """Return how many modules along its axes `point` is from the middle."""
        return np.asarray(np.linalg.solve(self.axes, point - self.middle), np.float64)

    @property
    def module_px(self) -> float:
        """The mean side of a module."""
        return float(np.sqrt(abs(np.linalg.det(self.axes))))

    def turned(self, quarters: int) -> Finder:
        """Return the same pattern with its axes turned by quarters: it looks the same."""
        quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
        turn = np.linalg.matrix_power(quarter, quarters % 4)
        return Finder(self.agreement, self.middle, self.axes @ turn)


def fit_anew(gray: NDArray[np.float32], middle: Point, size_px: float) -> Finder | None:
    """Return the finder pattern near `middle` however it is turned, or None if there is none.

    :param size_px: about its size along rows and columns, as `FinderPattern` has it.
    """
    fits = []
    for turn in _TURNS:
        cosine, sine = np.cos(turn), np.sin(turn)
        module_px = size_px / 7 * max(cosine, sine)
        axes = module_px * np.array([[cosine, -sine], [sine, cosine]])
        fitted = fit(gray, middle, axes)
        if fitted is not None and fitted.agreement > 0.85:
            return fitted
        fits.append(fitted)
    found = [each for each in fits if each is not None]
    return max(found, key=lambda each: each.agreement, default=None)


def fit(gray: NDArray[np.float32], middle: Point, axes: NDArray[np.float64]) -> Finder | None:
    """Return the finder pattern near `middle` with axes near `axes`, or None if there is none.

    :param gray: the picture, with modules of some 3 to 12 pixels.
    """
    reach_px = int(np.abs(axes).sum(axis=1).max() * 6) + 4
    left, top = (int(max(0, at - reach_px)) for at in middle)
    around = gray[top : int(middle[1] + reach_px), left : int(middle[0] + reach_px)]
    if min(around.shape) < _MODULES:
        return None
    corner = np.array([left, top], np.float64)
    half = _MODULES / 2 - 0.5 / _MODULE_PX
    warp = np.empty((2, 3), np.float32)
    warp[:, :2] = axes / _MODULE_PX
    warp[:, 2] = middle - corner - axes @ np.array([half, half])
    try:
        mask = np.full(around.shape, 255, np.uint8)
        agreement, fitted = cv2.findTransformECC(
            _ideal(), around, warp, cv2.MOTION_AFFINE, _CRITERIA, mask, _SMOOTHING_PX
        )
    except cv2.error:  # it did not converge: nothing here looks like a finder pattern
        return None
    exact = np.asarray(fitted, np.float64)
    fitted_axes = exact[:, :2] * _MODULE_PX
    fitted_middle = exact[:, 2] + corner + fitted_axes @ np.array([half, half])
    strayed_px = float(np.hypot(*(fitted_middle - middle)))
    size_px = float(np.sqrt(abs(np.linalg.det(axes))))
    if agreement < _LEAST_AGREEMENT or strayed_px > 3 * size_px:
        return None
    if not 0.25 < abs(np.linalg.det(fitted_axes)) / size_px**2 < 4:
        return None
    height, width = gray.shape
    if not (0 <= fitted_middle[0] < width and 0 <= fitted_middle[1] < height):
        return None  # little of it is in the picture: that little may look like anything
    return Finder(float(agreement), fitted_middle, fitted_axes)


def softened(gray: Gray) -> NDArray[np.float32]:
    """Return the picture as `fit` wants it: smooth enough for its gradients to lead somewhere."""
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.2), np.float32)


@cache
def _ideal() -> NDArray[np.float32]:
    light = 1.0 - np.pad(FINDER, 1).astype(np.float32)
    picture = np.kron(light * 255, np.ones((_MODULE_PX, _MODULE_PX), np.float32))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.3 * _MODULE_PX), np.float32)
