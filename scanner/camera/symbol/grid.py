"""A grid of modules laid over a symbol that need not be flat.

From the finder patterns the grid grows outwards, node by node. Each node is expected where its
neighbours say, and then moved to where the modules around it are best told apart: a sampling
position in the middle of modules sees clear dark and light, one on their edges sees gray. So the
grid follows perspective, cylinders, waves of cloth and most creases, without a model of any.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.hypotheses import Seed
from scanner.camera.symbol.structure import DATA, function_modules, size_of

COARSE, FINE = 3, 2
"""Modules between two nodes: what most surfaces need, and what creases do, in twice the time."""
_BLOCK = np.array([(x, y) for y in range(-2, 3) for x in range(-2, 3)], np.float64)
"""The modules around a node that judge its place."""
_REACH, _STEPS = 0.5, 7
_offsets = np.linspace(-_REACH, _REACH, _STEPS)
_SHIFTS = np.array([(x, y) for x in _offsets for y in _offsets])
_RELUCTANCE = 0.12 * (_SHIFTS**2).sum(axis=1) / _REACH**2
"""What a shift must gain: without evidence a node stays where it is expected."""
_KNOWN_WEIGHT = 1.3
_NEIGHBOURHOOD = 90
"""Square modules from which a node is expected: 10 coarse neighbours or 22 fine ones."""
_PLANTED = 4.2
"""Modules around a finder pattern's middle in which growth begins."""
_SUBSAMPLES = (-0.22, 0.0, 0.22)
_REMAP_ROWS = 30_000  # cv2.remap takes fewer than 32,768

Picture = NDArray[np.float32]
Places = NDArray[np.floating[Any]]
"""Pairs (x, y) or single coordinates, as the names say."""


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
        along = [weights @ self.places[..., axis] @ weights.T for axis in (0, 1)]
        return np.stack(along, axis=-1)

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


def grow(contrast: Picture, version: int, seeds: Sequence[Seed], spacing: int = COARSE) -> Grid:
    """Return the grid of a symbol of `version`, grown from its finder patterns.

    :param contrast: +1 where the picture is clearly dark, -1 where it is clearly light.
    :param spacing: modules between two nodes.
    """
    return _Growth(contrast, version, seeds, spacing).run()


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
    across = places[..., 0].reshape(-1, 1).astype(np.float32)
    down = places[..., 1].reshape(-1, 1).astype(np.float32)
    pieces = [
        cv2.remap(
            picture,
            across[at : at + _REMAP_ROWS],
            down[at : at + _REMAP_ROWS],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0.0,
        )
        for at in range(0, len(across), _REMAP_ROWS)
    ]
    return np.asarray(np.concatenate(pieces), np.float32).reshape(places.shape[:-1])


class _Growth:
    """Nodes that are settled, and those that border on them: the clearest are settled next."""

    def __init__(
        self, contrast: Picture, version: int, seeds: Sequence[Seed], spacing: int
    ) -> None:
        self._contrast = contrast
        self._size = size_of(version)
        self._columns = _node_columns(self._size, spacing)
        self._neighbours = _NEIGHBOURHOOD // spacing**2
        count = len(self._columns)
        self._places = np.zeros((count, count, 2))
        self._quality = np.zeros((count, count))
        self._settled = np.zeros((count, count), np.bool_)
        self._border = np.zeros((count, count), np.bool_)
        self._signs, self._unknown = _expectations(version)
        # Column, row, x, y, weight of each place that is known, in the order of discovery.
        self._anchors = np.zeros((len(seeds) * 5 + count * count, 5))
        self._anchored = 0
        for seed in seeds:
            self._plant(seed)

    def run(self) -> Grid:
        while not self._settled.all():
            nodes = np.argwhere(self._border & ~self._settled)
            places, quality = self._judged(nodes)
            clearest = np.argsort(-quality, kind="stable")[: (len(nodes) + 1) // 2]
            self._settle(nodes[clearest], places[clearest], quality[clearest])
        return Grid(self._columns, self._places, self._quality)

    def _plant(self, seed: Seed) -> None:
        finder = seed.finder
        around = np.array([(0, 0), (-3, -3), (3, -3), (-3, 3), (3, 3)], np.float64)
        places = finder.middle + around @ finder.axes.T
        self._anchor(around + np.array([seed.column, seed.row]), places, np.full(len(around), 2.0))
        near = [np.abs(self._columns + 0.5 - at) <= _PLANTED for at in (seed.row, seed.column)]
        self._border |= near[0][:, None] & near[1][None, :]

    def _settle(
        self, nodes: NDArray[np.intp], places: NDArray[np.float64], quality: NDArray[np.float64]
    ) -> None:
        rows, columns = nodes[:, 0], nodes[:, 1]
        self._settled[rows, columns] = True
        self._places[rows, columns], self._quality[rows, columns] = places, quality
        self._anchor(
            np.stack((self._columns[columns], self._columns[rows]), axis=1) + 0.5,
            places,
            np.maximum(0.05, quality) ** 2,
        )
        border = self._border
        border[1:] |= self._settled[:-1]
        border[:-1] |= self._settled[1:]
        border[:, 1:] |= self._settled[:, :-1]
        border[:, :-1] |= self._settled[:, 1:]

    def _anchor(self, modules: Places, places: Places, weight: Places) -> None:
        added = self._anchors[self._anchored : self._anchored + len(modules)]
        added[:, :2], added[:, 2:4], added[:, 4] = modules, places, weight
        self._anchored += len(modules)

    def _judged(self, nodes: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where each node lies best, and how clearly modules are told apart there."""
        rows, columns = self._columns[nodes[:, 0]], self._columns[nodes[:, 1]]
        expected, axes = self._expected(columns + 0.5, rows + 0.5)
        shifts = np.einsum("nij,sj->nsi", axes, _SHIFTS)
        around = np.einsum("nij,bj->nbi", axes, _BLOCK)
        places = expected[:, None, None] + shifts[:, :, None] + around[:, None]
        seen = looked_up(self._contrast, places)
        # Modules beyond the symbol are padded with sign 0 and count for nothing.
        at = (
            rows[:, None] + _BLOCK[:, 1].astype(np.intp) + 2,
            (columns[:, None] + _BLOCK[:, 0].astype(np.intp) + 2),
        )
        sign, unknown = self._signs[at], self._unknown[at]
        clear = seen * sign[:, None] + np.abs(seen) * unknown[:, None]
        inside = (np.abs(sign) > 0).sum(axis=1) + unknown.sum(axis=1)
        clear = clear.sum(axis=2) / inside[:, None]
        best = np.argmax(clear - _RELUCTANCE, axis=1)
        each = np.arange(len(nodes))
        return expected + shifts[each, best], clear[each, best].astype(np.float64)

    def _expected(
        self, columns: Places, rows: Places
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where the nearest anchors say each module is, and its axes there."""
        anchors = self._anchors[: self._anchored]
        apart = anchors[None, :, :2] - np.stack((columns, rows), axis=1)[:, None]
        distance = (apart**2).sum(axis=2)
        count = min(self._neighbours, len(anchors))
        near = np.argpartition(distance, count - 1, axis=1)[:, :count]
        each = np.arange(len(columns))[:, None]
        weight = anchors[near, 4] / (distance[each, near] + 4)
        terms = np.ones((len(columns), count, 3))
        terms[:, :, :2] = apart[each, near]
        weighted = (terms * weight[..., None]).transpose(0, 2, 1)
        normal = weighted @ terms + np.diag((1e-6, 1e-6, 0.0))
        solved = np.linalg.solve(normal, weighted @ anchors[near, 2:4])
        return solved[:, 2], solved[:, :2].transpose(0, 2, 1)


@cache
def _expectations(version: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted sign of each known module and 1 for each unknown one, padded by 2."""
    known = np.pad(function_modules(version), 2, constant_values=-2)
    signs = np.where(known >= 0, 2 * known - 1, 0) * np.float32(_KNOWN_WEIGHT)
    return signs.astype(np.float32), (known == DATA).astype(np.float32)


def _node_columns(size: int, spacing: int) -> NDArray[np.intp]:
    """Return the modules at which nodes lie: from the first to the last, evenly."""
    count = max(2, round((size - 1) / spacing))
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
