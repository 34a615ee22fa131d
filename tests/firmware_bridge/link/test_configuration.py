"""A board's configuration: the bytes are the firmware's, and nothing beyond its limits gets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import MessageError
from firmware_bridge.link.configuration import CONFIGURATION_BYTES, BoardConfiguration, unpack
from tests.firmware_bridge.configurations import configurations

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
