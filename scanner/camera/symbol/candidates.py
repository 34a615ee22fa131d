"""Where in a picture a code may be, cheaply: for the inline lane, which has milliseconds.

Two signs are looked for. Three finder patterns around a right angle say exactly where a symbol is.
And a symbol is a patch of edges in both directions at once, which writing, faces and stripes are
not: that finds symbols whose finder patterns are too small, worn or blurred to be seen at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.regions import Quad, scaled
from scanner.camera.symbol.locate import FinderPattern, darker_than_around, finder_patterns

_WORKING_PIXELS = 560_000
_THOROUGH_PIXELS = 1_600_000
"""`working_pixels` for whoever has the time."""
_PATTERNS = 10
_THRESHOLD = (31, 4)
_LEAST_SUPPORT = 4
_FAR = 30.0
"""Finder patterns of the largest version are 170 modules apart, of 7 modules each."""
_CORNER = 3.5 / 7
"""From the middle of a finder pattern to the symbol's corner, in pattern sizes."""
_COARSER = 4
"""Pixels of the working scale that are taken together where edges are gathered..."""
_PATCH, _LEAST_PATCH = 5, 2
"""...in windows of so many of them; a patch is at least so large."""
_PATCH_SHARE = 0.4
"""Of the strongest patch's edges, what a place must have to belong to a patch."""
_PATCH_LEAST = 0.08
"""Gradient, both ways, relative to the brightness around below which there is no patch at all."""
_DARK = 24.0
"""Gray levels that are added to the brightness: in the dark there is more noise than print."""
_PATCHES = 4
_GROWN = 0.2
"""Of a patch's size, what is added on each side: towards a symbol's border edges get fewer."""
_SAME = 0.5


def candidates(gray: Gray, working_pixels: int = _WORKING_PIXELS) -> list[Quad]:
    """Return the places in `gray` that look like a QR code, the likeliest first.

    Corners are rough: cut out with a margin. A flat or empty picture gives none.

    :param working_pixels: the picture is searched at the first halving that has no more: more find
        smaller codes, and take longer.
    """
    picture, scale = _working(gray, working_pixels)
    if min(picture.shape) < 3 * _PATCH * _COARSER:
        return []
    dark = darker_than_around(picture, *_THRESHOLD)
    quads: list[Quad] = []
    # In turn, since either sign may be the wrong one in a picture full of it.
    of_patterns, of_patches = _of_patterns(finder_patterns(dark)), _of_patches(picture)
    for quad in itertools.chain(*itertools.zip_longest(of_patterns, of_patches)):
        if quad is not None and not any(_same_place(quad, other) for other in quads):
            quads.append(quad)
    return [scaled(quad, scale, scale) for quad in quads]


def thorough_candidates(gray: Gray) -> list[Quad]:
    """Return what `candidates` does of smaller codes too, in a few times its time."""
    return candidates(gray, _THOROUGH_PIXELS)


def _working(gray: Gray, pixels: int) -> tuple[Gray, float]:
    scale = 1.0
    picture = gray
    while picture.size > pixels:
        size = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
        scale *= 2
    return picture, scale


def _of_patterns(patterns: Sequence[FinderPattern]) -> Iterator[Quad]:
    """Yield the squares that three finder patterns span, the likeliest first."""
    good = [each for each in patterns if each.support >= _LEAST_SUPPORT][:_PATTERNS]
    found: list[tuple[float, Quad]] = []
    for three in itertools.combinations(good, 3):
        sizes = [each.size_px for each in three]
        if max(sizes) > 2 * min(sizes):
            continue
        scored = _square(*_around_a_corner(three), float(np.mean(sizes)))
        if scored is not None:
            found.append(scored)
    for _, quad in sorted(found, key=lambda each: each[0]):
        yield quad


def _around_a_corner(
    three: tuple[FinderPattern, FinderPattern, FinderPattern],
) -> tuple[FinderPattern, FinderPattern, FinderPattern]:
    """Return the three with the one opposite to the longest side first, then clockwise."""
    a, b, c = three
    opposite = {
        0: (b.x - c.x) ** 2 + (b.y - c.y) ** 2,
        1: (a.x - c.x) ** 2 + (a.y - c.y) ** 2,
        2: (a.x - b.x) ** 2 + (a.y - b.y) ** 2,
    }
    first = max(opposite, key=opposite.__getitem__)
    corner, one, two = three[first], three[(first + 1) % 3], three[(first + 2) % 3]
    turn = (one.x - corner.x) * (two.y - corner.y) - (one.y - corner.y) * (two.x - corner.x)
    return (corner, one, two) if turn > 0 else (corner, two, one)


def _square(
    corner: FinderPattern, right: FinderPattern, down: FinderPattern, size_px: float
) -> tuple[float, Quad] | None:
    """Return how unlike a square the three are, and the square; None if too unlike."""
    at = np.array([corner.x, corner.y])
    across, along = np.array([right.x, right.y]) - at, np.array([down.x, down.y]) - at
    turn = float(across[0] * along[1] - across[1] * along[0])
    lengths = float(np.hypot(*across)), float(np.hypot(*along))
    if turn <= 0 or not 1.3 * size_px < min(lengths) <= max(lengths) < _FAR * size_px:
        return None
    skew = abs(float(across @ along)) / (lengths[0] * lengths[1])
    uneven = abs(float(np.log(lengths[0] / lengths[1])))
    if skew > 0.7 or uneven > 0.9:
        return None
    reach = _CORNER * size_px
    u, v = across / lengths[0] * reach, along / lengths[1] * reach
    corners = (at - u - v, at + across + u - v, at + across + along + u + v, at + along - u + v)
    support = min(sum(each.support for each in (corner, right, down)), 90) / 60
    return skew + uneven - support, _quad(np.array(corners))


def _of_patches(picture: Gray) -> Iterator[Quad]:
    """Yield the upright squares around patches of edges in both directions, strongest first."""
    edges = _edges_both_ways(picture)
    strongest = float(edges.max())
    if strongest < _PATCH_LEAST:
        return
    strong = (edges > _PATCH_SHARE * strongest).astype(np.uint8)
    _, _, boxes, middles = cv2.connectedComponentsWithStats(strong, connectivity=4)
    del middles
    ranked: list[tuple[float, Quad]] = []
    for left, top, width, height, area in boxes[1:].tolist():
        side = max(width, height)
        if min(width, height) < side / 4 or area < side * side / 6 or side < _LEAST_PATCH:
            continue
        within = float(edges[top : top + height, left : left + width].mean())
        grown = np.array([width, height]) * _GROWN
        low, high = np.array([left, top]) - grown, np.array([left + width, top + height]) + grown
        corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])]) * _COARSER
        ranked.append((-within * area / (width * height), _quad(corners)))
    for _, quad in sorted(ranked, key=lambda each: each[0])[:_PATCHES]:
        yield quad


def _edges_both_ways(picture: Gray) -> NDArray[np.float32]:
    """Return the weaker of the mean gradients across and down, for each `_COARSER` pixels.

    They are taken relative to the brightness around: paper in a shadow has weaker edges.
    """
    window = (_PATCH, _PATCH)
    size = picture.shape[1] // _COARSER, picture.shape[0] // _COARSER
    gradients = (
        cv2.convertScaleAbs(cv2.Sobel(picture, cv2.CV_16S, *axes), alpha=0.25)
        for axes in ((1, 0), (0, 1))
    )
    across, down, light = (
        cv2.blur(cv2.resize(each, size, interpolation=cv2.INTER_AREA), window).astype(np.float32)
        for each in (*gradients, picture)
    )
    return np.asarray(cv2.min(across, down) / (light + np.float32(_DARK)), np.float32)


def _quad(corners: NDArray[np.float64]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return (a, b, c, d)


def _same_place(quad: Quad, other: Quad) -> bool:
    """Return whether two quads' upright bounds overlap by more than half of the smaller one."""
    one, two = np.array(quad), np.array(other)
    low = np.maximum(one.min(axis=0), two.min(axis=0))
    high = np.minimum(one.max(axis=0), two.max(axis=0))
    shared = float(np.prod(np.maximum(high - low, 0)))
    areas = [float(np.prod(each.max(axis=0) - each.min(axis=0))) for each in (one, two)]
    return shared > _SAME * min(areas)
