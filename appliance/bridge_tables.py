"""[lane.bridge]: what answers in a lane, and how it is wired.

Output and input names are those of `Output` and `Input` in lower case. Whatever kind it is, its
wiring makes one `BoardConfiguration`: a microcontroller keeps it itself and is asked for it, a
local board is started with it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from admission.gate import Input
from admission.signal import MAX_ON_MS, Output
from appliance.gate_table import GateTable
from appliance.table import Name, Table
from firmware_bridge.link.configuration import BoardConfiguration

OutputName = Literal["green", "amber", "red", "buzzer", "gate", "gate_b"]
InputName = Literal["button", "tamper", "passage_a", "passage_b", "fire", "stop", "ready"]
LightName = Literal["green", "amber", "red", "buzzer"]
OnMs = Annotated[int, msgspec.Meta(ge=20, le=MAX_ON_MS)]
DebounceMs = Annotated[int, msgspec.Meta(ge=1, le=100)]
Line = Annotated[int, msgspec.Meta(ge=0, le=1_023)]
Address = Annotated[int, msgspec.Meta(ge=0, le=65_535)]

REQUIRED: Final[tuple[OutputName, ...]] = ("green", "amber", "red")
LIGHTS: Final[tuple[OutputName, ...]] = (*REQUIRED, "buzzer")
CABLE_DEAD_MAN_MS: Final = 800
WIRING_HINT: Final = (
    "outputs: green, amber, red, buzzer, gate, gate_b; inputs: button, tamper, passage_a, "
    "passage_b, fire, stop, ready; times: max_on_ms 20 to 5000, debounce_ms 1 to 100; "
    "what else each kind takes: docs/bridges.md"
)
KINDS_HINT: Final = (
    "sources: camera, serial, keypad, wedge, scenes; bridges: mcu, gpio, modbus, stack_light, "
    "osdp, several, shared, screen_only"
)


class Wiring(Table, frozen=True, kw_only=True):
    """What every kind of board has to be told about its contacts."""

    active_low: tuple[OutputName, ...] = ()
    normally_closed: tuple[InputName, ...] = ()
    max_on_ms: dict[OutputName, OnMs] = msgspec.field(default_factory=dict)
    debounce_ms: DebounceMs = 20
    safe_blink: bool = False


class McuWiringTable(Wiring, frozen=True, kw_only=True):
    """[lane.bridge.wiring]: what the board has to be configured to (`chot bridge configure`)."""

    outputs: tuple[OutputName, ...] = ("green", "amber", "red", "buzzer", "gate")
    inputs: tuple[InputName, ...] = ()


class McuBridgeTable(Table, frozen=True, tag="mcu", tag_field="kind"):
    """A microcontroller that speaks the firmware link, by the stable name of its port.

    A board that lacks one of the outputs in `requires` leaves the lane out of order: without its
    gate relay, say, it would acknowledge an ADMIT that opens nothing. So does one that is
    configured for another wiring than this table has, where it has one.
    """

    port: str
    requires: tuple[OutputName, ...] = REQUIRED
    wiring: McuWiringTable | None = None


class GpioBridgeTable(Wiring, frozen=True, kw_only=True, tag="gpio", tag_field="kind"):
    """A Pi's own pins, by the numbers of the chip (GPIO17, not pin 11).

    `chip` is the GPIO chip's label or device; left out, the one that has the header. An input is
    pulled up, and its contact closes to ground, unless `bias` says otherwise.
    """

    outputs: dict[OutputName, Line]
    inputs: dict[InputName, Line] = msgspec.field(default_factory=dict)
    bias: dict[InputName, Literal["pull_up", "pull_down", "disabled"]] = msgspec.field(
        default_factory=dict
    )
    chip: str = ""
    requires: tuple[OutputName, ...] = ()


class ModbusBridgeTable(Wiring, frozen=True, kw_only=True, tag="modbus", tag_field="kind"):
    """A Modbus relay board: on RS-485 (`device`), or in the network (`host`). Addresses from 0.

    `flash_off_ms` lets the relay board itself end each relay after so long, where it can.
    """

    coils: dict[OutputName, Address]
    discrete_inputs: dict[InputName, Address] = msgspec.field(default_factory=dict)
    device: str = ""
    host: str = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 502
    framing: Literal["", "rtu", "tcp"] = ""
    unit: Annotated[int, msgspec.Meta(ge=1, le=247)] = 1
    baud: Annotated[int, msgspec.Meta(ge=4_800, le=115_200)] = 9_600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=200)] = 100
    poll_ms: Annotated[int, msgspec.Meta(ge=0, le=250)] = 0
    flash_off_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    requires: tuple[OutputName, ...] = ()


class StackLightBridgeTable(Wiring, frozen=True, kw_only=True, tag="stack_light", tag_field="kind"):
    """A stack light on a serial cable. `tiers` names the tier of each output."""

    device: str
    model: Literal["adafruit-5125", "patlite-phe"]
    tiers: dict[LightName, LightName] = msgspec.field(default_factory=dict)
    buzzer_pattern: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    requires: tuple[OutputName, ...] = ()


class OsdpBridgeTable(Wiring, frozen=True, kw_only=True, tag="osdp", tag_field="kind"):
    """Lamp and buzzer of an OSDP reader. `key_file` (0600) holds its secure channel's key."""

    device: str
    baud: Literal[9_600, 19_200, 38_400, 57_600, 115_200, 230_400] = 9_600
    address: Annotated[int, msgspec.Meta(ge=0, le=126)] = 0
    reader: Annotated[int, msgspec.Meta(ge=0, le=7)] = 0
    led: Annotated[int, msgspec.Meta(ge=0, le=7)] = 0
    key_file: str = ""
    requires: tuple[OutputName, ...] = ()


LocalBridgeTable = GpioBridgeTable | ModbusBridgeTable | StackLightBridgeTable | OsdpBridgeTable
MemberTable = McuBridgeTable | LocalBridgeTable


class SeveralBridgeTable(Table, frozen=True, tag="several", tag_field="kind"):
    """Several at once, such as a board for the gate and a stack light above it."""

    members: Annotated[tuple[MemberTable, ...], msgspec.Meta(min_length=2, max_length=8)]


class SharedBridgeTable(Table, frozen=True, tag="shared", tag_field="kind"):
    """The bridge of another lane: a turnstile's two directions have one board."""

    lane: Name


class ScreenOnlyTable(Table, frozen=True, tag="screen_only", tag_field="kind"):
    """No lamps and no gate: people read the kiosk."""


BridgeTable = (
    McuBridgeTable
    | GpioBridgeTable
    | ModbusBridgeTable
    | StackLightBridgeTable
    | OsdpBridgeTable
    | SeveralBridgeTable
    | SharedBridgeTable
    | ScreenOnlyTable
)


def configuration_of(table: MemberTable, gate: GateTable) -> BoardConfiguration | None:
    """Return the configuration that a board of this table has to have.

    None for a microcontroller whose table says nothing about its wiring: it knows best.
    """
    match table:
        case McuBridgeTable(wiring=None):
            return None
        case McuBridgeTable(wiring=McuWiringTable() as wiring):
            return _configuration(wiring, wiring.outputs, wiring.inputs, gate)
        case GpioBridgeTable():
            return _configuration(table, tuple(table.outputs), tuple(table.inputs), gate)
        case ModbusBridgeTable():
            return _on_cable(
                _configuration(table, tuple(table.coils), tuple(table.discrete_inputs), gate)
            )
        case StackLightBridgeTable():
            return _on_cable(_configuration(table, tuple(table.tiers) or LIGHTS, (), gate))
        case OsdpBridgeTable():
            return _on_cable(_configuration(table, LIGHTS, ("tamper",), gate))
    return None


def outputs_of(names: tuple[OutputName, ...]) -> frozenset[Output]:
    """Return the outputs of these names."""
    return frozenset(Output[name.upper()] for name in names)


def _on_cable(configuration: BoardConfiguration) -> BoardConfiguration:
    """Return it with a dead-man that leaves the cable its time to switch off within the second."""
    return msgspec.structs.replace(configuration, dead_man_ms=CABLE_DEAD_MAN_MS)


def _configuration(
    wiring: Wiring,
    outputs: tuple[OutputName, ...],
    inputs: tuple[InputName, ...],
    gate: GateTable,
) -> BoardConfiguration:
    limits = dict.fromkeys(Output, MAX_ON_MS)
    limits |= {Output[name.upper()]: limit_ms for name, limit_ms in wiring.max_on_ms.items()}
    return BoardConfiguration(
        outputs=outputs_of(outputs),
        active_low=outputs_of(wiring.active_low),
        inputs=_inputs(inputs),
        normally_closed=_inputs(wiring.normally_closed),
        hold=gate.mode == "hold",
        fail_safe=gate.fail == "safe",
        safe_blink=wiring.safe_blink,
        max_on_ms=tuple(limits[output] for output in Output),
        window_ms=round(gate.window_s * 1_000),
        min_pulse_ms=gate.min_pulse_ms,
        debounce_ms=wiring.debounce_ms,
        settle_ms=gate.settle_ms,
    )


def _inputs(names: tuple[InputName, ...]) -> frozenset[Input]:
    return frozenset(Input[name.upper()] for name in names)
