"""Contenders that do the same in turn: a second that the machine spends elsewhere falls on all.

Figures of one run compare; what one contender costs in two runs does not, on a machine that does
other things too.
"""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Contender: TypeAlias = tuple[Callable[[Any], object], Sequence[Any]]
"""What is called, and with what: each element in its turn."""


class Timed:
    """What each contender cost in each round: microseconds of this thread's processor a call."""

    def __init__(self, rounds: Mapping[str, Sequence[float]]) -> None:
        self._rounds = rounds

    def us(self, name: str) -> float:
        """Return the median of the rounds."""
        return round(statistics.median(self._rounds[name]), 3)

    def peer_us(self, name: str) -> float | None:
        """Return the median of the rounds; None if this one did not take part."""
        return self.us(name) if name in self._rounds else None

    def ratio(self, name: str, to: str) -> float | None:
        """Return how many times as dear `name` is as `to`: the median of what each round says.

        The two stand next to each other in each round, so that it is steadier than the medians'
        quotient. None if either was not there.
        """
        if name not in self._rounds or to not in self._rounds:
            return None
        pairs = zip(self._rounds[name], self._rounds[to], strict=True)
        return round(statistics.median(dear / cheap for dear, cheap in pairs), 2)


def take_turns(
    contenders: Mapping[str, Contender], *, rounds: int, progress: Callable[[float], None]
) -> Timed:
    """Call all contenders in turn, once to warm up and then `rounds` times.

    :param progress: called with the share that is done.
    """
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    with without_gc():
        for number in range(rounds + 1):
            for name, (call, arguments) in contenders.items():
                begun = time.thread_time_ns()
                for argument in arguments:
                    call(argument)
                took = time.thread_time_ns() - begun
                if number:
                    spent[name].append(took / 1e3 / max(1, len(arguments)))
            progress((number + 1) / (rounds + 1))
    return Timed(spent)


@contextlib.contextmanager
def without_gc() -> Iterator[None]:
    """Keep the garbage collector out: it would bill one contender for another's objects."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
