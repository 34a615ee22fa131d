"""One symbol that may be there: its grid laid over the picture, and what can be read through it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.regions import Quad
from scanner.camera.sighting import Sighting, sighting_of
from scanner.camera.symbol.contrast import Soft, agreement, equalised, local_contrast, normalised
from scanner.camera.symbol.finder import Finder
from scanner.camera.symbol.grid import COARSE, grow, sampled
from scanner.camera.symbol.hypotheses import Hypothesis, Seed
from scanner.camera.symbol.pyramid import Pyramid, at_level, from_level
from scanner.camera.symbol.reading import read_matrix
from scanner.camera.symbol.repair import repair
from scanner.camera.symbol.structure import size_of

NONPLANAR_RUNG = "nonplanar"

_MODULE_PX = 6.0
"""Pixels per module that grids are grown at."""
_LARGEST_PX = 8000
"""More across or down than any symbol has at that scale: a finder pattern fitted to what is none
may claim more than OpenCV can look up (32,767)."""


class Overlay(msgspec.Struct, frozen=True):
    """A grid over a picture."""

    version: int
    picture: Gray
    """The part of the picture around the symbol, at its own scale."""
    middles: NDArray[np.float64]
    """Of every module, in pixels of `picture` (size x size x 2)."""
    plain: Soft
    """How dark the modules look (size x size)."""
    likeness: float
    """How well that agrees with what all symbols of the version have in common: 1 is perfect."""
    quad: Quad
    """The symbol's corners in the whole picture."""

    def cleared(self) -> Iterator[Soft]:
        """Yield the modules' soft values taken in other ways, each against another fault."""
        brightness = cv2.GaussianBlur(self.picture, (0, 0), 0.8).astype(np.float32)
        even = normalised(sampled(brightness, self.middles))
        yield np.clip(even, -1, 1)
        yield equalised(even, self.version, reach=1, restraint=3.0)
        yield equalised(even, self.version, reach=2, restraint=6.0)

    def read(self, soft: Soft) -> Iterator[Sighting]:
        """Yield what the symbol says if its modules have these values, or nothing."""
        repaired = repair(soft)
        barcode = read_matrix(repaired.matrix) if repaired is not None else None
        if barcode is not None:
            sighting = sighting_of(barcode, NONPLANAR_RUNG, self.quad)
            if sighting is not None:
                yield sighting


def lay(pyramid: Pyramid, hypothesis: Hypothesis, spacing: int = COARSE) -> Overlay:
    """Return the grid of a symbol that may be in a picture, with a node every `spacing` modules."""
    version = hypothesis.version
    module_px = float(np.mean([seed.finder.module_px for seed in hypothesis.seeds]))
    level = pyramid.level_for(module_px, _MODULE_PX)
    scaled_px = module_px * 2.0**level
    seeds = [_seed_at(seed, level) for seed in hypothesis.seeds]
    picture, corner = _around(pyramid.level(level), seeds, version, scaled_px)
    seeds = [_seed_moved(seed, corner) for seed in seeds]
    contrast = local_contrast(picture, scaled_px)
    middles = grow(contrast, version, seeds, spacing).smoothed().module_middles()
    plain = sampled(contrast, middles)
    quad = _quad(middles + corner, level)
    return Overlay(version, picture, middles, plain, agreement(plain, version), quad)


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
    right, bottom = min(width, right, left + _LARGEST_PX), min(height, bottom, top + _LARGEST_PX)
    return picture[top:bottom, left:right], np.array([left, top], np.float64)


def _seed_moved(seed: Seed, corner: NDArray[np.float64]) -> Seed:
    finder = msgspec.structs.replace(seed.finder, middle=seed.finder.middle - corner)
    return msgspec.structs.replace(seed, finder=finder)


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
