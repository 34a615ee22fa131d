"""What a bridge's table contradicts itself in, or other lanes' tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from admission.site import Direction
from appliance.bridge_tables import (
    LIGHTS,
    BridgeTable,
    GpioBridgeTable,
    InputName,
    McuBridgeTable,
    MemberTable,
    ModbusBridgeTable,
    OsdpBridgeTable,
    OutputName,
    ScreenOnlyTable,
    SeveralBridgeTable,
    SharedBridgeTable,
    StackLightBridgeTable,
)
from appliance.gate_table import GateTable

GATES: Final[tuple[OutputName, ...]] = ("gate", "gate_b")
GATE_INPUTS: Final[tuple[InputName, ...]] = ("passage_a", "passage_b", "fire", "stop", "ready")
"""What the gate cycle goes by: it runs on the board that has the gate."""


class BridgeFault(msgspec.Struct, frozen=True):
    """What is wrong, and what to do."""

    what: str
    hint: str


class WiredLane(msgspec.Struct, frozen=True):
    """What has to be known of a lane to judge its bridge."""

    name: str
    direction: Direction
    gate: GateTable
    bridge: BridgeTable


def faults_in(lanes: Sequence[WiredLane]) -> Iterator[tuple[str, BridgeFault]]:
    """Yield lane and fault, for whatever in the lanes' bridges cannot work as written."""
    by_name = {lane.name: lane for lane in lanes}
    for lane in lanes:
        match lane.bridge:
            case SharedBridgeTable():
                faults = _shared(lane, lane.bridge, by_name)
            case SeveralBridgeTable():
                faults = _several(lane.bridge)
            case _:
                faults = _members(lane.bridge)
        wired = (one for table in _members_of(lane.bridge) for one in _wired(table, lane.gate))
        for fault in (*faults, *_shut(lane, by_name), *wired):
            yield lane.name, fault


def outputs_named(table: MemberTable) -> tuple[OutputName, ...]:
    """Return the outputs that a table says are wired; nothing where the board alone knows."""
    match table:
        case GpioBridgeTable():
            return tuple(table.outputs)
        case ModbusBridgeTable():
            return tuple(table.coils)
        case StackLightBridgeTable():
            return tuple(table.tiers) or LIGHTS
        case OsdpBridgeTable():
            return LIGHTS
        case McuBridgeTable() if table.wiring is not None:
            return table.wiring.outputs
        case _:
            return ()


def inputs_named(table: MemberTable) -> tuple[InputName, ...]:
    """Return the inputs that a table says are wired."""
    match table:
        case GpioBridgeTable():
            return tuple(table.inputs)
        case ModbusBridgeTable():
            return tuple(table.discrete_inputs)
        case OsdpBridgeTable():
            return ("tamper",)
        case McuBridgeTable() if table.wiring is not None:
            return table.wiring.inputs
        case _:
            return ()


def _wired(table: MemberTable, gate: GateTable) -> Iterator[BridgeFault]:
    """Find what a table says of contacts that it does not wire: a slip that nobody would notice."""
    wiring = table.wiring if isinstance(table, McuBridgeTable) else table
    if wiring is None:
        return
    outputs, inputs = outputs_named(table), inputs_named(table)
    if not outputs:
        yield BridgeFault("bridge: no output is wired", "name its outputs: a lane shows something")
    bias = table.bias if isinstance(table, GpioBridgeTable) else ()
    for key, named, wired in (
        ("requires", table.requires, outputs),
        ("active_low", wiring.active_low, outputs),
        ("max_on_ms", wiring.max_on_ms, outputs),
        ("normally_closed", wiring.normally_closed, inputs),
        ("bias", bias, inputs),
    ):
        for name in named:
            if name not in wired:
                yield BridgeFault(
                    f"bridge.{key}: '{name}' is not wired to this board", _unwired_hint(key, name)
                )
    for name, limit_ms in wiring.max_on_ms.items():
        if name in GATES and gate.mode == "pulse" and gate.pulse_ms > limit_ms:
            yield BridgeFault(
                f"gate.pulse_ms: {gate.pulse_ms}, and '{name}' is cut after {limit_ms} ms",
                "shorten the pulse, or raise the output's max_on_ms",
            )


def _unwired_hint(key: str, name: str) -> str:
    if key == "requires":
        return f"wire '{name}', or set `requires` to what is wired (green, amber, red if left out)"
    return f"name '{name}' among what is wired, or take it out here"


def _shared(
    lane: WiredLane, table: SharedBridgeTable, lanes: Mapping[str, WiredLane]
) -> Iterator[BridgeFault]:
    owner = lanes.get(table.lane)
    if owner is None or owner is lane or isinstance(owner.bridge, SharedBridgeTable):
        yield BridgeFault(
            f"bridge.lane: no lane '{table.lane}' with a bridge of its own",
            "name the lane whose [lane.bridge] says how the board is connected",
        )
        return
    if isinstance(owner.bridge, ScreenOnlyTable):
        yield BridgeFault(
            f"bridge.lane: the lane '{table.lane}' has no board to share",
            'connect its board, or give this lane kind = "screen_only" as well',
        )
    ours = lane.gate.side_for(lane.direction)
    beside = [
        one.name
        for one in lanes.values()
        if one is not lane
        and (one is owner or one.bridge == table)
        and one.gate.side_for(one.direction) is ours
    ]
    if beside:
        yield BridgeFault(
            f"bridge.lane: '{beside[0]}' unlocks the same side of the gate",
            'give the way out direction = "out", or set `side` in [lane.gate]',
        )


def _shut(lane: WiredLane, lanes: Mapping[str, WiredLane]) -> Iterator[BridgeFault]:
    """Find a lane that would say ADMIT with its lamps, and leave its gate shut.

    A board leaves out what it has no output for: right where there is no gate, and a lie where
    there is one and the lane unlocks its other side.
    """
    bridge = lane.bridge
    if isinstance(bridge, SharedBridgeTable) and bridge.lane in lanes:
        bridge = lanes[bridge.lane].bridge
    gates = {name for member in _members_of(bridge) for name in _gates_of(member)}
    ours = lane.gate.side_for(lane.direction).gate.name.lower()
    if gates and ours not in gates:
        yield BridgeFault(
            f"the lane unlocks '{ours}', and its board has only '{gates.pop()}'",
            'set side = "a" or "b" in [lane.gate]: a is the output gate, b is gate_b',
        )


def _members_of(bridge: BridgeTable) -> tuple[MemberTable, ...]:
    match bridge:
        case SeveralBridgeTable():
            return bridge.members
        case SharedBridgeTable() | ScreenOnlyTable():
            return ()
        case _:
            return (bridge,)


def _gates_of(table: MemberTable) -> set[OutputName]:
    return {name for name in (*outputs_named(table), *table.requires) if name in GATES}


def _several(table: SeveralBridgeTable) -> Iterator[BridgeFault]:
    named = [name for member in table.members for name in outputs_named(member)]
    for gate in GATES:
        if named.count(gate) > 1:
            yield BridgeFault(
                f"bridge.members: two of them have the output '{gate}'",
                "one board alone may unlock a gate: it has to know who passed",
            )
    unknown = [one for one in table.members if isinstance(one, McuBridgeTable) and not one.wiring]
    if len(unknown) > 1:
        yield BridgeFault(
            "bridge.members: two microcontrollers without `wiring`",
            "say what is wired to each: nobody could tell which of them has the gate",
        )
    gated = bool(unknown) or any(_gates_of(member) for member in table.members)
    for member in table.members:
        yield from _members(member)
        strays = [name for name in inputs_named(member) if name in GATE_INPUTS]
        if strays and gated and not _gates_of(member):
            yield BridgeFault(
                f"bridge.members: '{strays[0]}' is wired to a board that has no gate",
                "wire it to the board that unlocks the gate: that board alone acts on it",
            )


def _members(table: BridgeTable) -> Iterator[BridgeFault]:
    match table:
        case GpioBridgeTable():
            used = sorted([*table.outputs.values(), *table.inputs.values()])
            for line, again in pairwise(used):
                if line == again:
                    yield BridgeFault(
                        f"bridge: GPIO{line} is named twice", "give each contact a line of its own"
                    )
        case ModbusBridgeTable() if bool(table.device) == bool(table.host):
            yield BridgeFault(
                "bridge: a Modbus board has either `device` or `host`",
                'device = "/dev/serial/by-id/..." on RS-485, or host = "192.0.2.7" in the network',
            )
        case _:
            pass
