"""Signals that can be told apart by the pins alone, and the verdict on what the pins did.

A number is a choice of lamps and buzzer, how often they pulse, and whether the gate opens. Whoever
asks for one and waits until it has ended can read from the edges which numbers ran, and how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from admission.signal import GATES, Output, Pulse, Signal, SignalName

ON_MS: Final = 30
OFF_MS: Final = 30
GATE_MS: Final = 120
"""At least the board's shortest gate pulse, so that it is kept as asked."""
NUMBERS: Final = 90
QUIET_MS: Final = 200
"""Edges further apart than this belong to two signals."""
LONGEST_MS: Final = 2 * (ON_MS + OFF_MS) + ON_MS
_LAMPS: Final = (Output.GREEN, Output.AMBER, Output.RED, Output.BUZZER)


class PinEdge(NamedTuple):
    """One output went on or off; `at_ms` on any clock that the board keeps."""

    output: Output
    on: bool
    at_ms: float


class Ran(NamedTuple):
    """What one stretch of edges was: a number, or None if it is no signal that there is."""

    number: int | None
    edges: tuple[PinEdge, ...]


def signal_of(number: int) -> Signal:
    """Return the signal of a number from 0 to `NUMBERS` - 1; no two look alike."""
    subset, rest = 1 + number % 15, number // 15
    repeats, gate = 1 + rest % 3, rest >= 3
    pulses = [
        Pulse(output, ON_MS, OFF_MS, repeats)
        for bit, output in enumerate(_LAMPS)
        if subset >> bit & 1
    ]
    if gate:
        pulses.append(Pulse(Output.GATE, GATE_MS))
    return Signal(SignalName.ADMIT, tuple(pulses))


def ran(edges: Iterable[PinEdge]) -> list[Ran]:
    """Return what the edges show, in order."""
    return [Ran(_number_of(stretch), stretch) for stretch in _stretches(list(edges))]


def faults(
    edges: Iterable[PinEdge], asked: Counter[int], acknowledged: Counter[int], slack_ms: float
) -> list[str]:
    """Return what the pins did that nobody asked for, or did not do though it was acknowledged.

    :param slack_ms: how much longer than asked the gate may seem to be open.
    """
    found = []
    seen: Counter[int] = Counter()
    for number, stretch in ran(edges):
        if number is None:
            found.append(f"no signal looks like {stretch}")
        else:
            seen[number] += 1
    found += [f"{n} ran {seen[n]} times, asked {asked[n]}" for n in seen if seen[n] > asked[n]]
    found += [
        f"{n} was acknowledged {times} times and ran {seen[n]}"
        for n, times in acknowledged.items()
        if seen[n] < times
    ]
    longest_ms = max(on_times_ms(edges, Output.GATE), default=0.0)
    if longest_ms > GATE_MS + slack_ms:
        found.append(f"the gate was open for {longest_ms:.1f} ms")
    return found


def on_times_ms(edges: Iterable[PinEdge], output: Output) -> Iterator[float]:
    """Return how long the output was on, each time that it was and is off again."""
    since_ms: float | None = None
    for edge in edges:
        if edge.output is output and edge.on:
            since_ms = edge.at_ms
        elif edge.output is output and since_ms is not None:
            yield edge.at_ms - since_ms
            since_ms = None


def _stretches(edges: list[PinEdge]) -> list[tuple[PinEdge, ...]]:
    stretches: list[list[PinEdge]] = []
    for edge in sorted(edges, key=lambda edge: edge.at_ms):
        if not stretches or edge.at_ms - stretches[-1][-1].at_ms > QUIET_MS:
            stretches.append([])
        stretches[-1].append(edge)
    return [tuple(stretch) for stretch in stretches]


def _number_of(edges: tuple[PinEdge, ...]) -> int | None:
    rises = Counter(edge.output for edge in edges if edge.on)
    falls = Counter(edge.output for edge in edges if not edge.on)
    if rises != falls:
        return None
    gates = {output: count for output, count in rises.items() if output in GATES}
    lamps = {output: count for output, count in rises.items() if output not in GATES}
    if gates not in ({}, {Output.GATE: 1}) or len(set(lamps.values())) != 1:
        return None
    repeats = next(iter(lamps.values()))
    subset = sum(1 << bit for bit, output in enumerate(_LAMPS) if output in lamps)
    number = subset - 1 + 15 * (repeats - 1) + (45 if gates else 0)
    return number if repeats <= 3 else None
