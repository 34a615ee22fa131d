"""From table to bridge: what is written is what a board's process or the link is told."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest

from admission.gate import Input
from admission.signal import Output
from appliance.bridge_opening import name_of, open_member, open_several, spec_of
from appliance.bridge_tables import (
    GpioBridgeTable,
    McuBridgeTable,
    MemberTable,
    ModbusBridgeTable,
    OsdpBridgeTable,
    SeveralBridgeTable,
    StackLightBridgeTable,
)
from appliance.gate_table import GateTable
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.terminals.gpio_spec import GpioSpec
from firmware_bridge.terminals.opening import TerminalsSpec

TIMES: dict[str, Any] = {"monotonic_ns": time.monotonic_ns, "nonce": Random(1).getrandbits}
GPIO = GpioBridgeTable(
    outputs={"green": 17, "gate": 27}, inputs={"stop": 5}, bias={"stop": "disabled"}, chip="x"
)
MODBUS = ModbusBridgeTable(coils={"gate": 3}, discrete_inputs={"ready": 1}, host="192.0.2.7")
LIGHT = StackLightBridgeTable(device="/dev/a", model="adafruit-5125", tiers={"green": "amber"})
READER = OsdpBridgeTable(device="/dev/b", address=5, key_file="/key")
MCU = McuBridgeTable(port="/dev/c")


@pytest.mark.parametrize(
    ("table", "spec"),
    [
        (
            GPIO,
            GpioSpec(
                outputs={Output.GREEN: 17, Output.GATE: 27},
                inputs={Input.STOP: 5},
                bias={Input.STOP: "disabled"},
                chip="x",
            ),
        ),
        (
            MODBUS,
            ModbusRelaySpec(
                coils={Output.GATE: 3}, discrete_inputs={Input.READY: 1}, host="192.0.2.7"
            ),
        ),
        (
            LIGHT,
            StackLightSpec(device="/dev/a", model="adafruit-5125", tiers={Output.GREEN: "amber"}),
        ),
        (READER, OsdpSpec(device="/dev/b", address=5, key_file="/key")),
    ],
)
def test_a_table_becomes_what_the_process_is_told(table: Any, spec: TerminalsSpec) -> None:
    assert spec_of(table) == spec


@pytest.mark.parametrize("table", [MCU, GPIO, MODBUS, LIGHT, READER])
def test_every_table_opens_a_bridge_that_is_not_alive_before_it_runs(table: MemberTable) -> None:
    bridge = open_member(table, GateTable(), **TIMES)
    assert isinstance(bridge, McuBridge)
    assert not bridge.alive


def test_members_have_the_outputs_of_their_tables_and_a_bare_board_the_rest() -> None:
    several = open_several(SeveralBridgeTable((MCU, LIGHT)), GateTable(), **TIMES)
    assert not several.alive
    assert name_of(MCU) in str(several.last_error)


def test_a_light_without_tiers_and_a_reader_have_no_gate() -> None:
    light = StackLightBridgeTable(device="/dev/a", model="patlite-phe")
    assert open_several(SeveralBridgeTable((MCU, light, READER)), GateTable(), **TIMES)


def test_two_members_with_one_gate_are_refused() -> None:
    with pytest.raises(ValueError, match="gate"):
        open_several(SeveralBridgeTable((GPIO, MODBUS)), GateTable(), **TIMES)
