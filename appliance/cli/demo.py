"""`chot demo`: a working checkpoint on this machine, from light and cable to lamp, log and hub."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import uvloop
from rich.console import Console

from appliance.config import KioskTable
from appliance.daemon import first_cause
from appliance.demo.show import DemoOptions, Summary, perform
from appliance.demo.stage import Devices
from appliance.errors import ConfigError
from appliance.inspection import address_problems
from appliance.logs import configure_logging


@click.command()
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=1),
    help="End after so many seconds, once the hub has acknowledged everything.",
)
@click.option("--json", "as_json", is_flag=True, help="No table; one JSON object at the end.")
@click.option("--people", default=100_000, show_default=True, type=click.IntRange(min=100))
@click.option("--seed", default=1, show_default=True, help="Same seed, same people and scenes.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="The kiosk's port; 0 takes a free one.",
)
@click.option("--camera", metavar="DEVICE", help="Film with a real camera, e.g. /dev/video0.")
@click.option("--serial", metavar="PORT", help="Read a real scanner, e.g. /dev/serial/by-id/usb-…")
@click.option("--board", metavar="PORT", help="Light the lamps of a real board.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep hub, journal and keys in this folder, which must be empty or new.",
)
def demo(
    *,
    seconds: float | None,
    as_json: bool,
    people: int,
    seed: int,
    port: int,
    camera: str | None,
    serial: str | None,
    board: str | None,
    keep: Path | None,
) -> None:
    """Show a checkpoint at work: a hub, two lanes, synthetic people, a kiosk in your browser.

    Everything takes the real path; cameras, scanners and boards are simulated behind the same
    ports as real ones, unless you name a real one. Ctrl-C ends it.
    """
    for device, shown_by in (
        (camera, "`ls /dev/v4l/by-id /dev/video*`"),
        (serial, "`ls /dev/serial/by-id`"),
        (board, "`ls /dev/serial/by-id`"),
    ):
        if device is not None and not Path(device).exists():
            msg = f"{device} is not there"
            raise ConfigError(msg, hint=f"is it plugged in? {shown_by} shows what is")
    _require_free(port)
    configure_logging(sys.stderr, logging.WARNING)
    with _folder(keep) as folder:
        options = DemoOptions(
            folder=folder,
            seconds=seconds,
            people=people,
            seed=seed,
            kiosk_port=port,
            as_json=as_json,
            devices=Devices(camera=camera, serial=serial, board=board),
        )
        try:
            summary = uvloop.run(perform(options, Console(stderr=as_json)))
        except asyncio.CancelledError:
            raise click.Abort from None
        except ExceptionGroup as group:
            raise first_cause(group) from group
    _close(summary, as_json=as_json)


def _require_free(port: int) -> None:
    """Check the kiosk's port before a hundred thousand people are drawn for nothing.

    :raises ConfigError: if another program has it.
    """
    for problem in address_problems(KioskTable(port=port)):
        raise ConfigError(problem.what, hint="choose another with --port; 0 takes a free one")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            msg = f"{keep} is not empty"
            raise ConfigError(msg, hint="name an empty folder, or a new one")
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield keep.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="chot-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _close(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(summary).decode())
    else:
        click.echo(
            f"{summary.readings} readings, {summary.journaled} journaled,"
            f" {summary.acknowledged} acknowledged by the hub."
        )
    if not summary.complete:
        missing = summary.journaled - summary.acknowledged
        click.echo(f"error: the hub did not acknowledge {missing} entries in time", err=True)
        sys.exit(1)
