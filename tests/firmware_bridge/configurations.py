"""Configurations that a board accepts, for properties that hold of all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration

configurations = st.builds(
    BoardConfiguration,
    outputs=st.frozensets(st.sampled_from(Output)),
    active_low=st.frozensets(st.sampled_from(Output)),
    inputs=st.frozensets(st.sampled_from(Input)),
    normally_closed=st.frozensets(st.sampled_from(Input)),
    hold=st.booleans(),
    fail_safe=st.booleans(),
    safe_blink=st.booleans(),
    max_on_ms=st.tuples(*[st.integers(20, 5_000)] * len(Output)),
    dead_man_ms=st.integers(500, 1_000),
    window_ms=st.integers(500, 10_000),
    min_pulse_ms=st.integers(20, 1_000),
    debounce_ms=st.integers(1, 100),
    settle_ms=st.integers(0, 250),
)
