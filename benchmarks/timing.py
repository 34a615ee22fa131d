"""What a call costs: by the wall, and by the processor of the thread that calls."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

Result = TypeVar("Result")


class Took(msgspec.Struct, frozen=True):
    """Seconds of one call: by the wall, and of this process's cores."""

    wall_s: float
    cpu_s: float

    @classmethod
    def typical(cls, calls: Sequence[Took]) -> Took:
        """Return the medians of several calls, at least one."""
        return cls(
            statistics.median(call.wall_s for call in calls),
            statistics.median(call.cpu_s for call in calls),
        )

    @classmethod
    def together(cls, calls: Sequence[Took]) -> Took:
        """Return what several calls took one after the other."""
        return cls(sum(call.wall_s for call in calls), sum(call.cpu_s for call in calls))


def timed(work: Callable[[], Result]) -> tuple[Result, Took]:
    """Return what a call returns, and what it took."""
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    result = work()
    return result, Took(time.perf_counter() - begun_s, time.process_time() - begun_cpu_s)


class Spent(msgspec.Struct):
    """Milliseconds of every call of one kind, in the order of the calls.

    `cpu_ms` is what the calling thread kept a core busy for: what others do to the machine changes
    it little. `elsewhere_ms` is what other threads of this process spent meanwhile.
    """

    wall_ms: list[float] = msgspec.field(default_factory=list)
    cpu_ms: list[float] = msgspec.field(default_factory=list)
    elsewhere_ms: list[float] = msgspec.field(default_factory=list)

    def on(self, call: Callable[[], Result]) -> Result:
        """Call, note what it cost, and return what it returned."""
        before = _clocks_ns()
        result = call()
        wall, cpu, process = (a - b for a, b in zip(_clocks_ns(), before, strict=True))
        self.wall_ms.append(wall / 1e6)
        self.cpu_ms.append(cpu / 1e6)
        self.elsewhere_ms.append(max(0, process - cpu) / 1e6)
        return result


def _clocks_ns() -> tuple[int, int, int]:
    return time.perf_counter_ns(), time.thread_time_ns(), time.process_time_ns()


class Rounds:
    """The same calls several times over: what one bad second did to a round is left out.

    :param count: how many rounds there are, at least 1.
    """

    def __init__(self, count: int) -> None:
        self._rounds = [Spent() for _ in range(count)]

    def __getitem__(self, number: int) -> Spent:
        """Return what is spent in round `number`."""
        return self._rounds[number]

    @property
    def cpu_ms(self) -> float:
        """The median of the rounds' mean processor times; 0 if nothing was called."""
        return _typical_mean([spent.cpu_ms for spent in self._rounds])

    @property
    def wall_ms(self) -> float:
        """The median of the rounds' mean times; 0 if nothing was called."""
        return _typical_mean([spent.wall_ms for spent in self._rounds])


def _typical_mean(rounds: Sequence[Sequence[float]]) -> float:
    means = [statistics.fmean(samples) for samples in rounds if samples]
    return round(statistics.median(means), 4) if means else 0.0
