"""How likely each codeword was seen right, from how clearly its modules were seen and where.

Damage has a place: where a crease, a thumb or a reflection has turned over modules whose colour is
known, because they belong to function patterns or to a block that is already repaired, their
neighbours are doubtful too, however clearly they are seen.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

STEEPNESS = 6.0
"""A module seen with confidence c is taken to be right with odds of e^(6c)."""
UNIFORM_MODULES = 4
"""Squares of so many modules of one colour are glare or dirt rather than data, which the masks keep
mixed (7.8.3)..."""
UNIFORM_CONFIDENCE = 0.1
"""...so this is what is left of the confidence in them. By chance there is one in 30 symbols of
version 5: rare enough that doubting it costs nothing."""
NEIGHBOURHOOD_MODULES = 1.5
"""Standard deviation of the Gaussian that says what is near."""
USUALLY_WRONG = 0.03
"""Share of modules that are wrong where nothing is known..."""
USUAL_WEIGHT = 0.07
"""...and how much of the neighbourhood must be known to weigh as much."""


def clarity(values: Values) -> Values:
    """Return the confidence that each module is what it seems (0 to 1), by its look alone."""
    confidence = np.abs(values)
    confidence[_uniform(values)] *= UNIFORM_CONFIDENCE
    return confidence


def chances(values: Values, clear: Values, known: Values) -> Values:
    """Return the chance that each module is what it seems (0.5 to 1).

    :param clear: the `clarity` of `values`.
    :param known: what is certain already: 1 dark, -1 light, 0 unknown.
    """
    weight = np.abs(values * known)
    right = _near(weight)
    wrong = _near(np.where(values * known < 0, weight, np.float32(0)))
    rate = (wrong + USUALLY_WRONG * USUAL_WEIGHT) / (right + USUAL_WEIGHT)
    trust = np.maximum(1 - 2 * rate, 0)
    # 2 p - 1 = tanh(c / 2) where p has odds of e^c.
    chance: Values = (1 + np.tanh(clear * np.float32(STEEPNESS / 2)) * trust) / 2
    return chance


def _near(amount: Values) -> Values:
    blurred = cv2.GaussianBlur(amount, (0, 0), NEIGHBOURHOOD_MODULES)
    return np.asarray(blurred, np.float32)


def _uniform(values: Values) -> NDArray[np.bool_]:
    """Return which modules lie in a square of one colour."""
    square = np.ones((UNIFORM_MODULES, UNIFORM_MODULES), np.uint8)
    of_dark, of_light = (
        cv2.morphologyEx(np.ascontiguousarray(seen).astype(np.uint8), cv2.MORPH_OPEN, square)
        for seen in (values > 0, values < 0)
    )
    return np.logical_or(of_dark, of_light)
