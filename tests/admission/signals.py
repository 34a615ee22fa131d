"""Signals that can be built, for properties that hold of all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from admission.signal import GATES, MAX_ON_MS, MAX_SIGNAL_MS, Output, Pulse, Signal, SignalName


@st.composite
def a_pulse(draw: st.DrawFn) -> Pulse:
    output = draw(st.sampled_from(Output))
    on_ms, off_ms = draw(st.integers(1, MAX_ON_MS)), draw(st.integers(0, MAX_ON_MS))
    fitting = (MAX_SIGNAL_MS + off_ms) // (on_ms + off_ms)
    count = 1 if output in GATES else draw(st.integers(1, min(fitting, 255)))
    return Pulse(output, on_ms, off_ms, count)


signals = st.builds(
    Signal,
    st.sampled_from(SignalName),
    st.lists(a_pulse(), max_size=len(Output), unique_by=lambda p: p.output).map(tuple),
)
