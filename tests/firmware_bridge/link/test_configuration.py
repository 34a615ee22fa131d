"""A board's configuration: the bytes are the firmware's, and nothing beyond its limits gets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import MessageError
from firmware_bridge.link.configuration import CONFIGURATION_BYTES, BoardConfiguration, unpack

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

DEFAULTS = "013f00330000" + "8813" * 6 + "e803" + "8813" + "6400" + "1432"
"""docs/firmware-link.md, Configuration, written out by hand."""


def test_the_bytes_of_a_board_that_was_never_configured() -> None:
    assert BoardConfiguration().pack().hex() == DEFAULTS


@given(configurations)
def test_it_reads_back_as_it_was_written(configuration: BoardConfiguration) -> None:
    packed = configuration.pack()
    assert len(packed) == CONFIGURATION_BYTES
    assert unpack(packed) == configuration


@given(st.binary(max_size=40) | st.binary(min_size=25, max_size=25).map(b"\1".__add__))
def test_other_bytes_are_refused_or_are_exactly_one_configuration(data: bytes) -> None:
    try:
        configuration = unpack(data)
    except MessageError:
        return
    assert configuration.pack() == data


@pytest.mark.parametrize(
    "beyond",
    [
        {"max_on_ms": (5_001,) + (5_000,) * 5},
        {"max_on_ms": (19,) + (5_000,) * 5},
        {"max_on_ms": (5_000,) * 5},
        {"dead_man_ms": 1_001},
        {"dead_man_ms": 499},
        {"window_ms": 10_001},
        {"min_pulse_ms": 0},
        {"debounce_ms": 0},
        {"settle_ms": 251},
    ],
)
def test_no_configuration_reaches_beyond_the_firmwares_limits(beyond: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"max_on_ms|outside"):
        BoardConfiguration(**beyond)  # type: ignore[arg-type]
