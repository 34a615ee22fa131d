"""Which terminals a local board has: what its process is told, and how they are opened from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.bridges.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.bridges.terminals import Terminals
from firmware_bridge.link.configuration import BoardConfiguration

Line = Annotated[int, msgspec.Meta(ge=0, le=511)]
"""A line's number on its chip. On a Raspberry Pi's header that is the BCM number, as in GPIO17."""
Bias = Literal["pull_up", "pull_down", "disabled"]


class GpioSpec(msgspec.Struct, frozen=True, tag="gpio", forbid_unknown_fields=True):
    """Pins of this computer.

    `chip` is a label, a device path, or empty for a Raspberry Pi's header. A contact closes to
    ground; with `pull_down` in `bias` it closes to the supply. An input's bias is `pull_up` unless
    named here, and `disabled` where a resistor is fitted outside.

    :raises ValueError: if one line is named twice.
    """

    outputs: dict[Output, Line]
    inputs: dict[Input, Line] = {}
    bias: dict[Input, Bias] = {}
    chip: str = ""

    def __post_init__(self) -> None:
        lines = [*self.outputs.values(), *self.inputs.values()]
        twice = sorted({line for line in lines if lines.count(line) > 1})
        if twice:
            msg = f"named twice: {', '.join(f'GPIO{line}' for line in twice)}"
            raise ValueError(msg)


TerminalsSpec = GpioSpec | ModbusRelaySpec | StackLightSpec | OsdpSpec
"""One driver's struct each, told apart by `type`."""


def open_terminals(
    spec: TerminalsSpec, configuration: BoardConfiguration, monotonic_ns: Callable[[], int]
) -> Terminals:
    """Open what the spec names, everything off. May take some seconds.

    Drivers are imported here, so that a process carries only the one that it uses.

    :raises TerminalsError: if it is not there, in use, not allowed, or lacks a line.
    """
    match spec:
        case GpioSpec():
            from firmware_bridge.bridges.gpio import open_gpio  # noqa: PLC0415 - see above

            return open_gpio(spec, configuration)
        case ModbusRelaySpec():
            from firmware_bridge.bridges.modbus_relay import ModbusRelayTerminals  # noqa: PLC0415

            return ModbusRelayTerminals(spec, configuration, monotonic_ns)
        case StackLightSpec():
            from firmware_bridge.bridges.stack_light import StackLightTerminals  # noqa: PLC0415

            return StackLightTerminals(spec, configuration)
        case OsdpSpec():
            from firmware_bridge.bridges.osdp import OsdpTerminals  # noqa: PLC0415

            return OsdpTerminals(spec, configuration, monotonic_ns)
