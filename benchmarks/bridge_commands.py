"""Commands for a board, and whether its pins did exactly what a command asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from admission.signal import GATES, Output, Pulse, Signal, SignalName

PULSES: Final = 3
"""As many as ADMIT has, so that all frames are as long as its is."""
GATE_MS: Final = 100
"""A board's shortest gate pulse, unless it was configured."""
GATE_REST_MS: Final = 110
"""From the end of one gate pulse until the next is sure to begin at once."""
SLACK_MS: Final = 2.0
"""A board counts whole milliseconds, from the one that was running when the last byte came: the
first pulse is shorter by what had passed of it, and by the time that the frame takes."""
GATE_EVERY: Final = 40
_LIGHTS: Final = (Output.GREEN, Output.AMBER, Output.RED, Output.BUZZER)


class PinEdge(NamedTuple):
    """A pin of this output rose (`on`) or fell: by the chip's own clock, and by the host's."""

    output: Output
    on: bool
    board_ms: float
    at_ns: int


def command(number: int, chance: Random) -> Signal:
    """Return the next command: three outputs, each with short pulses; a gate now and then."""
    lights = chance.sample(_LIGHTS, PULSES)
    pulses = [
        Pulse(light, chance.randint(3, 8), chance.randint(3, 6), chance.randint(1, 2))
        for light in lights
    ]
    if number % GATE_EVERY == 0:
        pulses[-1] = Pulse(chance.choice(sorted(GATES)), GATE_MS)
    return Signal(SignalName.TEST, tuple(pulses))


def rest_ms(signal: Signal) -> int:
    """Return how long the next command has to wait after this one's last edge."""
    return GATE_REST_MS if any(pulse.output in GATES for pulse in signal.pulses) else 0


def edge_count(signal: Signal) -> int:
    """Return how many edges a command makes."""
    return sum(2 * pulse.count for pulse in signal.pulses)


def is_right(signal: Signal, edges: Sequence[PinEdge]) -> bool:
    """Return whether these edges, all that there were, are the command: no more and no less."""
    asked = {pulse.output: pulse for pulse in signal.pulses}
    if {edge.output for edge in edges} != set(asked):
        return False
    return all(
        _is_pulse(pulse, [edge for edge in edges if edge.output is output])
        for output, pulse in asked.items()
    )


def all_on_ns(signal: Signal, edges: Sequence[PinEdge]) -> int | None:
    """Return when the last of the command's outputs came on for the first time, if all did."""
    firsts = [
        next((edge.at_ns for edge in edges if edge.output is pulse.output and edge.on), None)
        for pulse in signal.pulses
    ]
    known = [first for first in firsts if first is not None]
    return max(known) if len(known) == len(firsts) else None


def _is_pulse(pulse: Pulse, edges: Sequence[PinEdge]) -> bool:
    if [edge.on for edge in edges] != [True, False] * pulse.count:
        return False
    spans_ms = [later.board_ms - earlier.board_ms for earlier, later in pairwise(edges)]
    wanted_ms = ([pulse.on_ms, pulse.off_ms] * pulse.count)[:-1]
    return all(
        abs(span_ms - wanted) <= SLACK_MS
        for span_ms, wanted in zip(spans_ms, wanted_ms, strict=True)
    )
