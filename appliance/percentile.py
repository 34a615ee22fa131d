"""Percentiles of measured durations."""

from __future__ import annotations

import math
from collections.abc import Iterable


def percentile(samples: Iterable[float], percent: float) -> float:
    """Return the smallest sample that `percent` of all are no greater than (nearest rank).

    :raises ValueError: if there are no samples.

    >>> percentile(range(1, 101), 99)
    99
    """
    ranked = sorted(samples)
    if not ranked:
        raise ValueError("no samples")
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]
