"""Reads codes that do not lie flat, are blurred, worn or half hidden: slowly, and one at a time.

Finder patterns are found and fitted one by one, every symbol that they may belong to is covered
with a grid that follows its surface, and what the grid sees goes to error correction as soft
values. Costs tens to hundreds of milliseconds, so this belongs on the slow lane.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.regions import scaled
from scanner.camera.sighting import Sighting
from scanner.camera.symbol.finder import Finder, fit_anew, softened
from scanner.camera.symbol.grid import COARSE, FINE
from scanner.camera.symbol.hypotheses import Hypothesis, hypotheses
from scanner.camera.symbol.locate import (
    FinderPattern,
    darker_than_around,
    finder_patterns,
    merged,
)
from scanner.camera.symbol.overlay import Overlay, lay
from scanner.camera.symbol.pyramid import Pyramid, at_level, from_level
from scanner.camera.symbol.structure import SMALLEST_VERSION, size_of

Expired = Callable[[], bool]
"""Tells whether the time that a reader was given is over."""

_LEAST_LIKENESS = 0.15
"""Agreement with what all symbols of the version have in common below which no grid fits."""
_LIKELY = 0.4
"""Agreement at which there is a symbol most likely: wrong versions mostly have less."""
_MOST_MODULES = 36_000
"""Of all symbols of one picture that are tried: clutter must come to an end even where no clock
runs. It is what 30 symbols of version 4 have, or two of version 29; none of a larger version is
tried."""
_DOUBTFUL_READ = 3
"""Less likely symbols of one stage that are worth more than a plain look."""
_STRETCHES = ((1.0, 1.0), (3.0, 1.0), (1.0, 3.0))
"""Enlargements across and down: a code seen from the side is thin in one direction."""
_STRETCHED_MAX_PIXELS = 4_800_000
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
        if across * down > 1 and gray.size * across * down > _STRETCHED_MAX_PIXELS:
            continue
        for sighting in _Search(_stretched(gray, across, down), expired).sightings():
            quad = scaled(sighting.quad, 1 / across, 1 / down)
            return [msgspec.structs.replace(sighting, quad=quad)]
        if expired():
            break
    return []


def _stretched(gray: Gray, across: float, down: float) -> Gray:
    if across == down == 1.0:
        return gray
    size = round(gray.shape[1] * across), round(gray.shape[0] * down)
    return cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


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
        self._modules_left = _MOST_MODULES

    def sightings(self) -> Iterator[Sighting]:
        """Yield what is read, stage by stage: what is found soonest is tried first."""
        for level in self._levels():
            self._look_at(level)
            for fits in _FITS:
                self._fit(fits)
                yield from self._attempts()

    def _attempts(self) -> Iterator[Sighting]:
        """Yield what the symbols that may be made of the finder patterns say.

        What looks like a symbol is read by all means at once, what hardly does only after all
        others had a look.
        """
        if self._expired():
            return
        doubtful: list[tuple[float, Hypothesis]] = []
        for hypothesis in hypotheses(self._finders):
            if self._expired():
                return
            if not self._is_new(hypothesis):
                continue
            overlay = self._laid(hypothesis, COARSE)
            if overlay is None or overlay.likeness < _LEAST_LIKENESS:
                continue
            yield from overlay.read(overlay.plain)
            if overlay.likeness < _LIKELY:
                doubtful.append((-overlay.likeness, hypothesis))
            else:
                yield from self._by_all_means(hypothesis)
        for _, hypothesis in sorted(doubtful, key=lambda each: each[0])[:_DOUBTFUL_READ]:
            yield from self._by_all_means(hypothesis)

    def _by_all_means(self, hypothesis: Hypothesis) -> Iterator[Sighting]:
        overlay = None if self._expired() else self._laid(hypothesis, FINE)
        if overlay is None:
            return
        for soft in itertools.chain([overlay.plain], overlay.cleared()):
            if self._expired():
                return
            yield from overlay.read(soft)

    def _laid(self, hypothesis: Hypothesis, spacing: int) -> Overlay | None:
        """Return a grid for the symbol; None if too much was tried already."""
        modules = size_of(hypothesis.version) ** 2
        if modules > min(self._modules_left, _MOST_MODULES // 2):
            return None
        self._modules_left -= modules
        return lay(self._pyramid, hypothesis, spacing)

    def _levels(self) -> Iterator[int]:
        size = self._pyramid.whole.size
        yield from (-1, 0) if size > _LARGE_PIXELS else (0, -1)
        if size * 4 <= _ENLARGED_MAX_PIXELS:
            yield 1
        yield -2

    def _look_at(self, level: int) -> None:
        picture = self._pyramid.level(level)
        if min(picture.shape) < size_of(SMALLEST_VERSION):
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

    def _is_new(self, hypothesis: Hypothesis) -> bool:
        key = (
            hypothesis.version,
            *(tuple(np.rint(seed.finder.middle).astype(int).tolist()) for seed in hypothesis.seeds),
            *((seed.column, seed.row) for seed in hypothesis.seeds),
        )
        if key in self._attempted:
            return False
        self._attempted.add(key)
        return True

    def _fitted(self, pattern: FinderPattern) -> Finder | None:
        level = self._pyramid.level_for(pattern.size_px / 7, 5.0)
        if level not in self._soft:
            self._soft[level] = softened(self._pyramid.level(level))
        middle = at_level(np.array([pattern.x, pattern.y]), level)
        finder = fit_anew(self._soft[level], middle, pattern.size_px * 2.0**level)
        if finder is None:
            return None
        return Finder(finder.agreement, from_level(finder.middle, level), finder.axes / 2.0**level)
