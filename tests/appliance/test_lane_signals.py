"""A lane opens its own side of the gate, and is quiet at night, unless its clock may be wrong."""

from __future__ import annotations

from datetime import datetime

import pytest

from admission.hours import Hours
from admission.instant import ClockTrust
from admission.quiet import Quiet, QuietHours
from admission.signal import ADMIT, ALARM, REFUSE, Output, Pulse, Signal
from admission.standing import Release
from appliance.lane_signals import LaneSignals
from tests.worlds import VIETNAM, ManualClock, a_site

NIGHT = QuietHours((Hours(22 * 60, 6 * 60),), Quiet.SILENT)
MIDNIGHT = datetime(2021, 9, 20, 0, 0, tzinfo=VIETNAM)
MIDNIGHT_NS = int(MIDNIGHT.timestamp()) * 10**9
HOUR_NS = 3_600 * 10**9


def signals(
    clock: ManualClock, *, vouched_ns: int = 0, quiet: QuietHours | None = NIGHT
) -> LaneSignals:
    return LaneSignals(
        gate=Output.GATE_B,
        pulse_ms=300,
        quiet=quiet,
        site=a_site(),
        clock=clock,
        release=lambda: Release(1, vouched_ns, vouched_ns + HOUR_NS),
    )


def sounds(signal: Signal) -> bool:
    return any(pulse.output is Output.BUZZER for pulse in signal.pulses)


def test_the_lane_opens_its_own_side_for_its_own_time() -> None:
    shown = signals(ManualClock(), quiet=None)(ADMIT)
    gates = [pulse for pulse in shown.pulses if pulse.output in (Output.GATE, Output.GATE_B)]
    assert gates == [Pulse(Output.GATE_B, 300)]
    assert len(shown.pulses) == len(ADMIT.pulses)
    assert signals(ManualClock(), quiet=None)(REFUSE) is REFUSE


def test_the_sites_own_night_is_quiet() -> None:
    clock = ManualClock(MIDNIGHT)
    assert not sounds(signals(clock)(REFUSE))
    assert sounds(signals(clock)(ALARM))
    clock.advance(8 * 3_600)
    assert sounds(signals(clock)(REFUSE))


@pytest.mark.parametrize("vouched_ns", [0, MIDNIGHT_NS + 48 * HOUR_NS])
def test_a_clock_that_may_be_wrong_makes_nothing_quiet(vouched_ns: int) -> None:
    trust = ClockTrust.UNKNOWN if vouched_ns == 0 else ClockTrust.SYNCHRONISED
    clock = ManualClock(MIDNIGHT, trust)
    assert sounds(signals(clock, vouched_ns=vouched_ns)(REFUSE))
