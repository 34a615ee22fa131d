"""How well a camera sees: light, sharpness and size of a code in view, or of the frame without one.

Pure measurements; `advice` says what to change. Blur is measured in modules, so that scenes can be
compared: it is the sigma of the Gaussian that would soften the code's edges as much. It comes from
the steepest slopes between dark and light, along the code's two sides apart: a hand that moves
softens the edges across its way only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.sighting import Quad, Sighting

DARK_LEVEL, BRIGHT_LEVEL = 8, 250
"""Gray levels up to which and from which a pixel counts as clipped."""
JUDGED_SIDES_PX = (1280, 720)
"""A frame without a code is judged by its middle: the rest costs time and says no more."""

_JUDGED_PIXELS = 1_500_000
_OWN_BLUR_PX2 = 1.06
"""Variance of what the pixels and the gradient's reach blur by themselves, in square pixels; found
on drawn codes of 2 to 8 pixels a module, for which what is left is within 0.1 module of the truth
(up to 0.5 modules, where reading ends)."""
_UNIFORM_TO_SIGMA = math.sqrt(2 * math.pi)
"""A uniform smear of this length has the steepest slope of a Gaussian of sigma 1."""
_TAIL = 1.28
"""Standard deviations by which noise widens the 5th and 95th percentile of two equal levels."""
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_MEDIAN_TO_SIGMA = 0.6745 * 6  # of |x|, and the kernel's norm (Immerkær, CVIU 64:2, 1996)
_GLARE_CELLS = 6
_EDGE_WINDOW_PX = 9
_EDGE_RANGE = 40

Numbers: TypeAlias = NDArray[np.float32]


class CodeQuality(msgspec.Struct, frozen=True, gc=False):
    """One code in a picture, read or only found."""

    read: bool
    module_px: float
    """Mean side of a module; estimated from its edges where the code was not read."""
    dark: float
    light: float
    """Gray levels of the dark and the light modules (5th and 95th percentile)."""
    contrast: float
    """Gray levels between the two, without what noise adds."""
    glare_share: float
    """Share of the code that is washed out to white."""
    blur_modules: float
    """Defocus: the blur that both directions share."""
    motion_modules: float
    """Length of the smear that one direction has beyond the other's blur."""
    motion_deg: float
    """Direction of that smear in the picture, 0 to 180, 0 along the rows, 90 along the columns."""


class Quality(msgspec.Struct, frozen=True, gc=False):
    """One look. `code` is the largest code that was read, else the first candidate, or None."""

    mean: float
    """Gray level of the whole frame."""
    dark_share: float
    bright_share: float
    """Shares of clipped pixels."""
    noise: float
    """Sigma of the noise in gray levels."""
    edge_px: float | None
    """Blur of the sharpest edges of a frame without a code, None where it has no clear edge."""
    code: CodeQuality | None = None


def quality_of(
    gray: Gray, sightings: Sequence[Sighting] = (), candidates: Sequence[Quad] = ()
) -> Quality:
    """Return what one look's picture is worth; never raises for quads that leave the picture.

    :param candidates: places that surely look like a code (`likeness`), the likeliest first.
    """
    thumbnail = np.ascontiguousarray(gray[::4, ::4])
    middle = _middle(gray)
    noise = noise_in(middle)
    code = None
    for sighting in sorted(sightings, key=lambda each: -each.area_px):
        code = code or _code_quality(gray, sighting.quad, noise, sighting.module_px, read=True)
    for quad in candidates:
        code = code or _code_quality(gray, quad, noise, 0.0, read=False)
    return Quality(
        mean=float(cv2.mean(thumbnail)[0]),
        dark_share=float(np.mean(thumbnail <= DARK_LEVEL)),
        bright_share=float(np.mean(thumbnail >= BRIGHT_LEVEL)),
        noise=noise,
        edge_px=None if code else _edge_px(middle),
        code=code,
    )


def noise_in(gray: Gray) -> float:
    """Return the sigma of the noise: what no plane explains, by a median that edges do not move."""
    residue = np.abs(cv2.filter2D(gray[::2], cv2.CV_16S, _NOISE_KERNEL))
    return float(np.median(residue)) / _MEDIAN_TO_SIGMA


def _middle(gray: Gray) -> Gray:
    height, width = gray.shape
    across, down = min(width, JUDGED_SIDES_PX[0]), min(height, JUDGED_SIDES_PX[1])
    left, top = (width - across) // 2, (height - down) // 2
    return np.ascontiguousarray(gray[top : top + down, left : left + across])


def _code_quality(
    gray: Gray, quad: Quad, noise: float, module_px: float, *, read: bool
) -> CodeQuality | None:
    """Return None for a quad that is too small, or outside the picture, to be judged."""
    corners = np.array(quad, np.float32)
    if not read:  # a found place has a loose outline: its inside is sure to be code
        corners = corners.mean(axis=0) + (corners - corners.mean(axis=0)) * np.float32(0.8)
    return _measured(gray, corners, noise, module_px, read=read)


def _measured(
    gray: Gray, corners: Numbers, noise: float, module_px: float, *, read: bool
) -> CodeQuality | None:
    height, width = gray.shape
    left, top = (int(max(0, v)) for v in np.floor(corners.min(axis=0)) - 2)
    right, bottom = (int(v) for v in np.ceil(corners.max(axis=0)) + 3)
    crop = np.ascontiguousarray(gray[top : min(bottom, height), left : min(right, width)])
    if min(crop.shape, default=0) < 16:
        return None
    if crop.size > _JUDGED_PIXELS:  # a code as large as that says the same at half the scale
        size = (crop.shape[1] // 2, crop.shape[0] // 2)
        half = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).view(np.uint8)
        inner = (corners - np.array((left, top), np.float32)) / np.float32(2)
        found = _measured(half, inner, noise / 2, module_px / 2, read=read)
        return found and msgspec.structs.replace(found, module_px=found.module_px * 2)
    inside = np.zeros(crop.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners - (left, top)).astype(np.int32), 1)
    mask = inside.astype(bool)
    if np.count_nonzero(mask) < 256:
        return None
    dark, light = (float(level) for level in np.percentile(crop[mask], (5, 95)))
    contrast = max(1.0, light - dark - 2 * _TAIL * noise)
    flat = _flattened(gray, corners)
    module_px = module_px or _estimated_module_px(flat)
    across = _unit((corners[1] - corners[0]) + (corners[2] - corners[3]))
    down = _unit((corners[3] - corners[0]) + (corners[2] - corners[1]))
    blurs = _blurs_px(crop, mask, (across, down), contrast, module_px)
    smaller, larger = min(blurs), max(blurs)
    smeared = across if blurs[0] >= blurs[1] else down
    return CodeQuality(
        read=read,
        module_px=module_px,
        dark=dark,
        light=light,
        contrast=contrast,
        glare_share=_glare_share(flat, dark + 0.6 * (light - dark), module_px),
        blur_modules=smaller / module_px,
        motion_modules=_UNIFORM_TO_SIGMA * math.sqrt(larger**2 - smaller**2) / module_px,
        motion_deg=math.degrees(math.atan2(float(smeared[1]), float(smeared[0]))) % 180,
    )


def _unit(vector: Numbers) -> Numbers:
    return vector / max(float(np.hypot(*vector)), 1e-6)


def _blurs_px(
    crop: Gray,
    mask: NDArray[np.bool_],
    axes: tuple[Numbers, Numbers],
    contrast: float,
    module_px: float,
) -> tuple[float, float]:
    """Return the sigma of the edges' blur along each axis, in pixels.

    A step of height c, blurred by sigma, rises by c / (sigma sqrt(2 pi)) a pixel. Every second
    module or so begins at an edge: the upper half of the slopes there is what counts as steepest.
    """
    slopes = [cv2.Sobel(crop, cv2.CV_32F, *order, scale=1 / 8)[mask] for order in ((1, 0), (0, 1))]
    steepest = 100 * (1 - 0.25 / max(module_px, 1.0))
    found = []
    for axis in axes:
        slope = np.percentile(np.abs(slopes[0] * axis[0] + slopes[1] * axis[1]), steepest)
        sigma = contrast / (_UNIFORM_TO_SIGMA * max(float(slope), 0.1))
        found.append(math.sqrt(max(0.0, sigma**2 - _OWN_BLUR_PX2)))
    return found[0], found[1]


def _flattened(gray: Gray, corners: Numbers) -> Gray:
    """Return the code seen from the front, at about its own scale."""
    sides = np.hypot(*(corners - np.roll(corners, 1, axis=0)).T)
    side = int(min(1024, max(32, round(float(np.mean(sides))))))
    square = np.array(((0, 0), (side, 0), (side, side), (0, side)), np.float32)
    plane = cv2.getPerspectiveTransform(corners.astype(np.float32), square)
    flat = cv2.warpPerspective(gray, plane, (side, side))
    return flat.view(np.uint8)


def _estimated_module_px(flat: Gray) -> float:
    """Return pixels per module of a code that nobody read: masks make every second edge one.

    ISO/IEC 18004, 7.8 balances dark and light, so that two neighbours differ in half of all places.
    """
    window = max(3, flat.shape[0] // 6 | 1)
    dark = flat < cv2.blur(flat, (window, window))
    changes = np.mean(dark[:, 1:] != dark[:, :-1]) + np.mean(dark[1:] != dark[:-1])
    return 1.0 / max(float(changes), 0.02)


def _glare_share(flat: Gray, washed: float, module_px: float) -> float:
    """Return the share of cells, each several modules wide, that are white and nothing else."""
    cells = int(max(2, min(_GLARE_CELLS, flat.shape[0] / module_px // 5)))
    parts = [part for row in np.array_split(flat, cells) for part in np.array_split(row, cells, 1)]
    white = [
        float(np.percentile(part, 5)) >= washed and float(part.mean()) >= BRIGHT_LEVEL - 5
        for part in parts
    ]
    return sum(white) / len(parts)


def _edge_px(gray: Gray) -> float | None:
    """Return the blur of the sharpest edges of any scene: their height over their slope."""
    slope = cv2.magnitude(
        cv2.Sobel(gray, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(gray, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    window = np.ones((_EDGE_WINDOW_PX, _EDGE_WINDOW_PX), np.uint8)
    step = cv2.subtract(cv2.dilate(gray, window), cv2.erode(gray, window))
    steep = slope >= max(1.0, float(np.percentile(slope[::3, ::3], 99.5)))
    clear = steep & (step >= _EDGE_RANGE)
    if np.count_nonzero(clear) < 50:
        return None
    sigma = float(np.median(step[clear] / slope[clear])) / _UNIFORM_TO_SIGMA
    return math.sqrt(max(0.0, sigma**2 - _OWN_BLUR_PX2))
