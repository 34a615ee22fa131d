"""`chot hub entries`: what is set aside because it could not be read, and reading it again."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from hub.clock import HubClock
from hub.examination.duplicates import WINDOW_MS
from hub.examination.notebook import open_notebook
from hub.examination.people import PeopleJudge
from hub.examination.rereading import Reread, Rereading
from hub.folder import DataFolder
from hub.keys import load_keys
from hub.listing import moment, print_table, short
from hub.options import data_option, run
from hub.progress import progress_bar
from hub.seals import Seals
from hub.store.entries import FlagKind
from hub.store.examined import RaisedFlag
from hub.store.sqlite import open_store
from hub.store.sqlite.store import SqliteStore

_KINDS = (FlagKind.UNDECODABLE, FlagKind.SEAL_UNOPENED)


class SetAside(msgspec.Struct, frozen=True):
    """One entry that is set aside. `raw` are its first bytes in hexadecimal, `size` counts all."""

    received: str
    reason: str
    device: str
    journal: str
    sequence: int
    detail: str
    size: int
    raw: str


@click.group()
def entries() -> None:
    """Look at entries that the hub could not read, and have them read again."""


@entries.command("set-aside")
@data_option
@click.option("--device", help="Of this gate only, by its name.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.option(
    "--bytes",
    "raw_bytes",
    default=16,
    show_default=True,
    type=click.IntRange(0, 4_096),
    help="Bytes of each that are shown. They may say something of a person.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def set_aside(
    *, folder: DataFolder, device: str | None, limit: int, raw_bytes: int, as_json: bool
) -> None:
    """List entries that are kept as they came because they could not be read, and why."""
    folder.require()
    listed = run(_listed(folder, device, limit, raw_bytes))
    if as_json:
        for one in listed:
            click.echo(msgspec.json.encode(one))
        return
    _print(listed)


@entries.command()
@data_option
def reread(folder: DataFolder) -> None:
    """Read again what is set aside: after an update, or with a former key put back.

    A hub does so by itself each time it begins to serve.
    """
    folder.require()
    result = run(_reread(folder))
    left = result.looked - result.read
    click.echo(f"{result.read:,} entries are read now, {left:,} stay set aside.", err=True)


async def _listed(
    folder: DataFolder, device: str | None, limit: int, raw_bytes: int
) -> list[SetAside]:
    async with open_store(folder.database) as store:
        raised = [
            one
            for kind in _KINDS
            for one in await store.all_flags(kind=kind, device=device, limit=limit)
        ]
        raised.sort(key=lambda one: one.raised_ns, reverse=True)
        return [await _one(store, one, raw_bytes) for one in raised[:limit]]


async def _one(store: SqliteStore, one: RaisedFlag, raw_bytes: int) -> SetAside:
    sequence = one.flag.sequence
    found = await store.entries(one.key, sequence - 1, limit=1)
    held = next((entry for entry in found if entry.sequence == sequence), None)
    packed = held.packed if held else b""
    return SetAside(
        moment(held.received_ns if held else one.raised_ns),
        one.flag.kind.value,
        one.key.device,
        one.key.journal.hex(),
        sequence,
        one.flag.detail,
        len(packed),
        packed[:raw_bytes].hex(),
    )


async def _reread(folder: DataFolder) -> Reread:
    seals = Seals.of(load_keys(folder.keys))
    async with (
        open_store(folder.database) as store,
        open_notebook(folder.examination) as notebook,
    ):
        counts = await store.flag_counts()
        total = sum(counts.get(kind, 0) for kind in _KINDS)
        rereading = Rereading(store, PeopleJudge(store, notebook, WINDOW_MS), seals)
        with progress_bar("Reading again", total) as bar:
            return await rereading.run(HubClock().now().wall_ns, bar.reached)


def _print(listed: Sequence[SetAside]) -> None:
    print_table(
        ("received", "entry", "reason", "bytes", "begins with", "detail"),
        [
            (
                short(one.received),
                f"{one.device} {one.sequence}",
                one.reason,
                str(one.size),
                one.raw,
                one.detail,
            )
            for one in listed
        ],
    )
    click.echo(f"{len(listed):,} listed, the last first.", err=True)
