"""From a bridge's table to the bridge; local boards run in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from admission.gate import Input
from admission.signal import Output
from appliance.bridge_checks import outputs_named
from appliance.bridge_tables import (
    BridgeTable,
    GpioBridgeTable,
    InputName,
    LightName,
    LocalBridgeTable,
    McuBridgeTable,
    MemberTable,
    ModbusBridgeTable,
    OsdpBridgeTable,
    OutputName,
    SeveralBridgeTable,
    StackLightBridgeTable,
    configuration_of,
    outputs_of,
)
from appliance.gate_table import GateTable
from firmware_bridge.bridges.listeners import AliveListener, EventListener
from firmware_bridge.bridges.local import local_bridge
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.several import MemberPlan, SeveralBridge
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.obstacles import Expected
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.terminals.gpio_spec import GpioSpec
from firmware_bridge.terminals.opening import TerminalsSpec

_Where = TypeVar("_Where")
_Spec = TypeVar("_Spec", GpioSpec, ModbusRelaySpec, StackLightSpec, OsdpSpec)


def open_member(
    table: MemberTable,
    gate: GateTable,
    *,
    monotonic_ns: Callable[[], int],
    nonce: Callable[[int], int],
    on_event: EventListener | None = None,
    on_alive: AliveListener | None = None,
    commissioning: bool = False,
) -> McuBridge:
    """Return the bridge to one board. Nothing is opened before its `run`.

    :param commissioning: take a microcontroller as it is, whatever it is configured for.
    :raises ValueError: if the table names something that no such board could have.
    """
    required = outputs_of(table.requires)
    if not isinstance(table, McuBridgeTable):
        return local_bridge(
            spec_of(table),
            configuration_of(table, gate) or BoardConfiguration(),
            monotonic_ns=monotonic_ns,
            nonce=nonce,
            required=required,
            on_event=on_event,
            on_alive=on_alive,
        )
    expected = None if commissioning else Expected(configuration_of(table, gate))
    return McuBridge(
        table.port,
        monotonic_ns=monotonic_ns,
        nonce=nonce,
        required=required,
        expected=expected,
        on_event=on_event,
        on_alive=on_alive,
    )


def open_several(
    table: SeveralBridgeTable,
    gate: GateTable,
    *,
    monotonic_ns: Callable[[], int],
    nonce: Callable[[int], int],
    on_event: EventListener | None = None,
    on_alive: AliveListener | None = None,
) -> SeveralBridge:
    """Return the bridge over all members. A microcontroller without wiring has what others lack.

    :raises ValueError: as `open_member` does, or if two members have the same gate.
    """
    named = {output for one in table.members for output in outputs_of(outputs_named(one))}
    rest = frozenset(Output) - named

    def plan(member: MemberTable) -> MemberPlan:
        def opened(events: EventListener | None, alive: AliveListener) -> McuBridge:
            return open_member(
                member,
                gate,
                monotonic_ns=monotonic_ns,
                nonce=nonce,
                on_event=events,
                on_alive=alive,
            )

        return MemberPlan(name_of(member), outputs_of(outputs_named(member)) or rest, opened)

    return SeveralBridge(
        [plan(member) for member in table.members], on_event=on_event, on_alive=on_alive
    )


def name_of(table: MemberTable) -> str:
    """Return what a board is called where several are spoken of: its kind, and where it is."""
    kind = str(table.__struct_config__.tag)
    match table:
        case McuBridgeTable():
            return f"{kind} {table.port}"
        case GpioBridgeTable():
            return f"{kind} {table.chip}".strip()
        case ModbusBridgeTable():
            return f"{kind} {table.device or table.host}"
        case _:
            return f"{kind} {table.device}"


def local_tables(table: BridgeTable) -> list[LocalBridgeTable]:
    """Return the tables of the local boards in a bridge."""
    members = table.members if isinstance(table, SeveralBridgeTable) else (table,)
    return [one for one in members if isinstance(one, LocalBridgeTable)]


def check_local(table: LocalBridgeTable, gate: GateTable) -> None:
    """Return if there can be such a board.

    :raises ValueError: if the table names something that no such board could have.
    """
    spec = spec_of(table)
    configuration = configuration_of(table, gate)
    if configuration is not None and not isinstance(spec, GpioSpec):
        spec.check_fit(configuration)


def spec_of(table: LocalBridgeTable) -> TerminalsSpec:
    """Return what the process of a local board is told.

    :raises ValueError: if the table names something that no such board could have.
    """
    match table:
        case GpioBridgeTable():
            return _spec(
                GpioSpec,
                table,
                outputs=_by_output(table.outputs),
                inputs=_by_input(table.inputs),
                bias=_by_input(table.bias),
            )
        case ModbusBridgeTable():
            coils, inputs = _by_output(table.coils), _by_input(table.discrete_inputs)
            return _spec(ModbusRelaySpec, table, coils=coils, discrete_inputs=inputs)
        case StackLightBridgeTable():
            return _spec(StackLightSpec, table, tiers=_by_output(table.tiers))
        case OsdpBridgeTable():
            return _spec(OsdpSpec, table)


def _spec(kind: type[_Spec], table: LocalBridgeTable, **named: Any) -> _Spec:
    """Return the spec whose fields are the table's of the same names, but for what is `named`."""
    names = {field.name for field in msgspec.structs.fields(kind)} - named.keys()
    return kind(**{name: getattr(table, name) for name in names}, **named)


def _by_output(
    named: Mapping[OutputName, _Where] | Mapping[LightName, _Where],
) -> dict[Output, _Where]:
    return {Output[name.upper()]: where for name, where in named.items()}


def _by_input(named: Mapping[InputName, _Where]) -> dict[Input, _Where]:
    return {Input[name.upper()]: where for name, where in named.items()}
