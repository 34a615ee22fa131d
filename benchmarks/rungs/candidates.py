"""Rungs that are not in the ladder: tried beside its own, so that each can earn a place.

Names say what is done, in its order, with sizes in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from zxingcpp import Binarizer

from scanner.camera.port import Gray
from scanner.camera.preparations import (
    adaptive,
    as_it_is,
    despeckled,
    gamma,
    inverted,
    scaled,
    sharpened,
    smoothed,
    without_ground,
)
from scanner.camera.rungs import Cost, Prepare, Rung

_LOCAL, _GLOBAL, _FIXED = (
    Binarizer.LocalAverage,
    Binarizer.GlobalHistogram,
    Binarizer.FixedThreshold,
)


def _gray(array: NDArray[np.generic]) -> Gray:
    return array.astype(np.uint8, copy=False)


def bilateral(gray: Gray, size_px: int, tones: float) -> Gray:
    """Return the picture smoothed inside its edges."""
    return _gray(cv2.bilateralFilter(gray, size_px, tones, size_px))


def without_noise(gray: Gray, strength: float) -> Gray:
    """Return the picture by non-local means: strong, and slow."""
    return _gray(cv2.fastNlMeansDenoising(gray, None, strength, 5, 11))


def local_contrast(gray: Gray, limit: float, tiles: int) -> Gray:
    """Return the picture with the contrast of each of `tiles` x `tiles` spread out (CLAHE)."""
    return _gray(cv2.createCLAHE(limit, (tiles, tiles)).apply(gray))


def levelled(gray: Gray, size_px: int) -> Gray:
    """Return the picture divided by its surroundings: shadows and glare."""
    ground = cv2.blur(gray, (size_px, size_px))
    return _gray(cv2.divide(gray, ground, scale=160))


def stretched(gray: Gray) -> Gray:
    """Return the picture with its 1st to 99th percentile spread over all tones."""
    dark, bright = (float(n) for n in np.percentile(gray[::4, ::4], (1, 99)))
    return _gray(cv2.convertScaleAbs(gray, alpha=255 / max(bright - dark, 1), beta=0 - dark))


def equalised(gray: Gray) -> Gray:
    """Return the picture with all tones equally frequent."""
    return _gray(cv2.equalizeHist(gray))


def shaped(gray: Gray, operation: int, size_px: int) -> Gray:
    """Return the picture after one operation of morphology with a square."""
    return _gray(cv2.morphologyEx(gray, operation, np.ones((size_px, size_px), np.uint8)))


def turned(gray: Gray, degrees: float) -> Gray:
    """Return the picture turned about its middle, all of it kept."""
    height, width = gray.shape
    across, down = (abs(f(np.radians(degrees))) for f in (np.cos, np.sin))
    size = (round(width * across + height * down), round(width * down + height * across))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return _gray(cv2.warpAffine(gray, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def _rung(
    name: str, prepare: Prepare, binarizer: Binarizer, scale: tuple[float, float] = (1.0, 1.0)
) -> Rung:
    return Rung(name, prepare, binarizer, Cost.EXPENSIVE, scale)


def _at(
    name: str, factor: float, prepare: Prepare, binarizer: Binarizer, down: float | None = None
) -> Rung:
    """Return a rung that scales first and then prepares."""
    scale = (factor, factor if down is None else down)
    return _rung(name, lambda gray: prepare(scaled(gray, *scale)), binarizer, scale)


def _adaptive(window_px: int, offset: int) -> Prepare:
    return lambda gray: adaptive(gray, window_px, offset)


CANDIDATES: tuple[Rung, ...] = (
    # noise of dark pictures
    _rung("median-5", lambda g: despeckled(g, 5), _LOCAL),
    _rung("median-5-adaptive-35", lambda g: adaptive(despeckled(g, 5), 35, 2), _FIXED),
    _at("half-median-3", 0.5, lambda g: despeckled(g, 3), _LOCAL),
    _at("half-median-3-adaptive-25", 0.5, lambda g: adaptive(despeckled(g, 3), 25, 2), _FIXED),
    _rung("bilateral-7", lambda g: bilateral(g, 7, 40), _LOCAL),
    _at("half-bilateral-7", 0.5, lambda g: bilateral(g, 7, 40), _LOCAL),
    _at(
        "half-bilateral-7-adaptive-31", 0.5, lambda g: adaptive(bilateral(g, 7, 40), 31, 2), _FIXED
    ),
    _at("half-nonlocal-10", 0.5, lambda g: without_noise(g, 10), _LOCAL),
    _rung("smooth-7", lambda g: smoothed(g, 7), _LOCAL),
    _rung("smooth-9-adaptive-51", lambda g: adaptive(smoothed(g, 9), 51, 2), _FIXED),
    _at("half-smooth-5-adaptive-51", 0.5, lambda g: adaptive(smoothed(g, 5), 51, 1), _FIXED),
    # sizes
    _at("third", 1 / 3, as_it_is, _LOCAL),
    _at("quarter", 0.25, as_it_is, _LOCAL),
    _at("two-thirds", 2 / 3, as_it_is, _LOCAL),
    _at("1.5", 1.5, as_it_is, _LOCAL),
    _at("triple", 3.0, as_it_is, _LOCAL),
    _at("four", 4.0, as_it_is, _LOCAL),
    _at("double-global", 2.0, as_it_is, _GLOBAL),
    _at("third-global", 1 / 3, as_it_is, _GLOBAL),
    _at("double-adaptive-51", 2.0, _adaptive(51, 2), _FIXED),
    _at("quarter-adaptive-31", 0.25, _adaptive(31, 2), _FIXED),
    # stretches: steep perspective
    _at("wider-2", 2.0, as_it_is, _LOCAL, 1.0),
    _at("higher-2", 1.0, as_it_is, _LOCAL, 2.0),
    _at("narrower", 0.6, as_it_is, _LOCAL, 1.0),
    _at("flatter", 1.0, as_it_is, _LOCAL, 0.6),
    _rung("turned-10", lambda g: turned(g, 10), _LOCAL),
    _rung("turned-30", lambda g: turned(g, 30), _LOCAL),
    _rung("turned-45", lambda g: turned(g, 45), _LOCAL),
    _at("half-turned-10", 0.5, lambda g: turned(g, 10), _LOCAL),
    _at("half-turned-30", 0.5, lambda g: turned(g, 30), _LOCAL),
    _at("half-turned-60", 0.5, lambda g: turned(g, 60), _LOCAL),
    # light
    _rung("contrast-2", lambda g: local_contrast(g, 2.0, 8), _LOCAL),
    _rung("contrast-4-global", lambda g: local_contrast(g, 4.0, 8), _GLOBAL),
    _rung("contrast-8-global", lambda g: local_contrast(g, 8.0, 8), _GLOBAL),
    _rung("contrast-4-16-global", lambda g: local_contrast(g, 4.0, 16), _GLOBAL),
    _at("half-contrast-3", 0.5, lambda g: local_contrast(g, 3.0, 8), _LOCAL),
    _at("third-contrast-4", 1 / 3, lambda g: local_contrast(g, 4.0, 8), _LOCAL),
    _rung("levelled-61-global", lambda g: levelled(g, 61), _GLOBAL),
    _rung("levelled-31", lambda g: levelled(g, 31), _LOCAL),
    _at("half-levelled-41-global", 0.5, lambda g: levelled(g, 41), _GLOBAL),
    _rung("stretched", stretched, _LOCAL),
    _rung("stretched-fixed", stretched, _FIXED),
    _rung("equalised-fixed", equalised, _FIXED),
    _rung("gamma-0.4", lambda g: gamma(g, 0.4), _LOCAL),
    _rung("gamma-0.4-fixed", lambda g: gamma(g, 0.4), _FIXED),
    _rung("gamma-0.2-fixed", lambda g: gamma(g, 0.2), _FIXED),
    _rung("gamma-3-fixed", lambda g: gamma(g, 3.0), _FIXED),
    _rung("gamma-8-global", lambda g: gamma(g, 8.0), _GLOBAL),
    _rung("adaptive-35-7", _adaptive(35, 7), _FIXED),
    _rung("adaptive-51", _adaptive(51, 3), _FIXED),
    _rung("adaptive-101", _adaptive(101, 5), _FIXED),
    _at("half-adaptive-15", 0.5, _adaptive(15, 2), _FIXED),
    _at("half-adaptive-75", 0.5, _adaptive(75, 5), _FIXED),
    _at("third-adaptive-25", 1 / 3, _adaptive(25, 4), _FIXED),
    _rung("ground-31", lambda g: without_ground(g, 31), _GLOBAL),
    _rung("ground-61-local", lambda g: without_ground(despeckled(g, 3), 61), _LOCAL),
    _at("half-ground-31", 0.5, lambda g: without_ground(g, 31), _GLOBAL),
    _at("half-ground-61", 0.5, lambda g: without_ground(g, 61), _GLOBAL),
    # focus and print
    _rung("sharp-2", lambda g: sharpened(g, 2.0), _LOCAL),
    _rung("sharp-4", lambda g: sharpened(g, 4.0), _LOCAL),
    _at("double-sharp-2", 2.0, lambda g: sharpened(g, 2.0), _LOCAL),
    _rung("eroded-3", lambda g: shaped(g, cv2.MORPH_ERODE, 3), _LOCAL),
    _rung("dilated-3", lambda g: shaped(g, cv2.MORPH_DILATE, 3), _LOCAL),
    _rung("opened-3", lambda g: shaped(g, cv2.MORPH_OPEN, 3), _LOCAL),
    _rung("closed-3", lambda g: shaped(g, cv2.MORPH_CLOSE, 3), _LOCAL),
    _rung("opened-5", lambda g: shaped(g, cv2.MORPH_OPEN, 5), _LOCAL),
    _rung("closed-5", lambda g: shaped(g, cv2.MORPH_CLOSE, 5), _LOCAL),
    _rung(
        "dilated-3-adaptive-25", lambda g: adaptive(shaped(g, cv2.MORPH_DILATE, 3), 25, 2), _FIXED
    ),
    _rung("eroded-3-adaptive-25", lambda g: adaptive(shaped(g, cv2.MORPH_ERODE, 3), 25, 2), _FIXED),
    _rung("inverted-adaptive-25", lambda g: adaptive(inverted(g), 25, 2), _FIXED),
    _at("half-inverted", 0.5, inverted, _LOCAL),
)
"""All that were tried. What earned a place moves to `scanner.camera.rungs`."""
