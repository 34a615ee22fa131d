"""From a verdict to lamps, buzzer and gate: timed patterns in which everything ends by itself."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from admission.verdict import Outcome, Verdict

MAX_ON_MS = 5_000
"""Longest time that one pulse may keep an output energised. The microcontroller enforces it too."""
MAX_SIGNAL_MS = 10_000
"""Longest time from a signal's start to the end of its last pulse."""
MAX_PULSES = 8


class Output(IntEnum):
    """What can be energised. Values are on the wire."""

    GREEN = 0
    AMBER = 1
    RED = 2
    BUZZER = 3
    GATE = 4
    """Unlocks the way in (side A)."""
    GATE_B = 5
    """Unlocks the way out (side B)."""


GATES = frozenset({Output.GATE, Output.GATE_B})
LAMPS = frozenset({Output.GREEN, Output.AMBER, Output.RED})


class SignalName(IntEnum):
    """Which pattern this is, for logs and the board's display. Values are on the wire."""

    ADMIT = 1
    REFER = 2
    REFUSE = 3
    OUT_OF_ORDER = 4
    ALARM = 5
    """Somebody forced the gate, followed another one through, or opened the housing."""
    TEST = 6
    """A technician tries an output."""


class Pulse(msgspec.Struct, frozen=True, gc=False):
    """`count` times on for `on_ms`, then off for `off_ms`."""

    output: Output
    on_ms: int
    off_ms: int = 0
    count: int = 1

    @property
    def length_ms(self) -> int:
        """Time from the first edge on to the last edge off."""
        return self.count * self.on_ms + (self.count - 1) * self.off_ms


class Signal(msgspec.Struct, frozen=True):
    """One pattern: all pulses start together, each output appears once.

    :raises ValueError: if a pulse or the whole is longer than the limits of this module, or a
        gate's pulse is repeated.
    """

    name: SignalName
    pulses: tuple[Pulse, ...]

    def __post_init__(self) -> None:
        if len(self.pulses) > MAX_PULSES:
            msg = f"a signal has at most {MAX_PULSES} pulses"
            raise ValueError(msg)
        if len({p.output for p in self.pulses}) != len(self.pulses):
            raise ValueError("each output appears once in a signal")
        for p in self.pulses:
            if not (0 < p.on_ms <= MAX_ON_MS and 0 <= p.off_ms <= MAX_ON_MS and 0 < p.count <= 255):
                msg = f"{p} is outside the limits: on_ms 1 to {MAX_ON_MS}, count 1 to 255"
                raise ValueError(msg)
            if p.length_ms > MAX_SIGNAL_MS:
                msg = f"{p} lasts {p.length_ms} ms, longer than {MAX_SIGNAL_MS} ms"
                raise ValueError(msg)
            if p.output in GATES and p.count != 1:
                msg = f"{p} is outside the limits: a gate opens once for one person"
                raise ValueError(msg)


# Told apart as lighthouses are, whatever the colour: fixed, slow and even, quick and even, a short
# flash in the dark, very quick. And by the ear alone: two short beeps, one long, three middling,
# two long, a rattle. No lamp flashes more than three times in a second (WCAG 2.3.1: seizures).
ADMIT = Signal(
    SignalName.ADMIT,
    (
        Pulse(Output.GREEN, 1_500),
        Pulse(Output.BUZZER, 80, 80, 2),
        Pulse(Output.GATE, 500),
    ),
)
REFER = Signal(
    SignalName.REFER,
    (Pulse(Output.AMBER, 700, 700, 3), Pulse(Output.BUZZER, 800)),
)
REFUSE = Signal(
    SignalName.REFUSE,
    (Pulse(Output.RED, 350, 350, 4), Pulse(Output.BUZZER, 200, 200, 3)),
)
OUT_OF_ORDER = Signal(
    SignalName.OUT_OF_ORDER,
    (
        Pulse(Output.AMBER, 200, 1_300, 3),
        Pulse(Output.RED, 200, 1_300, 3),
        Pulse(Output.BUZZER, 400, 400, 2),
    ),
)
ALARM = Signal(
    SignalName.ALARM,
    (
        Pulse(Output.AMBER, 150, 200, 28),
        Pulse(Output.RED, 150, 200, 28),
        Pulse(Output.BUZZER, 100, 100, 50),
    ),
)

_BY_OUTCOME = {Outcome.ADMIT: ADMIT, Outcome.REFER: REFER, Outcome.REFUSE: REFUSE}


def signal_for(verdict: Verdict) -> Signal:
    """Return the pattern of a verdict. Only ADMIT's holds a pulse on the gate."""
    return _BY_OUTCOME[verdict.outcome]
