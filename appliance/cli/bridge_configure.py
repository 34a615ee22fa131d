"""`chot bridge configure`: a board gets the wiring and the gate that the site's file gives it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from appliance.bridge_tables import McuBridgeTable, configuration_of
from appliance.cli.bridge_link import bridge_to, linked
from appliance.cli.bridge_settings import differences
from appliance.cli.bridge_targets import Target, targets
from appliance.errors import ConfigError
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeRefused
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import BoardState, Refusal

JUMPER_HINT = (
    "fit the configuration jumper (D9 to GND), call this again, and take the jumper off afterwards"
)


@click.command("configure", short_help="Write the wiring of the file into the boards.")
@click.option(
    "--config",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The site's configuration.",
)
@click.option("--lane", "lanes", multiple=True, metavar="NAME", help="Only boards of these lanes.")
@click.option("--port", default="", metavar="DEVICE", help="The board is at this port for now.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written; exit 1 if anything.")
def configure_command(
    config: Path, lanes: tuple[str, ...], port: str, yes: bool, dry_run: bool
) -> None:
    """Write [lane.gate] and [lane.bridge.wiring] into microcontrollers, and read them back.

    What differs is shown first. A board takes a configuration only while its jumper is fitted.
    Boards that are no microcontrollers keep none: they are told at each start.
    """
    chosen = [t for t in targets(config, lanes, "") if isinstance(t.table, McuBridgeTable)]
    if port and len(chosen) != 1:
        raise click.UsageError("--port needs --lane with exactly one microcontroller")
    if not chosen:
        msg = f"{config}: no microcontroller among its boards"
        raise ConfigError(msg, hint="boards of other kinds are told their wiring at each start")
    differing = [_configure(target, port, yes, dry_run) for target in chosen]
    if dry_run and any(differing):
        raise SystemExit(1)


def _configure(target: Target, port: str, yes: bool, dry_run: bool) -> bool:
    """Bring one board to its configuration; return whether it had another one.

    Asks between two links, not within one: a thread that waits for a line cannot be called off.
    """
    wanted = _wanted(target)
    there = McuBridgeTable(port=port or target.port, requires=())
    target = msgspec.structs.replace(target, table=there)
    if not asyncio.run(_differs(target, wanted)):
        return False
    if dry_run:
        return True
    if not yes and not _agreed():
        raise click.Abort
    asyncio.run(_write(target, wanted))
    click.secho(f"{target.name}: written and read back; take the jumper off now", fg="green")
    return True


async def _differs(target: Target, wanted: BoardConfiguration) -> bool:
    """Show what differs; return whether the board has to be written."""
    async with linked(bridge_to(target)) as bridge:
        stored, damaged = _state(bridge)
        differing = differences(await bridge.read_configuration(), wanted)
    _print(target.name, differing, stored=stored, damaged=damaged)
    return bool(differing) or damaged or not stored


def _agreed() -> bool:
    if sys.stdin is None:
        raise click.UsageError("nobody can be asked: standard input is closed (--yes does not ask)")
    return click.confirm("write this to the board?")


async def _write(target: Target, wanted: BoardConfiguration) -> None:
    async with linked(bridge_to(target)) as bridge:
        await write(bridge, wanted)


async def write(bridge: McuBridge, wanted: BoardConfiguration) -> None:
    """Write, wait for the board to come back, and read.

    :raises BridgeRefused: the jumper is not fitted, or the board has another configuration.
    """
    try:
        await bridge.configure(wanted)
    except BridgeRefused as error:
        if error.reason != Refusal.LOCKED:
            raise
        raise BridgeRefused("the board is locked", hint=JUMPER_HINT) from error
    if await bridge.read_configuration() != wanted:
        raise BridgeRefused(
            "the board has another configuration than was written", hint="write it again"
        )


def _wanted(target: Target) -> BoardConfiguration:
    wanted = configuration_of(target.table, target.gate)
    if wanted is None:
        msg = f"the lane '{target.name}' does not say how its board is wired"
        raise ConfigError(msg, hint="add [lane.bridge.wiring]: outputs, inputs (docs/wiring.md)")
    return wanted


def _state(bridge: McuBridge) -> tuple[bool, bool]:
    state = bridge.board.state if bridge.board is not None else BoardState(0)
    return BoardState.STORED in state, BoardState.DAMAGED in state


def _print(
    name: str, differing: list[tuple[str, str, str]], *, stored: bool, damaged: bool
) -> None:
    if damaged:
        click.secho(f"{name}: what the board had stored is damaged", fg="red")
    elif not differing:
        what = "is configured" if stored else "has nothing stored yet; its defaults are"
        click.echo(f"{name}: the board {what} as the file has it")
    if not differing:
        return
    table = Table("key", "board", "file", title=name)
    for row in differing:
        table.add_row(*row)
    Console().print(table)
