"""A lane's bridge in the configuration: what works as written, and what is told otherwise."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from admission.gate import Input, Side
from admission.signal import Output
from admission.site import Direction
from appliance.bridge_tables import (
    McuBridgeTable,
    OsdpBridgeTable,
    SeveralBridgeTable,
    SharedBridgeTable,
    configuration_of,
)
from appliance.config import Config, parse_config
from appliance.errors import ConfigError
from appliance.gate_table import GateTable

SITE = """
[site]
id = "s"
name = "S"
place = "factory"
district = "d"
directive = 15
rulebook = "rules.json"
[appliance]
device = "gate-1"
[hub]
url = "http://127.0.0.1:1/"
"""
SOURCE = '\nsources = [{ kind = "keypad", name = "pad-%s", device = "/dev/input/event0" }]\n'


def parsed(*lanes: str) -> Config:
    text = SITE + "".join(
        f'\n[[lane]]\nname = "lane-{n}"{SOURCE % n}{lane}' for n, lane in enumerate(lanes, start=1)
    )
    return parse_config(tomllib.loads(text), Path("chot.toml"))


OUT = 'direction = "out"\n[lane.bridge]\nkind = "shared"\nlane = "lane-1"\n'
MCU = '[lane.bridge]\nkind = "mcu"\nport = "/dev/ttyUSB0"\n'
WIRING = """
requires = ["green"]
[lane.bridge.wiring]
outputs = ["green", "red", "gate"]
inputs = ["passage_a", "ready", "fire"]
active_low = ["gate"]
normally_closed = ["fire"]
max_on_ms = { gate = 2000 }
"""


def test_a_board_that_the_table_says_nothing_about_is_believed() -> None:
    lane = parsed(MCU).lane[0]
    assert isinstance(lane.bridge, McuBridgeTable)
    assert configuration_of(lane.bridge, lane.gate) is None


def test_wiring_and_gate_make_the_boards_configuration() -> None:
    gate = '[lane.gate]\nmode = "hold"\nfail = "safe"\nwindow_s = 4.5\n'
    lane = parsed(MCU + WIRING + gate).lane[0]
    assert isinstance(lane.bridge, McuBridgeTable)
    configuration = configuration_of(lane.bridge, lane.gate)
    assert configuration is not None
    assert configuration.outputs == {Output.GREEN, Output.RED, Output.GATE}
    assert configuration.inputs == {Input.PASSAGE_A, Input.READY, Input.FIRE}
    assert configuration.active_low == {Output.GATE}
    assert configuration.normally_closed == {Input.FIRE}
    assert configuration.max_on_ms[Output.GATE] == 2_000
    assert (configuration.hold, configuration.fail_safe) == (True, True)
    assert configuration.window_ms == 4_500


@pytest.mark.parametrize(
    "bridge",
    [
        'kind = "gpio"\noutputs = { green = 17, gate = 27 }\ninputs = { stop = 5 }\n',
        'kind = "modbus"\ndevice = "/dev/ttyUSB0"\ncoils = { gate = 0, red = 1 }\n',
        'kind = "modbus"\nhost = "192.0.2.7"\ncoils = { gate = 0 }\n',
        'kind = "stack_light"\ndevice = "/dev/ttyUSB0"\nmodel = "adafruit-5125"\n',
        'kind = "osdp"\ndevice = "/dev/ttyUSB0"\naddress = 1\n',
        (
            'kind = "several"\nmembers = [{ kind = "mcu", port = "/dev/ttyACM0" },'
            ' { kind = "stack_light", device = "/dev/ttyUSB0", model = "patlite-phe" }]\n'
        ),
        'kind = "screen_only"\n',
    ],
)
def test_every_kind_of_bridge_is_understood(bridge: str) -> None:
    assert parsed(f"[lane.bridge]\n{bridge}").lane[0].bridge is not None


def test_the_way_out_shares_the_board_and_has_the_other_side() -> None:
    out = 'direction = "out"\n[lane.bridge]\nkind = "shared"\nlane = "lane-1"\n'
    lanes = parsed(MCU, out).lane
    assert isinstance(lanes[1].bridge, SharedBridgeTable)
    assert [lane.gate.side_for(lane.direction) for lane in lanes] == [Side.A, Side.B]


@pytest.mark.parametrize(
    ("lanes", "words"),
    [
        ([MCU, '[lane.bridge]\nkind = "shared"\nlane = "lane-1"\n'], "same side"),
        ([MCU, '[lane.bridge]\nkind = "shared"\nlane = "lane-9"\n'], "no lane 'lane-9'"),
        (['[lane.bridge]\nkind = "shared"\nlane = "lane-1"\n'], "no lane 'lane-1'"),
        (['[lane.bridge]\nkind = "gpio"\noutputs = { gate = 5, red = 5 }\n'], "GPIO5"),
        (['[lane.bridge]\nkind = "modbus"\ncoils = { gate = 1 }\n'], "either"),
        (
            [('[lane.bridge]\nkind = "several"\nmembers = ['
             '{ kind = "gpio", outputs = { gate = 5 } },'
             '{ kind = "modbus", host = "192.0.2.7", coils = { gate = 1 } }]\n')],
            "two of them",
        ),
        (['[lane.bridge]\nkind = "modbus"\nhost = "a"\ncoils = { gate = 1, red = 1 }\n'], "twice"),
        (
            [
                (
                    '[lane.bridge]\nkind = "several"\nmembers = ['
                    '{ kind = "gpio", outputs = { gate = 5 } },'
                    '{ kind = "modbus", host = "192.0.2.7", coils = { red = 1 },'
                    " discrete_inputs = { stop = 1 } }]\n"
                )
            ],
            "no gate",
        ),
        ([MCU, OUT, OUT], "same side"),
        (
            [('[lane.bridge]\nkind = "modbus"\nhost = "a"\ncoils = { gate = 1 }\n'
             'flash_off_ms = 5000\n')],
            "flash_off_ms is 5000",
        ),
        (
            [('[lane.bridge]\nkind = "modbus"\nhost = "a"\ncoils = { gate = 1 }\n'
             'flash_off_ms = 6000\n[lane.gate]\nfail = "safe"\n')],
            "held by its current",
        ),
        (
            [('[lane.bridge]\nkind = "stack_light"\ndevice = "/dev/a"\nmodel = "patlite-phe"\n'
             'active_low = ["red"]\n')],
            "active low",
        ),
        ([MCU + 'requires = ["siren"]\n'], "siren"),
        ([MCU + 'wiring = { outputs = ["gate"] }\n'], "'green' is not wired"),
        ([MCU + 'requires = []\nwiring = { outputs = [] }\n'], "no output is wired"),
        ([MCU + 'wiring = { active_low = ["gate_b"] }\n'], "active_low: 'gate_b' is not wired"),
        ([MCU + 'wiring = { normally_closed = ["fire"] }\n'], "normally_closed: 'fire'"),
        ([MCU + "wiring = { max_on_ms = { gate_b = 100 } }\n"], "max_on_ms: 'gate_b'"),
        ([MCU + "wiring = { max_on_ms = { gate = 100 } }\n"], "pulse_ms: 500, and 'gate' is cut"),
        (
            ['[lane.bridge]\nkind = "osdp"\ndevice = "/dev/a"\nrequires = ["gate"]\n'],
            "requires: 'gate' is not wired",
        ),
        (
            [('[lane.bridge]\nkind = "gpio"\noutputs = { red = 5 }\n'
             'bias = { stop = "pull_up" }\n')],
            "bias: 'stop' is not wired",
        ),
        (['[lane.bridge]\nkind = "screen_only"\n', OUT], "has no board to share"),
        ([MCU + "[lane.gate]\nwindow_s = 60\n"], "window_s"),
        ([MCU + WIRING.replace("2000", "9000")], "max_on_ms"),
        (["passage_window_s = 5\n" + MCU], "passage_window_s"),
        (['[lane.bridge]\nkind = "relay"\n'], "relay"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told_before_anything_moves(lanes: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as told:
        parsed(*lanes)
    assert told.value.hint


@pytest.mark.parametrize(
    "bridge",
    [
        'kind = "mcu"\nport = "/dev/ttyUSB0"\nrequires = ["gate"]\n',
        (
            'kind = "mcu"\nport = "/dev/ttyUSB0"\nrequires = []\n'
            '[lane.bridge.wiring]\noutputs = ["gate"]\n'
        ),
        'kind = "modbus"\nhost = "192.0.2.7"\ncoils = { gate = 0 }\n',
        """kind = "several"
        [[lane.bridge.members]]
        kind = "osdp"
        device = "/dev/ttyUSB0"
        [[lane.bridge.members]]
        kind = "gpio"
        outputs = { gate = 17 }
        """,
    ],
)
def test_no_lane_shows_green_before_a_gate_that_its_board_would_leave_out(bridge: str) -> None:
    out = 'direction = "out"\n'
    with pytest.raises(ConfigError, match="the lane unlocks 'gate_b'") as caught:
        parsed(f"{out}[lane.bridge]\n{bridge}")
    assert "side" in caught.value.hint
    parsed(f'{out}[lane.gate]\nside = "a"\n[lane.bridge]\n{bridge}')
    parsed(f"[lane.bridge]\n{bridge}")


def test_a_shared_board_needs_both_gates() -> None:
    shared = 'direction = "out"\n[lane.bridge]\nkind = "shared"\nlane = "lane-1"\n'
    with pytest.raises(ConfigError, match="in the lane 'lane-2'"):
        parsed(MCU + WIRING, shared)
    parsed(MCU + WIRING.replace('"gate"]\ninputs', '"gate", "gate_b"]\ninputs'), shared)


def test_a_key_that_moved_says_where_to() -> None:
    with pytest.raises(ConfigError) as told:
        parsed("passage_window_s = 5\n" + MCU)
    assert "[lane.gate]" in str(told.value.hint)


@pytest.mark.parametrize(
    ("gate", "direction", "side"),
    [
        (GateTable(), Direction.IN, Side.A),
        (GateTable(), Direction.OUT, Side.B),
        (GateTable(side="a"), Direction.OUT, Side.A),
        (GateTable(side="b"), Direction.IN, Side.B),
    ],
)
def test_a_lane_opens_the_side_of_its_direction(
    gate: GateTable, direction: Direction, side: Side
) -> None:
    assert gate.side_for(direction) is side


@pytest.mark.parametrize(
    ("bridge", "dead_man_ms"),
    [
        ('kind = "gpio"\noutputs = { gate = 5 }\n', 1_000),
        ('kind = "modbus"\nhost = "192.0.2.7"\ncoils = { gate = 0 }\n', 800),
        ('kind = "stack_light"\ndevice = "/dev/a"\nmodel = "patlite-phe"\n', 800),
        ('kind = "osdp"\ndevice = "/dev/a"\n', 800),
    ],
)
def test_what_takes_time_on_a_cable_begins_earlier_to_switch_off(
    bridge: str, dead_man_ms: int
) -> None:
    lane = parsed("[lane.bridge]\n" + bridge).lane[0]
    configuration = configuration_of(lane.bridge, lane.gate)  # type: ignore[arg-type]
    assert configuration is not None
    assert configuration.dead_man_ms == dead_man_ms


def test_a_readers_key_lies_beside_the_configuration() -> None:
    several = (
        '[lane.bridge]\nkind = "several"\nmembers = [{ kind = "mcu", port = "/dev/ttyACM0" },'
        ' { kind = "osdp", device = "/dev/ttyUSB0", key_file = "reader.key" }]\n'
    )
    bridge = parsed(several).lane[0].bridge
    assert isinstance(bridge, SeveralBridgeTable)
    assert isinstance(bridge.members[1], OsdpBridgeTable)
    assert bridge.members[1].key_file == str(Path("reader.key").resolve())
