"""Which terminals a local board has: what its process is told, and how they are opened from it."""

from __future__ import annotations

from collections.abc import Callable

from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.terminals.gpio_spec import GpioSpec
from firmware_bridge.terminals.terminals import Terminals

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
            from firmware_bridge.terminals.gpio import open_gpio  # noqa: PLC0415 - see above

            return open_gpio(spec, configuration)
        case ModbusRelaySpec():
            from firmware_bridge.terminals.modbus_relay import ModbusRelayTerminals  # noqa: PLC0415

            return ModbusRelayTerminals(spec, configuration, monotonic_ns)
        case StackLightSpec():
            from firmware_bridge.terminals.stack_light import StackLightTerminals  # noqa: PLC0415

            return StackLightTerminals(spec, configuration)
        case OsdpSpec():
            from firmware_bridge.terminals.osdp import OsdpTerminals  # noqa: PLC0415

            return OsdpTerminals(spec, configuration, monotonic_ns)
