"""Quiet hours: at night a gate among homes says with lamps what the buzzer says by day."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from admission.hours import Hours
from admission.signal import Output, Pulse, Signal, SignalName

SHORTER_BY = 4
SHORTEST_MS = 30
"""What a buzzer needs to be heard at all, and an ear to hear two beeps and not one."""
LOUD = frozenset({SignalName.ALARM, SignalName.TEST})
"""Signals that sound at any hour: one is for the guard, the other was asked for by hand."""


class Quiet(StrEnum):
    """What becomes of the buzzer in quiet hours."""

    SILENT = "silent"
    """It says nothing."""
    SHORT = "short"
    """It keeps its rhythm, in a quarter of the time."""


class QuietHours(msgspec.Struct, frozen=True):
    """When it is quiet, in the site's local time, and how. No hours at all: never."""

    hours: tuple[Hours, ...]
    quiet: Quiet = Quiet.SHORT

    def include(self, at: datetime) -> bool:
        """Return whether this local time is quiet."""
        return any(some.include(at) for some in self.hours)


def quietened(signal: Signal, quiet: QuietHours | None, at: datetime | None) -> Signal:
    """Return the signal as it is to be shown at a local time: lamps and gates are never changed.

    :param quiet: when it is quiet; None for never.
    :param at: the site's own time, None where no clock can be trusted: then it is never quiet, as a
        gate that says nothing by day is worse than one that is heard at night.

    >>> from admission.signal import ADMIT
    >>> night = QuietHours((Hours(22 * 60, 6 * 60),), Quiet.SILENT)
    >>> [p.output.name for p in quietened(ADMIT, night, datetime(2021, 9, 20, 23)).pulses]
    ['GREEN', 'GATE']
    >>> quietened(ADMIT, night, datetime(2021, 9, 20, 12)) is quietened(ADMIT, night, None) is ADMIT
    True
    """
    if quiet is None or at is None or signal.name in LOUD or not quiet.include(at):
        return signal
    pulses = signal.pulses
    if quiet.quiet is Quiet.SILENT:
        kept = tuple(pulse for pulse in pulses if pulse.output is not Output.BUZZER)
    else:
        kept = tuple(_short(p) if p.output is Output.BUZZER else p for p in pulses)
    return Signal(signal.name, kept)


def _short(pulse: Pulse) -> Pulse:
    return Pulse(pulse.output, _quarter(pulse.on_ms), _quarter(pulse.off_ms), pulse.count)


def _quarter(length_ms: int) -> int:
    """Return a quarter, but not less than what is heard, nor more than it was."""
    return min(length_ms, max(SHORTEST_MS, length_ms // SHORTER_BY))
