"""Symbols drawn on surfaces that are known exactly: where each module lies is the tests' truth.

Modules are (column, row) from the symbol's upper left corner, their middles at halves; pixels are
(x, y) from the middle of the picture's first one.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.regions import Quad
from scanner.camera.symbol.finder import Finder
from scanner.camera.symbol.hypotheses import Seed
from scanner.camera.symbol.structure import Level, size_of
from tests.scanner.camera.symbol.symbols import Matrix, symbol

Places = NDArray[np.float64]
Way = Callable[[Places], Places]

QUIET_MODULES = 4
PAPER, INK, AROUND = 225.0, 30.0, 120.0
_FINER = 2


class Surface(msgspec.Struct, frozen=True):
    """How (n x 2) places on a flat symbol come to lie in the picture, and back."""

    forth: Way
    back: Way

    def then(self, other: Surface) -> Surface:
        return Surface(
            lambda places: other.forth(self.forth(places)),
            lambda places: self.back(other.back(places)),
        )

    def at(self, column: float, row: float) -> Places:
        """The pixel of one place."""
        (there,) = self.forth(np.array([[column, row]], np.float64))
        return np.asarray(there, np.float64)

    def axes_at(self, column: float, row: float) -> Places:
        """One module along rows and one along columns there, as `Finder.axes` has them."""
        across = self.at(column + 0.5, row) - self.at(column - 0.5, row)
        down = self.at(column, row + 0.5) - self.at(column, row - 0.5)
        return np.stack((across, down), axis=1)


def turned(module_px: float, degrees: float = 0.0, skew: float = 0.0, thin: float = 1.0) -> Surface:
    """Modules to pixels, turned about the origin after one axis was made thinner and skewed."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = module_px * np.array([[cosine, -sine], [sine, cosine]]) @ [[1.0, skew], [0.0, thin]]
    inverse = np.linalg.inv(matrix)
    return Surface(lambda places: places @ matrix.T, lambda places: places @ inverse.T)


def tilted(size: int, degrees: float, distance: float = 3.0) -> Surface:
    """The symbol turned about its upright middle line, seen from `distance` times its size."""
    angle, half = np.radians(degrees), size / 2
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
    depth = 1 + corners[:, 0] * np.sin(angle) / 2 / distance
    seen = corners * np.array([np.cos(angle), 1.0]) / depth[:, None]
    flat = ((corners + 1) * half).astype(np.float32)
    found = cv2.getPerspectiveTransform(flat, ((seen + 1) * half).astype(np.float32))
    there = np.asarray(found, np.float64)
    back = np.asarray(np.linalg.inv(there), np.float64)
    return Surface(
        lambda places: _projected(there, places), lambda places: _projected(back, places)
    )


def wave(height: float, length: float) -> Surface:
    """Cloth: rows go up and down by `height` modules every `length` columns."""

    def shift(places: Places, sign: float) -> Places:
        rise = sign * height * np.sin(2 * np.pi * places[:, 0] / length)
        return places + np.stack((np.zeros_like(rise), rise), axis=1)

    return Surface(lambda places: shift(places, 1.0), lambda places: shift(places, -1.0))


def cylinder(size: int, radius: float) -> Surface:
    """A cup of `radius` modules, seen from far away onto the symbol's middle."""
    middle = size / 2

    def forth(places: Places) -> Places:
        around = np.clip((places[:, 0] - middle) / radius, -1.5, 1.5)
        return np.stack((middle + radius * np.sin(around), places[:, 1]), axis=1)

    def back(places: Places) -> Places:
        across = np.clip((places[:, 0] - middle) / radius, -1.0, 1.0)
        return np.stack((middle + radius * np.arcsin(across), places[:, 1]), axis=1)

    return Surface(forth, back)


def crease(column: float, narrower: float, slope: float) -> Surface:
    """Folded along a column: to its right modules are narrower, and rows slope down."""

    def forth(places: Places) -> Places:
        beyond = np.maximum(places[:, 0] - column, 0)
        shift = np.stack((beyond * (narrower - 1), beyond * slope), axis=1)
        return places + shift

    def back(places: Places) -> Places:
        beyond = np.maximum(places[:, 0] - column, 0) / narrower
        return np.stack((places[:, 0] - beyond * (narrower - 1), places[:, 1] - beyond * slope), 1)

    return Surface(forth, back)


FLAT = Surface(lambda places: places, lambda places: places)


class Drawing(msgspec.Struct, frozen=True):
    """A picture of one symbol, and where it is."""

    picture: Gray
    matrix: Matrix
    version: int
    surface: Surface
    """Modules to this picture's pixels."""

    def middles(self) -> Places:
        """The truth of `Grid.module_middles`."""
        size = len(self.matrix)
        rows, columns = np.indices((size, size)) + 0.5
        flat = np.stack((columns.ravel(), rows.ravel()), axis=1)
        return self.surface.forth(flat).reshape(size, size, 2)

    def quad(self) -> Quad:
        size = len(self.matrix)
        ends = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float64)
        a, b, c, d = ((float(x), float(y)) for x, y in self.surface.forth(ends))
        return (a, b, c, d)

    def seeds(self) -> tuple[Seed, Seed, Seed]:
        """The three finder patterns, as if they had been fitted without error."""
        near, far = 3.5, len(self.matrix) - 3.5
        a, b, c = (
            Seed(
                column,
                row,
                Finder(1.0, self.surface.at(column, row), self.surface.axes_at(column, row)),
            )
            for column, row in ((near, near), (far, near), (near, far))
        )
        return (a, b, c)


def drawn(
    version: int,
    surface: Surface,
    text: str = "chot",
    level: Level = Level.M,
    margin_px: int = 12,
) -> Drawing:
    """A symbol with its quiet zone on `surface`, in the middle of a gray picture that holds it."""
    matrix = symbol(text, version, level)
    size = size_of(version)
    quiet = QUIET_MODULES
    edge = np.linspace(-quiet, size + quiet, 60)
    low, high = np.full(60, float(-quiet)), np.full(60, float(size + quiet))
    outline = np.concatenate(
        [np.stack(pair, 1) for pair in ((edge, low), (edge, high), (low, edge), (high, edge))]
    )
    there = surface.forth(outline)
    corner = there.min(axis=0) - margin_px
    width, height = np.ceil(there.max(axis=0) + margin_px - corner).astype(int).tolist()
    here = surface.then(Surface(lambda places: places - corner, lambda places: places + corner))
    fine = (np.arange(max(width, height) * _FINER) + 0.5) / _FINER - 0.5
    x, y = np.meshgrid(fine[: width * _FINER], fine[: height * _FINER])
    module = np.floor(here.back(np.stack((x.ravel(), y.ravel()), axis=1))).astype(int)
    tones = np.pad(np.where(matrix, INK, PAPER), quiet, constant_values=PAPER)
    tones = np.pad(tones, 1, constant_values=AROUND)
    column, row = np.clip(module + quiet + 1, 0, len(tones) - 1).T
    seen = tones[row, column].reshape(height, _FINER, width, _FINER).mean(axis=(1, 3))
    return Drawing(np.rint(seen).astype(np.uint8), matrix, version, here)


def noisy(picture: Gray, deviation: float, seed: int = 0) -> Gray:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def lit(picture: Gray, left: float, right: float) -> Gray:
    """The picture with light that falls off from one side to the other."""
    light = np.linspace(left, right, picture.shape[1])
    return np.clip(picture * light, 0, 255).astype(np.uint8)


def smeared(picture: Gray, length_px: int) -> Gray:
    """The picture moved sideways during its exposure."""
    blurred = cv2.blur(picture, (length_px, 1))
    return np.asarray(blurred, np.uint8)


def _projected(matrix: Places, places: Places) -> Places:
    there = np.c_[places, np.ones(len(places))] @ matrix.T
    return np.asarray(there[:, :2] / there[:, 2:], np.float64)
