"""The rungs of the decode ladder: how a picture is prepared before zxing-cpp reads it.

A preparation is a small pure function from a gray picture to another one; a rung is a preparation,
its scale and a binarizer; `RUNGS` orders them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from zxingcpp import Binarizer

from scanner.camera.port import Gray
from scanner.camera.sighting import Sighting, sightings_in

Prepare = Callable[[Gray], Gray]

SMALLEST_SIDE_PX = 21
"""A QR code of version 1 has 21 modules (ISO/IEC 18004, 5.3.1): nothing smaller holds one."""
ENLARGED_MAX_PIXELS = 9_500_000
"""What an enlargement may grow to; larger pictures have no need of one."""


class Cost(StrEnum):
    """When a rung is tried."""

    CHEAP = "cheap"
    """In every picture that is looked at."""
    EXPENSIVE = "expensive"
    """One in turn over successive pictures, within a budget."""


class Rung(msgspec.Struct, frozen=True):
    """One way to read a picture."""

    name: str
    prepare: Prepare
    binarizer: Binarizer
    cost: Cost
    scale: tuple[float, float] = (1.0, 1.0)
    """Pixels across and down that `prepare` returns per pixel that it was given."""


def read_rung(rung: Rung, gray: Gray) -> list[Sighting]:
    """Return the codes that one rung reads in `gray`, in no order; empty if it is not for it."""
    across, down = rung.scale
    height, width = gray.shape
    if min(width, height, width * across, height * down) < SMALLEST_SIDE_PX:
        return []
    if across * down > 1.0 and gray.size * across * down > ENLARGED_MAX_PIXELS:
        return []
    return sightings_in(rung.prepare(gray), rung.binarizer, rung.scale, rung.name)


def as_it_is(gray: Gray) -> Gray:
    """Return the picture itself."""
    return gray


def inverted(gray: Gray) -> Gray:
    """Return the negative: codes printed light on dark."""
    return _gray(cv2.bitwise_not(gray))


def scaled(gray: Gray, across: float, down: float) -> Gray:
    """Return the picture scaled, averaging where it shrinks and interpolating where it grows."""
    kind = cv2.INTER_AREA if min(across, down) < 1 else cv2.INTER_LINEAR
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


_HALF, _THIRD, _DOUBLE = (0.5, 0.5), (1 / 3, 1 / 3), (2.0, 2.0)
_WIDER, _HIGHER = (1.6, 1.0), (1.0, 1.6)
_LOCAL, _GLOBAL, _FIXED = (
    Binarizer.LocalAverage,
    Binarizer.GlobalHistogram,
    Binarizer.FixedThreshold,
)
_CHEAP, _EXPENSIVE = Cost.CHEAP, Cost.EXPENSIVE

FULL = Rung("full", as_it_is, _LOCAL, _CHEAP)
"""The picture as it is, each block against its own average."""

RUNGS: tuple[Rung, ...] = (
    Rung("half", lambda g: scaled(g, *_HALF), _LOCAL, _CHEAP, _HALF),
    Rung("fixed", as_it_is, _FIXED, _CHEAP),
    Rung("global", as_it_is, _GLOBAL, _CHEAP),
    FULL,
    Rung(
        "adaptive-third", lambda g: adaptive(scaled(g, *_THIRD), 51, 2), _FIXED, _EXPENSIVE, _THIRD
    ),
    Rung("adaptive-25", lambda g: adaptive(g, 25, 2), _FIXED, _EXPENSIVE),
    Rung("inverted", inverted, _GLOBAL, _EXPENSIVE),
    Rung("gamma-4", lambda g: gamma(g, 4.0), _GLOBAL, _EXPENSIVE),
    Rung("ground", lambda g: without_ground(despeckled(g, 3), 61), _GLOBAL, _EXPENSIVE),
    Rung("wider", lambda g: scaled(g, *_WIDER), _LOCAL, _EXPENSIVE, _WIDER),
    Rung("adaptive-half", lambda g: adaptive(scaled(g, *_HALF), 31, 5), _FIXED, _EXPENSIVE, _HALF),
    Rung("gamma-2", lambda g: gamma(g, 2.0), _LOCAL, _EXPENSIVE),
    Rung("double", lambda g: scaled(g, *_DOUBLE), _LOCAL, _EXPENSIVE, _DOUBLE),
    Rung("adaptive-15", lambda g: adaptive(g, 15, 3), _FIXED, _EXPENSIVE),
    Rung("smooth-adaptive", lambda g: adaptive(smoothed(g, 5), 25, 2), _FIXED, _EXPENSIVE),
    Rung("inverted-local", inverted, _LOCAL, _EXPENSIVE),
    Rung("sharp", lambda g: sharpened(g, 1.0), _LOCAL, _EXPENSIVE),
    Rung("despeckled", lambda g: despeckled(g, 3), _LOCAL, _EXPENSIVE),
    Rung("higher", lambda g: scaled(g, *_HIGHER), _LOCAL, _EXPENSIVE, _HIGHER),
)
"""All rungs: first what reads most frames soonest, then what added most per millisecond on the open
photographs, then what reads many of the same ones in another way."""
