"""Which of the places that a localiser names are codes, as far as can be told without reading them.

A localiser that wants to miss nothing names faces, posters and keyboards, too. That costs a decoder
a little time; but a recording would show what is there, and a technician would be told that a
code is not read. So most of such places are turned down here, and a few codes with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.sighting import Quad

_INNER = (0.85, 0.7)
"""Of the place's size, what is judged, one after the other: outlines are rough."""
_CELLS = 3
_FEWEST_ACROSS, _MOST_ACROSS = 15, 190
"""Modules, by the edges: 21 to 177 (ISO/IEC 18004, 5.3.1) and what the estimate is off."""
_LEAST_CONTRAST = 14
"""Gray levels below which nothing was read (as measured)."""
_LEAST_LEFT = 0.63
"""Of the contrast, when neighbours are averaged: of noise at most 0.62 is left, of a code with 1.5
pixels a module 0.65, and of larger ones more."""
_LEAST_UNIFORM, _LEAST_SPREAD = 0.5, 0.5
_LEAST_ISOTROPIC, _LEAST_ISOTROPIC_SMEARED = 0.75, 0.4
"""A smear of two modules takes half of the changes along its way."""
_LEAST_GAP, _LEAST_GAP_SMEARED = 1.2, 1.1
"""Between dark and light, relative to the spread of both: two tones have more, and codes that are
blurred by half a module; most of what is one tone with grain in it has less."""
_WASHED_LEVEL, _WASHED, _MOST_WASHED = 245, 0.8, 3
"""Parts that a lamp has washed out say nothing, and may be a third."""
_DARK_SHARES = (0.2, 0.75)
_SMALLEST_SIDE_PX, _LARGEST_SIDE_PX = 20, 512


def likely_codes(gray: Gray, places: Iterable[Quad], *, smeared: bool = False) -> tuple[Quad, ...]:
    """Return those of the places that look like a QR code all over, in their order."""
    return tuple(place for place in places if looks_like_code(gray, place, smeared=smeared))


def looks_like_code(gray: Gray, place: Quad, *, smeared: bool = False) -> bool:
    """Whether dark and light alternate there as in a code: as much in every part, both ways.

    Masks see to that (ISO/IEC 18004, 7.8). Writing alternates along its lines only, a face hardly
    and not everywhere, and noise has no contrast beyond its own.

    :param smeared: take codes that are badly blurred, too, and with them more that is none.
    """
    gap = _LEAST_GAP_SMEARED if smeared else _LEAST_GAP
    isotropic = _LEAST_ISOTROPIC_SMEARED if smeared else _LEAST_ISOTROPIC
    flats = (_flat(gray, place, share) for share in _INNER)
    return any(flat is not None and _alternates(flat, isotropic, gap) for flat in flats)


def _alternates(flat: Gray, isotropic: float, gap: float) -> bool:
    contrast = _contrast(flat)
    if contrast < _LEAST_CONTRAST or _contrast(cv2.blur(flat, (3, 3))) < _LEAST_LEFT * contrast:
        return False
    side = flat.shape[0]
    window = max(3, side // 6 | 1)
    dark = flat < cv2.blur(flat, (window, window))
    bounds = np.linspace(0, side, _CELLS + 1).astype(int)
    across, down, shares, spreads, gaps = [], [], [], [], []
    for top, bottom in pairwise(bounds):
        for left, right in pairwise(bounds):
            part, seen = dark[top:bottom, left:right], flat[top:bottom, left:right]
            if np.mean(seen >= _WASHED_LEVEL) > _WASHED:
                continue
            across.append(float(np.mean(part[:, 1:] != part[:, :-1])))
            down.append(float(np.mean(part[1:] != part[:-1])))
            shares.append(float(part.mean()))
            spreads.append(float(seen.std()))
            gaps.append(_gap(seen, part))
    if len(shares) < _CELLS**2 - _MOST_WASHED:
        return False
    ways = sorted((float(np.mean(across)), float(np.mean(down))))
    return bool(
        _FEWEST_ACROSS <= (ways[0] + ways[1]) * side <= _MOST_ACROSS
        and min(across) >= _LEAST_UNIFORM * float(np.mean(across))
        and min(down) >= _LEAST_UNIFORM * float(np.mean(down))
        and ways[0] >= isotropic * ways[1]
        and min(spreads) >= _LEAST_SPREAD * float(np.median(spreads))
        and _DARK_SHARES[0] <= min(shares)
        and max(shares) <= _DARK_SHARES[1]
        and float(np.median(gaps)) >= gap
    )


def _gap(seen: Gray, dark: NDArray[np.bool_]) -> float:
    if dark.all() or not dark.any():
        return 0.0
    low, high = seen[dark], seen[~dark]
    return float(high.mean() - low.mean()) / max(float(high.std() + low.std()), 0.1)


def _contrast(flat: cv2.typing.MatLike) -> float:
    low, high = np.percentile(flat, (5, 95))
    return float(high - low)


def _flat(gray: Gray, place: Quad, share: float) -> Gray | None:
    """Return the place seen from the front at about its own scale; None if it can be no code."""
    corners = np.array(place, np.float64)
    middle = corners.mean(axis=0)
    corners = middle + (corners - middle) * share
    height, width = gray.shape
    sides = np.hypot(*(corners - np.roll(corners, 1, axis=0)).T)
    outside = np.any(corners < -0.1 * max(width, height)) or np.any(
        corners > (1.1 * width, 1.1 * height)
    )
    if outside or min(sides) < _SMALLEST_SIDE_PX * share or max(sides) > 3 * min(sides):
        return None
    side = int(min(_LARGEST_SIDE_PX, round(float(np.mean(sides)))))
    square = np.array(((0, 0), (side, 0), (side, side), (0, side)), np.float32)
    plane = cv2.getPerspectiveTransform(corners.astype(np.float32), square)
    return cv2.warpPerspective(gray, plane, (side, side)).view(np.uint8)
