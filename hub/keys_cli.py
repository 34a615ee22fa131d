"""`chot hub keys`: which files gates need, and replacing the hub's keys."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from admission.sealing import key_id
from hub import tasks
from hub.clock import HubClock
from hub.folder import DataFolder
from hub.keys import ROOT, key_file, load_keys
from hub.options import data_option, run
from hub.rotation import ROTATED, rotate, take_offline
from hub.seal_keys import load_seal_keys, rotate_seal_key
from hub.trust_repository import TrustRepository

SEAL = "seal"
_HERE = "kept here: chot hub keys offline moves it to a safe"
_ELSEWHERE = "kept elsewhere"


@click.group(invoke_without_command=True)
@click.option(
    "--data",
    "path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The hub's folder: database, keys, published files.",
)
@click.pass_context
def keys(context: click.Context, path: Path | None) -> None:
    """Say which files every gate needs; move and replace the hub's keys.

    Without a command it shows.
    """
    if path is not None:
        context.default_map = {name: {"folder": str(path)} for name in keys.commands}
    if context.invoked_subcommand is None:
        context.invoke(show, folder=_required(context, path))


@keys.command()
@data_option
def show(folder: DataFolder) -> None:
    """Say which files every gate needs, and until when what is signed counts."""
    folder.require()
    show_keys(folder)
    repository = TrustRepository(folder.replica, load_keys(folder.keys))
    for role, moment in repository.until().items():
        click.echo(f"The {role} metadata counts until {moment:%Y-%m-%d}.", err=True)
    seals = load_seal_keys(folder.keys)
    if seals.present is not None:
        named, former = key_id(seals.present.public_key()).hex(), len(seals.former)
        click.echo(f"Gates seal entries for the key {named}; former ones kept: {former}.", err=True)
    here = (folder.keys / key_file(ROOT)).exists()
    click.echo(f"The root key is {_HERE if here else _ELSEWHERE}.", err=True)
    if problem := repository.problem(HubClock().now()):
        click.secho(f"{problem[:1].upper()}{problem[1:]}.", fg="yellow", err=True)


@keys.command()
@data_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def offline(folder: DataFolder, file: Path) -> None:
    """Move the root key out to FILE, on a stick that goes into a safe.

    It is written, read back, and then removed here. Nobody else has it: keep a second copy.
    """
    folder.require()
    with folder.served():
        take_offline(folder, file)
    click.echo(f"The root key is in {file}, and no longer here.", err=True)
    click.echo(
        "Without it no key but the head's can be replaced: keep a second copy, elsewhere.", err=True
    )


@keys.command(name="rotate")
@data_option
@click.argument("role", type=click.Choice((*ROTATED, SEAL)))
@click.option(
    "--root-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that the root key was moved to; a new root key replaces it there.",
)
def rotate_(folder: DataFolder, role: str, root_key: Path | None) -> None:
    """Replace the key of ROLE. Gates follow by themselves; what the old key signs ends to count.

    Stop the hub before, and start it again after. All but the head's and the seal's need the root
    key. A former seal key stays: it opens what was sealed for it.
    """
    folder.require()
    if role == SEAL:
        with folder.served():
            rotate_seal_key(folder.keys, entropy=secrets.token_bytes)
            run(tasks.prepare(folder))
        click.echo("The seal key is a new one; gates learn it with the next release.", err=True)
        return
    with folder.served():
        now = HubClock().now()
        rotate(folder, role, now, root_key=root_key, entropy=secrets.token_bytes)
    click.echo(f"The {role} key is a new one; gates learn it when they next ask.", err=True)
    if role == ROOT:
        click.echo(f"Put {folder.root_file} on gates that are yet to be set up.", err=True)


def show_keys(folder: DataFolder) -> None:
    """Name the files that every gate needs."""
    click.echo(f"Every gate needs: {folder.root_file}", err=True)
    click.echo(f"                  {folder.hash_key} (secret)", err=True)


def _required(context: click.Context, path: Path | None) -> DataFolder:
    if path is None:
        raise click.MissingParameter(
            ctx=context, param_hint="'--data'", param_type="option", message=None
        )
    return DataFolder(path)
