"""`chot bridge off`: everything that a configuration's boards drive goes off, now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from appliance.cli.bridge_link import DARK, bridge_to, linked
from appliance.cli.bridge_targets import Target, targets, which_boards
from firmware_bridge.errors import BridgeError

START_S = 5.0
"""A board answers within two seconds if it does; systemd waits for ten."""


@click.command("off")
@which_boards
def off_command(config: Path | None, lanes: tuple[str, ...], port: str) -> None:
    """Switch off all that boards drive. For systemd's ExecStopPost=, or by hand.

    Boards end by themselves within a second whatever they drive without a host. Relays on a Modbus
    cable know no host: if all our processes were killed at once, this is what switches them off.
    Exits with 1 if a board could not be reached; each one is tried.
    """
    results = asyncio.run(_all_off(targets(config, lanes, port)))
    if not all(results):
        raise SystemExit(1)


async def _all_off(chosen: list[Target]) -> list[bool]:
    return list(await asyncio.gather(*(_off(target) for target in chosen)))


async def _off(target: Target) -> bool:
    """Switch one board off; return whether it said that it did."""
    try:
        async with linked(bridge_to(target), start_s=START_S) as bridge:
            await bridge.show(DARK)
    except BridgeError as error:
        click.echo(f"{target.name}: {error}\n  → {error.hint}", err=True)
        return False
    click.echo(f"{target.name}: off")
    return True
