"""Preparations: small pure functions from a gray picture to one that is read more easily."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray


def as_it_is(gray: Gray) -> Gray:
    """Return the picture itself."""
    return gray


def inverted(gray: Gray) -> Gray:
    """Return the negative: codes printed light on dark."""
    return _gray(cv2.bitwise_not(gray))


def scaled(gray: Gray, across: float, down: float) -> Gray:
    """Return the picture scaled, averaging where it shrinks, with a cubic spline where it grows."""
    kind = cv2.INTER_AREA if min(across, down) < 1 else cv2.INTER_CUBIC
    size = (round(gray.shape[1] * across), round(gray.shape[0] * down))
    return _gray(cv2.resize(gray, size, interpolation=kind))


def despeckled(gray: Gray, size_px: int) -> Gray:
    """Return medians of `size_px` x `size_px`: moiré of screens, print dots and noise vanish."""
    return _gray(cv2.medianBlur(gray, size_px))


def smoothed(gray: Gray, size_px: int) -> Gray:
    """Return the picture blurred by a Gaussian of `size_px`."""
    return _gray(cv2.GaussianBlur(gray, (size_px, size_px), 0))


def adaptive(gray: Gray, window_px: int, offset: int) -> Gray:
    """Return what is `offset` darker than the mean around it as black: shadows and gradients."""
    mean, binary = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return _gray(cv2.adaptiveThreshold(gray, 255, mean, binary, window_px, offset))


def without_ground(gray: Gray, size_px: int) -> Gray:
    """Return dark details smaller than `size_px` on white (black-hat): glare and gradients."""
    kernel = np.ones((size_px, size_px), np.uint8)
    return _gray(cv2.bitwise_not(cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel)))


def gamma(gray: Gray, exponent: float) -> Gray:
    """Return the picture with its bright (`exponent` > 1) or dark (< 1) tones spread out."""
    return _gray(cv2.LUT(gray, _gamma_table(exponent)))


def sharpened(gray: Gray, sigma_px: float) -> Gray:
    """Return the picture with an unsharp mask: slight defocus."""
    blurred = cv2.GaussianBlur(gray, (0, 0), sigma_px)
    return _gray(cv2.addWeighted(gray, 2.5, blurred, -1.5, 0))


@cache
def _gamma_table(exponent: float) -> Gray:
    return _gray((np.arange(256) / 255.0) ** exponent * 255)


def _gray(array: NDArray[np.generic]) -> Gray:
    return array.astype(np.uint8, copy=False)
