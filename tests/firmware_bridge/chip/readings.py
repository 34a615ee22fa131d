"""Pin edges in words: when an output was on, in milliseconds of the chip's own clock."""

from __future__ import annotations

from itertools import pairwise

from admission.signal import Output
from benchmarks.chip.chip import CYCLES_PER_MS, Chip
from benchmarks.chip.events import Moment


def spans_ms(chip: Chip, output: Output, *, on: int = 1) -> list[tuple[float, float]]:
    """Return when the output's pin was at its `on` level: from, until. Only what has ended."""
    edges = chip.edges_of(output)
    return [
        (first.cycle / CYCLES_PER_MS, second.cycle / CYCLES_PER_MS)
        for first, second in pairwise(edges)
        if first.level == on
    ]


def lengths_ms(chip: Chip, output: Output, *, on: int = 1) -> list[float]:
    """Return how long each time lasted."""
    return [end - begin for begin, end in spans_ms(chip, output, on=on)]


def gaps_ms(chip: Chip, output: Output) -> list[float]:
    """Return how long the output was off between two times."""
    return [second[0] - first[1] for first, second in pairwise(spans_ms(chip, output))]


def since_ms(chip: Chip, moment: Moment, output: Output) -> float:
    """Return how long after the moment the output's pin changed last."""
    return (chip.edges_of(output)[-1].cycle - moment.cycle) / CYCLES_PER_MS


def dark(chip: Chip) -> bool:
    """Return whether no output's pin is high."""
    return not any(chip.level(output) for output in Output)
