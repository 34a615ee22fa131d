"""What happens to a symbol's modules on a card: stripes, spots, torn corners, flips and noise.

No damage touches the three finders with their separators. Without them nobody finds a symbol, and
finding is not what is measured.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import cache

import cv2
import msgspec
import numpy as np
import segno
from numpy.typing import NDArray

from scanner.camera.symbol.blocks import codewords_of, layout
from scanner.camera.symbol.reliability import Values
from scanner.camera.symbol.structure import Level, size_of

FINDER_MODULES = 8
"""Along one side, with its separator."""
_LETTERS = np.array(list(string.ascii_letters))


class Sample(msgspec.Struct, frozen=True):
    """One symbol and the chance that decides its damage, the same for little of it and for much."""

    matrix: NDArray[np.bool_]
    text: bytes
    place: float
    """Where among the places that there are a stripe or a spot lies: 0 to below 1."""
    order: NDArray[np.intp]
    """Flat indices of all modules outside the finders: the first ones flip first."""
    colours: Values
    """What each module shows if it shows anything: 1 or -1."""
    noise: Values
    """Of standard deviation 1, for each module; 0 in the finders."""


def sample(version: int, level: Level, random: np.random.Generator) -> Sample:
    """Return a symbol of this version and level, full of random letters."""
    size = size_of(version)
    text = "".join(random.choice(_LETTERS, capacity(version, level)))
    code = segno.make(
        text, version=version, error=level.name, mode="byte", boost_error=False, micro=False
    )
    outside = ~_finders(size)
    noise = np.where(outside, random.normal(0, 1, (size, size)), 0).astype(np.float32)
    return Sample(
        matrix=np.array([list(row) for row in code.matrix], np.bool_),
        text=text.encode(),
        place=float(random.random()),
        order=random.permutation(np.flatnonzero(outside)),
        colours=random.choice(np.array((-1, 1), np.float32), (size, size)),
        noise=noise,
    )


def capacity(version: int, level: Level) -> int:
    """Return the bytes that a symbol holds (table 7).

    >>> capacity(5, Level.L), capacity(10, Level.H)
    (106, 119)
    """
    plan = layout(version, level)
    data_bits = 8 * (codewords_of(version) - plan.correction * len(plan.blocks))
    mode_bits, count_bits = 4, 8 if version < 10 else 16  # tables 2 and 3
    return (data_bits - mode_bits - count_bits) // 8


def certain(matrix: NDArray[np.bool_]) -> Values:
    """Return the soft values of a perfect picture."""
    return np.where(matrix, 1, -1).astype(np.float32)


class Kind(msgspec.Struct, frozen=True):
    """A kind of damage, of which there may be more or less."""

    name: str
    measure: str
    """What its amount is."""
    step: float
    """The amounts that are tried are whole multiples of it."""
    most: Callable[[int], float]
    """From the modules along one side to the largest amount that leaves the finders alone."""
    damaged: Callable[[Sample, float], Values]
    """Returns the soft values that are left after so much of it."""

    def steps(self, version: int) -> int:
        """Return how many steps of damage a symbol of this version has room for."""
        return int(self.most(size_of(version)) / self.step + 1e-9)


@cache
def _finders(size: int) -> NDArray[np.bool_]:
    finders = np.zeros((size, size), np.bool_)
    near, far = slice(FINDER_MODULES), slice(-FINDER_MODULES, None)
    finders[near, near] = finders[near, far] = finders[far, near] = True
    finders.flags.writeable = False
    return finders


def _stripe(whole: Sample, share: float) -> NDArray[np.bool_]:
    """Return a stripe from top to bottom, anywhere between the upper finders."""
    size = len(whole.matrix)
    width = round(share * size)
    left = FINDER_MODULES + int(whole.place * (size - 2 * FINDER_MODULES - width + 1))
    area = np.zeros((size, size), np.bool_)
    area[:, left : left + width] = True
    return area


@cache
def _room(size: int) -> Values:
    """Return each module's distance in modules to the nearest finder or to the edge."""
    free = np.pad((~_finders(size)).astype(np.uint8), 1)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)[1:-1, 1:-1]


def _spot(whole: Sample, share: float) -> NDArray[np.bool_]:
    """Return a round spot anywhere between finders and edges; too large a one has one place."""
    size = len(whole.matrix)
    modules = round(share * size * size)
    room = _room(size)
    centres = np.argwhere(room > min((modules / np.pi) ** 0.5 + 0.5, float(room.max()) - 1e-3))
    centre = centres[int(whole.place * len(centres))]
    away = np.square(np.indices((size, size)) - centre[:, None, None]).sum(0)
    area = np.zeros(size * size, np.bool_)
    area[np.argsort(away, axis=None, kind="stable")[:modules]] = True
    return area.reshape(size, size) & ~_finders(size)


def _corner(whole: Sample, share: float) -> NDArray[np.bool_]:
    """Return a square in the corner without a finder."""
    size = len(whole.matrix)
    area = np.zeros((size, size), np.bool_)
    side = round(share**0.5 * size)
    area[size - side :, size - side :] = True
    return area


def _showing(
    where: Callable[[Sample, float], NDArray[np.bool_]], colour: float | None
) -> Callable[[Sample, float], Values]:
    """Return damage of an area that shows one colour, or a random one in each module."""

    def damaged(whole: Sample, share: float) -> Values:
        shown = whole.colours if colour is None else np.float32(colour)
        return np.where(where(whole, share), shown, certain(whole.matrix)).astype(np.float32)

    return damaged


def _flipped(whole: Sample, share: float) -> Values:
    values = certain(whole.matrix)
    values.ravel()[whole.order[: round(share * len(whole.order))]] *= -1
    return values


def _noisy(whole: Sample, deviation: float) -> Values:
    return np.clip(certain(whole.matrix) + whole.noise * np.float32(deviation), -1, 1)


def _between_finders(size: int) -> float:
    return (size - 2 * FINDER_MODULES) / size


def _beside_finders(size: int) -> float:
    return ((size - FINDER_MODULES) / size) ** 2


def _round_between_finders(size: int) -> float:
    return float(np.pi * (_room(size).max() - 0.5) ** 2) / size**2


_UNSEEN, _LIGHT, _RANDOM = 0.0, -1.0, None

KINDS = {
    "stripe_unseen": Kind(
        "stripe, unseen", "share of the width", 0.02, _between_finders, _showing(_stripe, _UNSEEN)
    ),
    "stripe_light": Kind(
        "stripe, light", "share of the width", 0.02, _between_finders, _showing(_stripe, _LIGHT)
    ),
    "spot_light": Kind(
        "spot, light", "share of the area", 0.02, _round_between_finders, _showing(_spot, _LIGHT)
    ),
    "spot_random": Kind(
        "spot, random", "share of the area", 0.02, _round_between_finders, _showing(_spot, _RANDOM)
    ),
    "corner_random": Kind(
        "corner, random", "share of the area", 0.02, _beside_finders, _showing(_corner, _RANDOM)
    ),
    "flips": Kind(
        "flips", "share of the modules outside the finders", 0.005, lambda _: 0.3, _flipped
    ),
    "noise": Kind(
        "noise, sigma", "standard deviation, dark is 1 and light -1", 0.05, lambda _: 2.0, _noisy
    ),
}
"""All kinds of damage by their keys in `chot bench damage --json`."""
