"""Protects lamps, buzzer and gate: no pattern can be written that does not end by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission import signal
from admission.signal import (
    GATES,
    MAX_ON_MS,
    MAX_SIGNAL_MS,
    Output,
    Pulse,
    Signal,
    SignalName,
    signal_for,
)
from admission.verdict import Outcome, Verdict

pulses = st.builds(
    Pulse,
    st.sampled_from(Output),
    st.integers(-1, MAX_ON_MS + 1),
    st.integers(-1, MAX_ON_MS + 1),
    st.integers(-1, 256),
)


@given(st.lists(pulses, max_size=10))
def test_what_can_be_built_ends_within_the_limits(parts: Sequence[Pulse]) -> None:
    try:
        built = Signal(SignalName.ADMIT, tuple(parts))
    except ValueError:
        return
    for pulse in built.pulses:
        assert 0 < pulse.on_ms <= MAX_ON_MS
        edges = pulse.on_ms * pulse.count + pulse.off_ms * (pulse.count - 1)
        assert pulse.length_ms == edges <= MAX_SIGNAL_MS
    assert len({p.output for p in built.pulses}) == len(built.pulses)


@pytest.mark.parametrize(
    "parts",
    [
        (Pulse(Output.GATE, MAX_ON_MS + 1),),
        (Pulse(Output.GATE, 0),),
        (Pulse(Output.GATE, 500, 0, 0),),
        (Pulse(Output.GATE, 1, 0, 256),),
        (Pulse(Output.GATE, 100, -1),),
        (Pulse(Output.GREEN, MAX_ON_MS, 1, 2),),
        (Pulse(Output.GATE, 100, 100, 2),),
        (Pulse(Output.GATE_B, 100, 100, 2),),
        (Pulse(Output.GATE, 100), Pulse(Output.GATE, 100)),
    ],
)
def test_what_would_not_end_in_time_is_refused(parts: tuple[Pulse, ...]) -> None:
    with pytest.raises(ValueError, match=r"limits|lasts|once"):
        Signal(SignalName.ADMIT, parts)


def test_only_admit_touches_the_gate() -> None:
    for outcome in Outcome:
        shown = signal_for(Verdict(outcome))
        opens = any(p.output in GATES for p in shown.pulses)
        assert opens is (outcome is Outcome.ADMIT)
    for shown in (signal.OUT_OF_ORDER, signal.ALARM):
        assert not any(p.output in GATES for p in shown.pulses)
