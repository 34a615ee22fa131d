"""`chot hub retention`: what is held of each day, and when it goes."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from hub.clock import HubClock
from hub.days import day_of, name_of
from hub.folder import MAX_KEEP_DAYS, DataFolder
from hub.listing import counted
from hub.options import data_option, run
from hub.retention import first_kept
from hub.store.entries import Day
from hub.store.sqlite import open_store

_KIB = 1024
_FILE_COLUMNS = 200


@click.command()
@data_option
@click.option(
    "--keep-days",
    type=click.IntRange(1, MAX_KEEP_DAYS),
    help="Keep so many days before today from now on. A hub that serves takes it within minutes.",
)
def retention(*, folder: DataFolder, keep_days: int | None) -> None:
    """Show what is held of each day, and when it goes.

    A hub that serves drops a day whole: its entries, with what was found in them and beside them.
    """
    folder.require()
    if keep_days is not None:
        folder.keep(keep_days)
    kept, today = folder.keep_days, day_of(HubClock().now().wall_ns)
    console = Console()
    width = None if console.is_terminal else _FILE_COLUMNS
    console.print(_table(run(_days(folder)), kept, today), width=width)


async def _days(folder: DataFolder) -> Sequence[Day]:
    async with open_store(folder.database) as store:
        return await store.days()


def _table(days: Sequence[Day], kept: int, today: int) -> Table:
    table = Table(title=f"By UTC day, kept for {kept} days")
    table.add_column("day")
    table.add_column("entries", justify="right")
    table.add_column("KiB", justify="right")
    table.add_column("goes")
    for day in days:
        table.add_row(
            name_of(day.day),
            f"{day.entries:,}",
            f"{day.bytes // _KIB:,}" if day.bytes else "the file is missing",
            "now" if day.day < first_kept(today, kept) else name_of(day.day + kept + 1),
        )
    entries, size = sum(day.entries for day in days), sum(day.bytes for day in days)
    table.caption = f"{counted(len(days), 'day')}, {entries:,} entries, {size // _KIB:,} KiB"
    return table
