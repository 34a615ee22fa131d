"""Which finder patterns belong to one symbol, and of which version it then is.

Three patterns make a symbol if each, seen from the other's own axes, lies along an axis, and both
count the same modules between them. Where one of the three is damaged or under glare, two make it:
the third corner is then a guess for each place where it could be.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from scanner.camera.symbol.finder import Finder, Point
from scanner.camera.symbol.structure import (
    LARGEST_VERSION,
    SMALLEST_VERSION,
    size_of,
)

_CORNER = 3.5
"""Modules from a symbol's corner to the middle of the finder pattern there."""
_ALONG = 0.3
"""Modules aside per module along that still count as along an axis: perspective and bent paper."""
_UNEQUAL = 2.2
"""Times that the two ends of one side may differ in what they count between them: perspective."""
_MAX_HYPOTHESES = 24


class Seed(msgspec.Struct, frozen=True):
    """A fitted pattern and the column and row of its middle in the symbol, in modules."""

    column: float
    row: float
    finder: Finder


class Hypothesis(msgspec.Struct, frozen=True):
    """A symbol that may be there."""

    version: int
    seeds: tuple[Seed, ...]
    score: float


class _Side(msgspec.Struct, frozen=True):
    """Two finder patterns along one side of a symbol, axes turned so that it runs along `u`."""

    first: int
    second: int
    modules: float
    """Between their middles."""
    misfit: float
    turned: Finder
    other: Finder


def hypotheses(finders: Sequence[Finder]) -> list[Hypothesis]:
    """Return the symbols that `finders` may belong to, at most `_MAX_HYPOTHESES`.

    Those of three patterns come first, then those of two, the likeliest of each first.
    """
    sides = _sides(finders)
    whole = sorted(_of_three(finders, sides), key=lambda each: -each.score)
    two = itertools.chain(_of_two(finders, sides), _of_a_diagonal(finders))
    partial = sorted(two, key=lambda each: -each.score)
    return whole[: _MAX_HYPOTHESES // 2] + partial[: _MAX_HYPOTHESES // 2]


def versions_near(modules: float, spread: int = 1) -> list[int]:
    """Return the versions whose finder patterns are about `modules` apart, nearest first."""
    exact = (modules + 2 * _CORNER - 17) / 4
    reach = spread if exact < 12 else spread + 1
    near = range(round(exact) - reach, round(exact) + reach + 1)
    fitting = [each for each in near if SMALLEST_VERSION <= each <= LARGEST_VERSION]
    return sorted(
        (each for each in fitting if abs(each - exact) < 0.75 + 0.1 * exact),
        key=lambda each: abs(each - exact),
    )


def _sides(finders: Sequence[Finder]) -> list[_Side]:
    sides = []
    for first, second in itertools.permutations(range(len(finders)), 2):
        side = _side(finders, first, second)
        if side is not None:
            sides.append(side)
    return sides


def _side(finders: Sequence[Finder], first: int, second: int) -> _Side | None:
    one, two = finders[first], finders[second]
    if not 1 / 2.5 < one.module_px / two.module_px < 2.5:
        return None
    there = _turned_along(one, two.middle)
    back = _turned_along(two, one.middle)
    ahead, aside = there.in_modules(two.middle)
    behind, aslant = back.in_modules(one.middle)
    if min(ahead, behind) < 11 or max(ahead, behind) > size_of(LARGEST_VERSION) * 1.3:
        return None
    misfit = abs(aside / ahead) + abs(aslant / behind)
    if misfit > 2 * _ALONG or not 1 / _UNEQUAL < ahead / behind < _UNEQUAL:
        return None
    # The harmonic mean: under perspective it is what modules seen from both ends come to.
    return _Side(first, second, 2 / (1 / ahead + 1 / behind), misfit, there, back.turned(2))


def _turned_along(finder: Finder, target: Point) -> Finder:
    """Return `finder` with its axes turned so that `target` lies along the first one."""
    return _turned_so(_right_handed(finder), target, 0)


def _of_three(finders: Sequence[Finder], sides: Sequence[_Side]) -> Iterator[Hypothesis]:
    """Yield symbols with their upper left pattern where two sides meet."""
    from_corner: dict[int, list[_Side]] = {}
    for side in sides:
        from_corner.setdefault(side.first, []).append(side)
    for corner, leaving in from_corner.items():
        for right, down in itertools.permutations(leaving, 2):
            column, row = right.turned.in_modules(finders[down.second].middle)
            if row <= 0 or abs(column) > 0.6 * row:
                continue  # that one lies to the left, or not around a corner
            if not 1 / 1.6 < right.modules / down.modules < 1.6:
                continue
            modules = (right.modules + down.modules) / 2
            agreement = sum(finders[i].agreement for i in (corner, right.second, down.second))
            uneven = abs(float(np.log(right.modules / down.modules)))
            score = agreement - right.misfit - down.misfit - 2 * uneven
            lower = down.other.turned(-1)
            for penalty, version in enumerate(versions_near(modules)):
                far = size_of(version) - _CORNER
                seeds = (
                    Seed(_CORNER, _CORNER, right.turned),
                    Seed(far, _CORNER, right.other),
                    Seed(_CORNER, far, lower),
                )
                yield Hypothesis(version, seeds, score - 0.5 * penalty)


def _of_two(finders: Sequence[Finder], sides: Sequence[_Side]) -> Iterator[Hypothesis]:
    """Yield symbols of which only two corners are seen: the two ends of any one side."""
    for side in sides:
        agreement = finders[side.first].agreement + finders[side.second].agreement
        score = agreement - side.misfit
        for penalty, version in enumerate(versions_near(side.modules, spread=0)):
            far = size_of(version) - _CORNER
            left, right = side.turned, side.other
            # The side may be the upper one of the symbol, or (turned) its left one; the missing
            # corner's place needs no pattern: the symbol is grown from the two that are there.
            upper = (Seed(_CORNER, _CORNER, left), Seed(far, _CORNER, right))
            along = (
                Seed(_CORNER, far, left.turned(1)),
                Seed(_CORNER, _CORNER, right.turned(1)),
            )
            for seeds in (upper, along):
                yield Hypothesis(version, seeds, score - 0.5 * penalty)


def _of_a_diagonal(finders: Sequence[Finder]) -> Iterator[Hypothesis]:
    """Yield symbols of which the upper left corner is not seen."""
    for first, second in itertools.permutations(range(len(finders)), 2):
        upper, lower = _right_handed(finders[first]), _right_handed(finders[second])
        right = _turned_so(upper, lower.middle, 3)
        column, row = right.in_modules(lower.middle)
        left = _turned_so(lower, upper.middle, -1)
        back_column, back_row = left.in_modules(upper.middle)
        counted = [-column, row, back_column, -back_row]
        if min(counted) < 11 or max(counted) > 2 * min(counted):
            continue
        modules = float(np.mean(counted))
        uneven = float(np.log(max(counted) / min(counted)))
        score = upper.agreement + lower.agreement - 2 * uneven
        for penalty, version in enumerate(versions_near(modules, spread=0)):
            far = size_of(version) - _CORNER
            seeds = (Seed(far, _CORNER, right), Seed(_CORNER, far, left))
            yield Hypothesis(version, seeds, score - 0.5 * penalty)


def _right_handed(finder: Finder) -> Finder:
    """Return `finder` with axes as in a picture that is not mirrored."""
    if np.linalg.det(finder.axes) < 0:
        return msgspec.structs.replace(finder, axes=finder.axes[:, ::-1])
    return finder


def _turned_so(finder: Finder, target: Point, eighths: int) -> Finder:
    """Return `finder` turned so that `target` is at `eighths` of a turn from its first axis."""
    column, row = finder.in_modules(target)
    excess = np.arctan2(row, column) - eighths * np.pi / 4
    return finder.turned(round(excess / (np.pi / 2)))
