"""What no relay board, light or reader could be is refused before anything is opened."""

from __future__ import annotations

import time

import msgspec
import pytest

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.terminals.modbus_relay import ModbusRelayTerminals
from firmware_bridge.terminals.opening import TerminalsSpec
from firmware_bridge.terminals.terminals import TerminalsError

COILS = {Output.GREEN: 0, Output.RED: 1, Output.GATE: 5}
INPUTS = {Input.STOP: 2, Input.FIRE: 4}
WIRED = BoardConfiguration(outputs=frozenset(COILS), inputs=frozenset(INPUTS))


@pytest.mark.parametrize(
    "spec",
    [
        ModbusRelaySpec(COILS, host="192.0.2.7", discrete_inputs=INPUTS, flash_off_ms=5_100),
        StackLightSpec("/dev/a", "patlite-phe", {Output.GREEN: "amber"}, 3),
        OsdpSpec("/dev/a", address=7, key_file="/etc/key"),
    ],
)
def test_a_spec_reaches_the_process_as_it_was(spec: TerminalsSpec) -> None:
    assert msgspec.json.decode(msgspec.json.encode(spec), type=TerminalsSpec) == spec


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "either a device or a host"),
        ({"device": "a", "host": "b"}, "either a device or a host"),
        ({"device": "a", "framing": "tcp"}, "needs a host"),
        ({"device": "a", "unit": 0}, "unit is 0"),
        ({"device": "a", "baud": 1_200}, "baud is 1200"),
        ({"device": "a", "timeout_ms": 500}, "timeout_ms is 500"),
        ({"device": "a", "flash_off_ms": 250}, "multiple of 100"),
        ({"device": "a", "coils": {}}, "without coils"),
        ({"device": "a", "coils": {Output.RED: 3, Output.GREEN: 3}}, "twice"),
        ({"device": "a", "coils": {Output.RED: 3, Output.GREEN: 3_000}}, "within 256"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ModbusRelaySpec(**{"coils": COILS, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (BoardConfiguration(outputs=frozenset(Output)), "no coil for"),
        (BoardConfiguration(outputs=frozenset(COILS)), "no discrete input for"),
        (
            BoardConfiguration(
                outputs=frozenset(COILS),
                inputs=frozenset(INPUTS),
                active_low=frozenset({Output.RED}),
            ),
            "active low",
        ),
        (
            BoardConfiguration(outputs=frozenset(COILS), inputs=frozenset(INPUTS), fail_safe=True),
            "held by its current",
        ),
        (WIRED, r"flash_off_ms is 5000, less than the longest max_on_ms \(5000\)"),
    ],
)
def test_a_wiring_that_does_not_fit_is_refused_before_anything_is_opened(
    configuration: BoardConfiguration, words: str
) -> None:
    spec = ModbusRelaySpec(COILS, device="/nowhere", discrete_inputs=INPUTS, flash_off_ms=5_000)
    with pytest.raises(TerminalsError, match=words):
        ModbusRelayTerminals(spec, configuration, time.monotonic_ns)
