"""`chot hub device`: which gates there are, by which key they are known, who is denied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from cache.errors import KeyFileError
from cache.replica.keys import load_public_keys
from hub import devices
from hub.clock import HubClock
from hub.errors import HubError
from hub.folder import DataFolder
from hub.listing import counted
from hub.options import data_option, run
from hub.store.devices import Device
from hub.store.sqlite import open_store


class _NameFirst(click.Group):
    """A group in which `chot hub device NAME …` means `chot hub device register NAME …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name in front where none is given."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["register", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_NameFirst)
def device() -> None:
    """Register a gate by hand, list the gates, deny one.

    `chot hub device NAME …` registers: see `chot hub device register --help`.
    """


@device.command()
@data_option
@click.argument("name")
@click.option(
    "--public-key",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The gate's key: state/identity/device.pub, copied from the gate itself.",
)
def register(*, folder: DataFolder, name: str, public_key: Path) -> None:
    """Let a gate upload under NAME, by its key. Given again, NAME's earlier key ends to count."""
    folder.require()
    key = _public_key(public_key)
    before = run(_register(folder, name, key))
    click.echo(f"{name} may upload by the key in {public_key}.", err=True)
    if before is not None and before.public_key not in {b"", key}:
        click.echo(f"The key that {name} had before no longer counts.", err=True)


@device.command("list")
@data_option
def list_(*, folder: DataFolder) -> None:
    """List the gates: name, site, serial, state, and until when the certificate holds."""
    folder.require()
    listed = run(_devices(folder))
    for one in listed:
        until = _date(one.expires_ns) if one.expires_ns is not None else "no certificate"
        denied = f"denied since {_date(one.denied_ns)}" if one.denied_ns is not None else "active"
        click.echo("\t".join((one.name, one.site or "-", one.serial or "-", denied, until)))
    click.echo(f"{counted(len(listed), 'gate')}.", err=True)


@device.command()
@data_option
@click.argument("name")
def deny(*, folder: DataFolder, name: str) -> None:
    """Take nothing from a gate any more and give it nothing, from now on.

    What it records meanwhile stays on it, and goes up if it is allowed again.
    """
    folder.require()
    run(_set_denied(folder, name, denied=True))
    click.echo(f"{name} is denied. `chot hub device allow {name}` takes that back.", err=True)


@device.command()
@data_option
@click.argument("name")
def allow(*, folder: DataFolder, name: str) -> None:
    """Take a gate off the deny list."""
    folder.require()
    run(_set_denied(folder, name, denied=False))
    click.echo(f"{name} may upload again.", err=True)


def _public_key(path: Path) -> bytes:
    try:
        keys = load_public_keys(path)
    except KeyFileError as error:
        hint = "it is state/identity/device.pub of the gate, which `chot enrol --show` makes there"
        raise HubError(str(error), hint=hint) from error
    if len(keys) != 1:
        msg = f"{path} holds {len(keys)} keys"
        raise HubError(msg, hint="a device has one: state/identity/device.pub of the gate")
    return keys[0].public_bytes_raw()


async def _register(folder: DataFolder, name: str, key: bytes) -> Device | None:
    async with open_store(folder.database) as store:
        before = await store.device_by_name(name)
        await devices.register(store, name, key, HubClock().now())
        return before


async def _devices(folder: DataFolder) -> Sequence[Device]:
    async with open_store(folder.database) as store:
        return await store.devices()


async def _set_denied(folder: DataFolder, name: str, *, denied: bool) -> None:
    async with open_store(folder.database) as store:
        now_ns = HubClock().now().wall_ns
        if not await store.set_denied(name, now_ns if denied else None):
            msg = f"there is no device {name}"
            raise HubError(msg, hint="`chot hub device list` names them all")


def _date(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).date().isoformat()
