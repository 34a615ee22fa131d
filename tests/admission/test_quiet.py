"""Quiet hours hush the buzzer and nothing else: no alarm, no gate; and not by a wrong clock."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.hours import Hours
from admission.quiet import SHORTEST_MS, Quiet, QuietHours, quietened
from admission.signal import ADMIT, ALARM, OUT_OF_ORDER, Output, Pulse, Signal, SignalName
from tests.admission.signals import signals
from tests.worlds import VIETNAM

ALWAYS = (Hours(0, 24 * 60),)
MIDNIGHT = datetime(2021, 9, 20, tzinfo=VIETNAM)
NOON = MIDNIGHT + timedelta(hours=12)
NIGHT = QuietHours((Hours(22 * 60, 6 * 60),), Quiet.SILENT)

hours = st.builds(Hours, st.integers(0, 1439), st.integers(0, 1440), st.integers(1, 127))
quiets = st.builds(QuietHours, st.lists(hours, max_size=3).map(tuple), st.sampled_from(Quiet))
times = st.integers(0, 10_000_000).map(lambda minutes: MIDNIGHT + timedelta(minutes=minutes))


def the_buzzer(signal: Signal) -> list[Pulse]:
    return [pulse for pulse in signal.pulses if pulse.output is Output.BUZZER]


@given(signals, quiets, times)
def test_all_but_the_buzzer_is_never_touched(
    signal: Signal, quiet: QuietHours, at: datetime
) -> None:
    shown = quietened(signal, quiet, at)
    assert shown.name is signal.name
    for output in Output:
        if output is not Output.BUZZER:
            kept = [pulse for pulse in shown.pulses if pulse.output is output]
            assert kept == [pulse for pulse in signal.pulses if pulse.output is output]


@given(signals, quiets, times)
def test_it_is_never_longer_or_louder_than_by_day(
    signal: Signal, quiet: QuietHours, at: datetime
) -> None:
    by_day, by_night = the_buzzer(signal), the_buzzer(quietened(signal, quiet, at))
    assert len(by_night) <= len(by_day)
    for day, night in zip(by_day, by_night, strict=False):
        assert night.count == day.count
        assert min(day.on_ms, SHORTEST_MS) <= night.on_ms <= day.on_ms
        assert night.length_ms <= day.length_ms


@given(st.sampled_from([SignalName.ALARM, SignalName.TEST]), signals, quiets, times)
def test_an_alarm_sounds_at_any_hour(
    name: SignalName, signal: Signal, quiet: QuietHours, at: datetime
) -> None:
    loud = Signal(name, signal.pulses)
    assert quietened(loud, quiet, at) is loud


@given(signals, quiets)
def test_without_a_trusted_clock_it_is_never_quiet(signal: Signal, quiet: QuietHours) -> None:
    assert quietened(signal, quiet, None) is signal


@pytest.mark.parametrize(
    ("minute", "sounds"),
    [(22 * 60 - 1, True), (22 * 60, False), (30 * 60 - 1, False), (30 * 60, True)],
)
def test_the_night_begins_and_ends_to_the_minute(minute: int, sounds: bool) -> None:
    at = MIDNIGHT + timedelta(minutes=minute)
    assert bool(the_buzzer(quietened(ADMIT, NIGHT, at))) is sounds


def test_no_hours_are_never_quiet() -> None:
    assert quietened(ADMIT, QuietHours(()), NOON) is ADMIT
    assert quietened(ADMIT, None, NOON) is ADMIT


def test_short_keeps_the_rhythm() -> None:
    shown = quietened(OUT_OF_ORDER, QuietHours(ALWAYS, Quiet.SHORT), NOON)
    assert the_buzzer(shown) == [Pulse(Output.BUZZER, 100, 100, 2)]


def test_the_alarm_of_the_gate_has_a_sound() -> None:
    assert the_buzzer(ALARM)
