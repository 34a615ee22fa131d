"""Reads codes that do not lie flat, are blurred, worn or half hidden: slowly, and one at a time.

Finder patterns are found and fitted one by one, every symbol that they may belong to is covered
with a grid that follows its surface, and what the grid sees goes to error correction as soft
values. Costs tens to hundreds of milliseconds, so this belongs on the slow lane.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.sighting import Quad, Sighting, sighting_of
from scanner.camera.symbol.contrast import agreement, equalised, local_contrast, normalised
from scanner.camera.symbol.finder import Finder, fit_anew, softened
from scanner.camera.symbol.grid import Picture, grow, sampled
from scanner.camera.symbol.hypotheses import Hypothesis, Seed, hypotheses
from scanner.camera.symbol.locate import (
    FinderPattern,
    darker_than_around,
    finder_patterns,
    merged,
)
from scanner.camera.symbol.pyramid import Pyramid, at_level, from_level
from scanner.camera.symbol.reading import read_matrix
from scanner.camera.symbol.repair import repair
from scanner.camera.symbol.structure import size_of

NONPLANAR_RUNG = "nonplanar"
SMALLEST_SIDE_PX = 21

Expired = Callable[[], bool]
"""Tells whether the time that a reader was given is over."""

_MODULE_PX = 6.0
_LEAST_COMMON = 0.22
"""Agreement with what all symbols of the version have in common below which no grid fits."""
_STRETCHES = ((1.0, 1.0), (3.0, 1.0), (1.0, 3.0))
"""Enlargements across and down: a code seen from the side is thin in one direction."""
_STRETCHED_MAX_PIXELS = 5_000_000
_ENLARGED_MAX_PIXELS = 1_200_000
_LARGE_PIXELS = 700_000
"""Larger pictures are searched at half their size first: their codes are mostly large, too."""
_THRESHOLDS = ((25, 3, 0.0), (61, 3, 0.0), (31, 2, 1.5), (91, 2, 1.5))
"""Window, offset and blur in pixels, as `darker_than_around` takes them."""
_FITS = (6, 14)
"""Finder patterns that are fitted in each stage before symbols are made of them."""


def nonplanar_reader(
    monotonic_ns: Callable[[], int],
) -> Callable[[Gray, int], Sequence[Sighting]]:
    """Return `read_nonplanar` as the slow lane wants it: with a time on its clock as the bound."""

    def read(gray: Gray, until_ns: int) -> Sequence[Sighting]:
        return read_nonplanar(gray, lambda: monotonic_ns() >= until_ns)

    return read


def read_nonplanar(gray: Gray, expired: Expired) -> list[Sighting]:
    """Return the first code that is read in `gray`, an empty list if none is or time is over."""
    for across, down in _STRETCHES:
        if across * down > 1 and gray.size * across * down > 4 * _ENLARGED_MAX_PIXELS:
            continue
        for sighting in _Search(_stretched(gray, across, down), expired).sightings():
            return [_unstretched(sighting, across, down)]
        if expired():
            break
    return []


def _stretched(gray: Gray, across: float, down: float) -> Gray:
    if across == down == 1.0:
        return gray
    size = round(gray.shape[1] * across), round(gray.shape[0] * down)
    return cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _unstretched(sighting: Sighting, across: float, down: float) -> Sighting:
    a, b, c, d = ((x / across, y / down) for x, y in sighting.quad)
    return msgspec.structs.replace(sighting, quad=(a, b, c, d))


class _Search:
    """One search of one picture."""

    def __init__(self, gray: Gray, expired: Expired) -> None:
        self._pyramid = Pyramid(gray)
        self._expired = expired
        self._soft: dict[int, NDArray[np.float32]] = {}
        self._found: list[FinderPattern] = []
        self._fitted_at: set[tuple[int, int]] = set()
        self._finders: list[Finder] = []
        self._attempted: set[Hashable] = set()

    def sightings(self) -> Iterator[Sighting]:
        """Yield what is read, stage by stage: what is found soonest is tried first."""
        for level in self._levels():
            self._look_at(level)
            for fits in _FITS:
                self._fit(fits)
                for hypothesis in hypotheses(self._finders):
                    if self._expired():
                        return
                    sighting = self._attempt_once(hypothesis)
                    if sighting is not None:
                        yield sighting

    def _levels(self) -> Iterator[int]:
        size = self._pyramid.whole.size
        yield from (-1, 0) if size > _LARGE_PIXELS else (0, -1)
        if size * 4 <= _ENLARGED_MAX_PIXELS:
            yield 1
        yield -2

    def _look_at(self, level: int) -> None:
        picture = self._pyramid.level(level)
        if min(picture.shape) < SMALLEST_SIDE_PX:
            return
        scale = 2.0**-level
        for window_px, offset, blur_px in _THRESHOLDS:
            if self._expired():
                return
            dark = darker_than_around(picture, window_px, offset, blur_px)
            self._found += [each.scaled(scale, scale) for each in finder_patterns(dark)]
        self._found = merged(self._found)

    def _fit(self, count: int) -> None:
        """Fit the patterns that are best supported by now, but none twice."""
        for pattern in self._found[:count]:
            if self._expired():
                return
            place = round(pattern.x / pattern.size_px * 3), round(pattern.y / pattern.size_px * 3)
            if place not in self._fitted_at:
                self._fitted_at.add(place)
                finder = self._fitted(pattern)
                if finder is not None:
                    self._finders.append(finder)

    def _attempt_once(self, hypothesis: Hypothesis) -> Sighting | None:
        key = (
            hypothesis.version,
            *(tuple(np.rint(seed.finder.middle).astype(int).tolist()) for seed in hypothesis.seeds),
            *((seed.column, seed.row) for seed in hypothesis.seeds),
        )
        if key in self._attempted:
            return None
        self._attempted.add(key)
        return self._attempt(hypothesis)

    def _fitted(self, pattern: FinderPattern) -> Finder | None:
        level = self._pyramid.level_for(pattern.size_px / 7, 5.0)
        if level not in self._soft:
            self._soft[level] = softened(self._pyramid.level(level))
        middle = at_level(np.array([pattern.x, pattern.y]), level)
        finder = fit_anew(self._soft[level], middle, pattern.size_px * 2.0**level)
        if finder is None:
            return None
        return Finder(finder.agreement, from_level(finder.middle, level), finder.axes / 2.0**level)

    def _attempt(self, hypothesis: Hypothesis) -> Sighting | None:
        module_px = float(np.mean([seed.finder.module_px for seed in hypothesis.seeds]))
        level = self._pyramid.level_for(module_px, _MODULE_PX)
        scaled_px = module_px * 2.0**level
        seeds = [_seed_at(seed, level) for seed in hypothesis.seeds]
        picture, corner = _around(self._pyramid.level(level), seeds, hypothesis.version, scaled_px)
        seeds = [_seed_moved(seed, corner) for seed in seeds]
        contrast = local_contrast(picture, scaled_px)
        grown = grow(contrast, hypothesis.version, seeds)
        for grid in (grown.smoothed(), grown):
            middles = grid.module_middles()
            for soft in soft_values(picture, contrast, middles, hypothesis.version):
                repaired = repair(soft)
                if repaired is None:
                    continue
                barcode = read_matrix(repaired.matrix)
                if barcode is not None:
                    return sighting_of(barcode, NONPLANAR_RUNG, _quad(middles + corner, level))
        return None


def _around(
    picture: Gray, seeds: list[Seed], version: int, module_px: float
) -> tuple[Gray, NDArray[np.float64]]:
    """Return the part of the picture where a symbol may be, and its upper left corner (x, y)."""
    size = size_of(version)
    middles = np.array([seed.finder.middle for seed in seeds])
    corners = []
    for seed in seeds:
        for column, row in ((0, 0), (size, 0), (0, size), (size, size)):
            away = np.array([column - seed.column, row - seed.row])
            corners.append(seed.finder.middle + seed.finder.axes @ away)
    # Each seed sees the far corners in its own perspective: what most of them say is enough.
    reach = np.array(corners).reshape(len(seeds), 4, 2).mean(axis=0)
    points = np.concatenate((middles, reach))
    margin_px = (0.15 * size + 6) * module_px
    height, width = picture.shape
    left, top = np.maximum(points.min(axis=0) - margin_px, 0).astype(int)
    right, bottom = (points.max(axis=0) + margin_px).astype(int)
    right, bottom = min(width, right), min(height, bottom)
    return picture[top:bottom, left:right], np.array([left, top], np.float64)


def _seed_moved(seed: Seed, corner: NDArray[np.float64]) -> Seed:
    finder = msgspec.structs.replace(seed.finder, middle=seed.finder.middle - corner)
    return msgspec.structs.replace(seed, finder=finder)


def soft_values(
    picture: Gray, contrast: Picture, middles: NDArray[np.float64], version: int
) -> Iterator[NDArray[np.float32]]:
    """Yield soft values of a symbol's modules, taken in one way after another.

    None are yielded if the first do not look like a symbol of `version`.
    """
    plain = sampled(contrast, middles)
    if agreement(plain, version) < _LEAST_COMMON:
        return
    yield plain
    brightness = cv2.GaussianBlur(picture, (0, 0), 0.8).astype(np.float32)
    even = normalised(sampled(brightness, middles))
    yield np.clip(even, -1, 1)
    yield equalised(even, version, reach=1, restraint=3.0)
    yield equalised(even, version, reach=2, restraint=6.0)


def _seed_at(seed: Seed, level: int) -> Seed:
    finder = seed.finder
    there = Finder(finder.agreement, at_level(finder.middle, level), finder.axes * 2.0**level)
    return msgspec.structs.replace(seed, finder=there)


def _quad(middles: NDArray[np.float64], level: int) -> Quad:
    """Return a symbol's outer corners in the whole picture, clockwise from its own upper left."""
    inner = middles[[0, 0, -1, -1], [0, -1, -1, 0]]
    next_in = middles[[1, 1, -2, -2], [1, -2, -2, 1]]
    a, b, c, d = from_level(inner + (inner - next_in) / 2, level).tolist()
    return (tuple(a), tuple(b), tuple(c), tuple(d))
