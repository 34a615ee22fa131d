"""What only this machine can tell of a bridge: its cable, its pins, its reader's key."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from appliance.bridge_tables import (
    BridgeTable,
    GpioBridgeTable,
    McuBridgeTable,
    ModbusBridgeTable,
    OsdpBridgeTable,
    StackLightBridgeTable,
)
from appliance.problem import Problem
from firmware_bridge.errors import TerminalsError
from firmware_bridge.terminals.gpio import find_chip
from firmware_bridge.terminals.osdp_line import key_in


class Cable(msgspec.Struct, frozen=True):
    """The device that a bridge hangs on, and the key of the table that names it."""

    key: str
    device: str


def cable_of(table: BridgeTable) -> Cable | None:
    """Return the serial device that the table names; None if it names none."""
    match table:
        case McuBridgeTable():
            return Cable("port", table.port)
        case StackLightBridgeTable() | OsdpBridgeTable():
            return Cable("device", table.device)
        case ModbusBridgeTable() if table.device:
            return Cable("device", table.device)
        case _:
            return None


def bridge_problems(where: str, table: BridgeTable) -> Iterator[Problem]:
    """Yield what keeps a local board from starting here."""
    match table:
        case GpioBridgeTable():
            try:
                find_chip(table.chip)
            except TerminalsError as error:
                yield Problem(f"{where}.chip", str(error), error.hint or "see docs/bridges.md")
        case OsdpBridgeTable() if table.key_file:
            try:
                key_in(table.key_file)
            except TerminalsError as error:
                yield Problem(f"{where}.key_file", str(error), error.hint or "see docs/bridges.md")
        case _:
            pass
