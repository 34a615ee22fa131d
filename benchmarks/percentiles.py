"""Percentiles of a run, as the benchmarks print them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from appliance.percentile import percentile


class Percentiles(msgspec.Struct, frozen=True):
    """Median and 99th percentile, nearest rank, in the unit of the samples."""

    p50: float
    p99: float


def percentiles(samples: Sequence[float], *, digits: int = 3) -> Percentiles:
    """Return both percentiles, rounded.

    :raises ValueError: if there are no samples.

    >>> percentiles([3, 1, 2])
    Percentiles(p50=2, p99=3)
    """
    return Percentiles(
        round(percentile(samples, 50), digits), round(percentile(samples, 99), digits)
    )
