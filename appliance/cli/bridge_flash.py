"""`chot bridge flash`: the firmware onto a board, and the board asked who it is now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

import firmware_bridge
from appliance.bridge_tables import McuBridgeTable
from appliance.cli.bridge_link import bridge_to, linked
from appliance.cli.bridge_targets import Target
from appliance.flashing import FlashError, Flashing, flash, runs_avrdude, the_board_here
from firmware_bridge.bridges.port import open_device
from firmware_bridge.link.messages import HelloReply

OLD_BOOTLOADER = """\
warning: this is the old bootloader, which may not survive a reset by the watchdog: the board stays
  dark then until its power is cut
  → burn the Uno's, or none (docs/wiring.md, Bootloader)"""
BUILT = Path(firmware_bridge.__file__).parent / "firmware/build/chot-atmega328p.hex"


@click.command("flash", short_help="Write the firmware to a board, and greet it.")
@click.option(
    "--port", default="", metavar="DEVICE", help="The board's serial port; found if alone."
)
@click.option(
    "--hex",
    "hex_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=BUILT,
    show_default="what `make firmware` built",
    help="The firmware to write.",
)
@click.option(
    "--bootloader",
    type=click.Choice(["auto", "new", "old"]),
    default="auto",
    show_default=True,
    help="Which one the Nano was sold with; an Uno has the new one.",
)
@click.option(
    "--programmer",
    default="",
    metavar="NAME",
    help="Write by an ISP programmer, e.g. usbasp, for a board without a bootloader.",
)
def flash_command(port: str, hex_file: Path, bootloader: Any, programmer: str) -> None:
    """Write the firmware to a board, read it back, and greet the board.

    Needs avrdude, and no root. Exits with 1 if the board does not answer with the new firmware.
    """
    if not hex_file.is_file():
        msg = f"{hex_file}: there is no such file"
        raise FlashError(msg, hint="make firmware builds it; or name one with --hex")
    if not port and not programmer:
        port = the_board_here()
    if port:
        open_device(port).close()  # in use, or not ours to open: told before anything is begun
    by = f"by {programmer}" if programmer else f"at {port}"
    click.echo(f"writing {hex_file.name} to the board {by} ...")
    answered = flash(Flashing(hex_file, port, bootloader, programmer), runs_avrdude, _tell)
    if answered == "old":
        click.secho(OLD_BOOTLOADER, fg="yellow", err=True)
    if not port:
        click.echo(
            "written and read back; plug the board in and ask it: chot bridge show --port ..."
        )
        return
    board = asyncio.run(_greet(port))
    version = ".".join(map(str, board.firmware))
    click.secho(f"the board answers: firmware {version}, start {board.boot_count}", fg="green")


def _tell(text: str) -> None:
    click.echo(text, nl=False, err=True)


async def _greet(port: str) -> HelloReply:
    async with linked(bridge_to(Target(port, McuBridgeTable(port=port, requires=())))) as bridge:
        board = bridge.board
    if board is None:
        raise FlashError("the board fell silent again", hint="check its power and its cable")
    return board
