"""`chot hub roster`: which sites have an approved list, and doing away with one."""

from __future__ import annotations

import click

from hub.errors import HubError
from hub.folder import DataFolder
from hub.options import AT_ONCE, data_option, run
from hub.store.registers import ROSTER
from hub.store.registers import roster as register_of
from hub.store.sqlite import open_store


@click.group()
def roster() -> None:
    """Show which sites have an approved list, or do away with one. Import fills them."""


@roster.command("list")
@data_option
def list_(folder: DataFolder) -> None:
    """Show the sites that have a list, and how many are on it."""
    folder.require()
    for site, workers in run(_sites(folder)).items():
        click.echo(f"{site}: {workers:,}")


@roster.command()
@data_option
@click.argument("site")
def remove(*, folder: DataFolder, site: str) -> None:
    """Do away with the list of SITE: unlike an empty one, it keeps nobody out any more."""
    folder.require()
    if not run(_remove(folder, site)):
        msg = f"{site} has no list"
        raise HubError(msg, hint=f"chot hub roster list --data {folder.root}")
    click.echo(f"The list of {site} is gone. {AT_ONCE}", err=True)


async def _sites(folder: DataFolder) -> dict[str, int]:
    async with open_store(folder.database) as store:
        return {
            register.removeprefix(ROSTER): sum([len(chunk) async for chunk in store.rows(register)])
            for register in sorted(await store.revisions())
            if register.startswith(ROSTER)
        }


async def _remove(folder: DataFolder, site: str) -> bool:
    async with open_store(folder.database) as store:
        return await store.drop_register(register_of(site))
