"""A grid of modules laid over a symbol that need not be flat.

From the finder patterns the grid grows outwards, node by node. Each node is expected where its
neighbours say, and then moved to where the modules around it are best told apart: a sampling
position in the middle of modules sees clear dark and light, one on their edges sees gray. So the
grid follows perspective, cylinders, waves of cloth and most creases, without a model of any.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.hypotheses import Seed
from scanner.camera.symbol.structure import DATA, function_modules, size_of

_SPACING = 3
"""Modules between two nodes."""
_BLOCK = np.array([(x, y) for y in range(-2, 3) for x in range(-2, 3)], np.float64)
"""The modules around a node that judge its place."""
_REACH, _STEPS = 0.5, 9
_offsets = np.linspace(-_REACH, _REACH, _STEPS)
_SHIFTS = np.array([(x, y) for x in _offsets for y in _offsets])
_RELUCTANCE = 0.12 * (_SHIFTS**2).sum(axis=1) / _REACH**2
"""What a shift must gain: without evidence a node stays where it is expected."""
_KNOWN_WEIGHT = 1.3
_NEIGHBOURS = 10
_SUBSAMPLES = (-0.22, 0.0, 0.22)
_REMAP_ROWS = 30_000  # cv2.remap takes fewer than 32,768

Picture = NDArray[np.float32]


class Grid(msgspec.Struct, frozen=True):
    """Where the nodes of a symbol's grid are in the picture.

    `columns` are the modules at which nodes lie (rows alike), `places` their middles in pixels
    (k x k x 2), `quality` how clearly modules are told apart there (k x k, 0 to about 1).
    """

    columns: NDArray[np.intp]
    places: NDArray[np.float64]
    quality: NDArray[np.float64]

    def module_middles(self) -> NDArray[np.float64]:
        """Return the middle of every module in pixels (size x size x 2)."""
        size = int(self.columns[-1]) + 1
        weights = _interpolation(tuple(int(each) for each in self.columns), size)
        middles: NDArray[np.float64] = np.einsum("ri,ijd,cj->rcd", weights, self.places, weights)
        return middles

    def smoothed(self, rounds: int = 8, strength: float = 0.6) -> Grid:
        """Return the grid with each node drawn towards the line through its neighbours.

        What is well seen hardly moves; what is not (under glare, say) follows the rest.
        """
        trust = np.clip(self.quality, 0.05, 1.0)[..., None] ** 2
        places = self.places
        share = np.diff(self.columns).astype(np.float64)
        share = share[:-1] / (share[:-1] + share[1:])
        for _ in range(rounds):
            pulled, weight = np.zeros_like(places), np.zeros_like(trust)
            for axis in (0, 1):
                lines, trusts = np.moveaxis(places, axis, 0), np.moveaxis(trust, axis, 0)
                between = share[:, None, None]
                expected = lines[:-2] * (1 - between) + lines[2:] * between
                least = np.minimum(trusts[:-2], trusts[2:])
                np.moveaxis(pulled, axis, 0)[1:-1] += least * expected
                np.moveaxis(weight, axis, 0)[1:-1] += least
            places = (trust * self.places + strength * pulled) / (trust + strength * weight)
        return Grid(self.columns, places, self.quality)


def grow(contrast: Picture, version: int, seeds: Sequence[Seed]) -> Grid:
    """Return the grid of a symbol of `version`, grown from its finder patterns.

    :param contrast: +1 where the picture is clearly dark, -1 where it is clearly light.
    """
    return _Growth(contrast, version, seeds).run()


def sampled(picture: Picture, middles: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the mean of nine places within each module (size x size)."""
    along, down = np.gradient(middles, axis=1), np.gradient(middles, axis=0)
    total = np.zeros(middles.shape[:2], np.float32)
    for x in _SUBSAMPLES:
        for y in _SUBSAMPLES:
            total += looked_up(picture, middles + x * along + y * down)
    return total / np.float32(len(_SUBSAMPLES) ** 2)


def looked_up(picture: Picture, places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the picture at `places` (... x 2, in pixels), interpolated; 0 outside of it."""
    flat = places.reshape(-1, 1, 2).astype(np.float32)
    pieces = [
        cv2.remap(
            picture,
            flat[at : at + _REMAP_ROWS],
            None,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(0.0,),
        )
        for at in range(0, len(flat), _REMAP_ROWS)
    ]
    values: NDArray[np.float32] = np.concatenate(pieces).reshape(places.shape[:-1])
    return values


class _Growth:
    """Nodes done so far, and those that border on them, the best seen first."""

    def __init__(self, contrast: Picture, version: int, seeds: Sequence[Seed]) -> None:
        self._contrast = contrast
        self._size = size_of(version)
        self._known = function_modules(version)
        self._seeds = seeds
        self._columns = _node_columns(self._size)
        count = len(self._columns)
        self._places = np.zeros((count, count, 2))
        self._quality = np.zeros((count, count))
        self._done = np.zeros((count, count), np.bool_)
        self._border: list[tuple[float, int, int]] = []
        # Column, row, x, y, weight of each place that is known, in the order of discovery.
        self._anchors = np.zeros((len(seeds) * 5 + count * count, 5))
        self._anchored = 0

    def run(self) -> Grid:
        for seed in self._seeds:
            self._plant(seed)
        while self._border:
            _, row, column = heapq.heappop(self._border)
            if not self._done[row, column]:
                self._settle(row, column)
        return Grid(self._columns, self._places, self._quality)

    def _plant(self, seed: Seed) -> None:
        finder = seed.finder
        for right, down in ((0, 0), (-3, -3), (3, -3), (-3, 3), (3, 3)):
            place = finder.middle + finder.axes @ np.array([right, down], np.float64)
            self._anchor(seed.column + right, seed.row + down, place, 2.0)
        middles = self._columns + 0.5
        for row in np.flatnonzero(np.abs(middles - seed.row) <= 4.2):
            for column in np.flatnonzero(np.abs(middles - seed.column) <= 4.2):
                heapq.heappush(self._border, (-9.0, int(row), int(column)))

    def _settle(self, row: int, column: int) -> None:
        self._done[row, column] = True
        at = self._columns[column], self._columns[row]
        expected, axes = self._expected(at[0] + 0.5, at[1] + 0.5)
        place, quality = self._best_near(at, expected, axes)
        self._places[row, column], self._quality[row, column] = place, quality
        self._anchor(at[0] + 0.5, at[1] + 0.5, place, max(0.05, quality) ** 2)
        last = len(self._columns) - 1
        for beside, above in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            next_column, next_row = column + beside, row + above
            if 0 <= next_column <= last and 0 <= next_row <= last:
                heapq.heappush(self._border, (-quality, next_row, next_column))

    def _anchor(self, column: float, row: float, place: NDArray[np.float64], weight: float) -> None:
        self._anchors[self._anchored] = (column, row, place[0], place[1], weight)
        self._anchored += 1

    def _expected(
        self, column: float, row: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where the nearest anchors say a module is, and its axes there."""
        anchors = self._anchors[: self._anchored]
        apart = anchors[:, :2] - (column, row)
        distance = (apart**2).sum(axis=1)
        if len(anchors) > _NEIGHBOURS:
            near = np.argpartition(distance, _NEIGHBOURS)[:_NEIGHBOURS]
        else:
            near = np.arange(len(anchors))
        weight = (anchors[near, 4] / (distance[near] + 4))[:, None]
        terms = np.ones((len(near), 3))
        terms[:, :2] = apart[near]
        normal = terms.T @ (weight * terms) + np.diag((1e-6, 1e-6, 0.0))
        solved = np.linalg.solve(normal, terms.T @ (weight * anchors[near, 2:4]))
        return solved[2], solved[:2].T

    def _best_near(
        self,
        at: tuple[int, int],
        expected: NDArray[np.float64],
        axes: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], float]:
        modules = _BLOCK + at
        inside = ((modules >= 0) & (modules < self._size)).all(axis=1)
        around = _BLOCK[inside]
        modules = modules[inside].astype(np.intp)
        known = self._known[modules[:, 1], modules[:, 0]]
        places = expected + (_SHIFTS @ axes.T)[:, None] + (around @ axes.T)[None]
        seen = looked_up(self._contrast, places)
        sign = np.where(known == DATA, 0, 2 * known - 1) * np.float32(_KNOWN_WEIGHT)
        clear = np.where(known == DATA, np.abs(seen), seen * sign).mean(axis=1)
        best = int(np.argmax(clear - _RELUCTANCE))
        return expected + axes @ _SHIFTS[best], float(clear[best])


def _node_columns(size: int) -> NDArray[np.intp]:
    """Return the modules at which nodes lie: from the first to the last, evenly."""
    count = max(2, round((size - 1) / _SPACING))
    return np.unique(np.rint(np.linspace(0, size - 1, count + 1)).astype(np.intp))


@cache
def _interpolation(columns: tuple[int, ...], size: int) -> NDArray[np.float64]:
    """Return what share of each node makes each module (size x nodes), linear between two."""
    return np.stack(
        [
            np.interp(np.arange(size), columns, np.eye(len(columns))[node])
            for node in range(len(columns))
        ],
        axis=1,
    )
