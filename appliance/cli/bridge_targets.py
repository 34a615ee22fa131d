"""Which boards a `chot bridge` command is about: those of a configuration, or the one at a port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from appliance.bridge_tables import (
    GpioBridgeTable,
    McuBridgeTable,
    MemberTable,
    ModbusBridgeTable,
    ScreenOnlyTable,
    SeveralBridgeTable,
    SharedBridgeTable,
)
from appliance.config import LaneTable, load_config
from appliance.errors import ConfigError
from appliance.flashing import the_board_here
from appliance.gate_table import GateTable

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Target(msgspec.Struct, frozen=True):
    """One board: how it is connected, the gate at it, and what to call it."""

    name: str
    table: MemberTable
    gate: GateTable = GateTable()

    @property
    def port(self) -> str:
        """Where it is plugged in, as the configuration names it."""
        match self.table:
            case McuBridgeTable(port=port):
                return port
            case ModbusBridgeTable(host=host, port=tcp_port) if host:
                return f"{host}:{tcp_port}"
            case GpioBridgeTable(chip=chip):
                return chip or "this computer's pins"
            case other:
                return other.device

    @property
    def title(self) -> str:
        """What to call it above a table: its name, and where it is unless that says it already."""
        return self.name if self.name == self.port else f"{self.name} ({self.port})"


def which_boards(command: _Command) -> _Command:
    """Give a command the options `config`, `lanes` and `port`, for `targets`."""
    for option in (
        click.option(
            "--port", default="", metavar="DEVICE", help="The microcontroller at this serial port."
        ),
        click.option(
            "--lane", "lanes", multiple=True, metavar="NAME", help="...of these lanes; else of all."
        ),
        click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="The boards of this configuration...",
        ),
    ):
        command = option(command)
    return command


def targets(config: Path | None, lanes: Sequence[str], port: str) -> list[Target]:
    """Return the boards that the options name, each once; without options the one plugged in.

    :raises click.UsageError: if the options contradict each other.
    :raises ConfigError: the configuration cannot be used, has no such lane or no board at all.
    :raises FlashError: nothing is named, and not exactly one port is plugged in.
    """
    if config is None:
        if lanes:
            raise click.UsageError("--lane names a lane of --config")
        where = port or the_board_here()
        return [Target(where, McuBridgeTable(port=where, requires=()))]
    if port:
        raise click.UsageError("either --config or --port")
    found = list(_of_lanes(load_config(config).lane, config, lanes))
    if not found:
        msg = f"{config}: no board: people read the kiosk's page alone"
        raise ConfigError(msg, hint="give a lane a [lane.bridge] of another kind")
    return found


def _of_lanes(lanes: Sequence[LaneTable], config: Path, named: Sequence[str]) -> Iterator[Target]:
    by_name = {lane.name: lane for lane in lanes}
    unknown = [name for name in named if name not in by_name]
    if unknown:
        msg = f"{config}: no lane is named '{unknown[0]}'"
        raise ConfigError(msg, hint=f"its lanes: {', '.join(by_name)}")
    seen = set()
    for name in named or by_name:
        lane = by_name[name]
        if isinstance(lane.bridge, SharedBridgeTable):
            lane = by_name[lane.bridge.lane]  # the configuration was checked: it has its own
        if lane.name in seen:
            continue
        seen.add(lane.name)
        match lane.bridge:
            case ScreenOnlyTable() | SharedBridgeTable():
                continue
            case SeveralBridgeTable(members):
                for number, member in enumerate(members, 1):
                    yield Target(f"{lane.name}/{number}", member, lane.gate)
            case member:
                yield Target(lane.name, member, lane.gate)
