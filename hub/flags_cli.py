"""`chot hub flags`: what the hub remarks on entries, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
import msgspec

from admission.errors import WireError
from admission.journal_record import PassageRecord, unpack_record
from admission.logged_passage import LoggedPassage
from hub.flag_words import WHAT_TO_DO
from hub.folder import DataFolder
from hub.listing import moment, print_table, short
from hub.options import Moment, data_option, run
from hub.store.entries import FlagKind
from hub.store.examined import RaisedFlag
from hub.store.sqlite import open_store
from hub.store.sqlite.store import SqliteStore


class ShownFlag(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the list. Of the entry it tells what stands in the clear; it names nobody."""

    kind: str
    raised: str
    device: str
    journal: str
    sequence: int
    detail: str = ""
    at: str = ""
    site: str = ""
    lane: str = ""
    outcome: str = ""
    what_to_do: str = ""


@click.command()
@data_option
@click.option("--kind", type=click.Choice([kind.value for kind in FlagKind]), help="Of this kind.")
@click.option("--device", help="Of this gate only, by its name.")
@click.option(
    "--since",
    type=Moment(),
    default="1970-01-01T00:00+00:00",
    help="Raised since then, such as 2021-09-16T00:00+07:00; everything if left out.",
)
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def flags(
    *,
    folder: DataFolder,
    kind: str | None,
    device: str | None,
    since: int,
    limit: int,
    as_json: bool,
) -> None:
    """List what the hub remarks on entries, the last raised first, and say what to do."""
    folder.require()
    only = None if kind is None else FlagKind(kind)
    since_ns = max(0, since) * 1_000_000_000
    shown, counts = run(_listed(folder, only, device, since_ns, limit))
    if as_json:
        for one in shown:
            click.echo(msgspec.json.encode(one))
        return
    _print(shown, counts)


async def _listed(
    folder: DataFolder, kind: FlagKind | None, device: str | None, since_ns: int, limit: int
) -> tuple[list[ShownFlag], Mapping[FlagKind, int]]:
    async with open_store(folder.database) as store:
        raised = await store.all_flags(kind=kind, device=device, since_ns=since_ns, limit=limit)
        shown = [_shown(one, await _passage(store, one)) for one in raised]
        return shown, await store.flag_counts()


async def _passage(store: SqliteStore, one: RaisedFlag) -> LoggedPassage | None:
    held = await store.held(one.key, [one.flag.sequence])
    entry = held.get(one.flag.sequence)
    try:
        record = unpack_record(entry.packed) if entry and entry.packed else None
    except WireError:
        return None
    return record.passage if isinstance(record, PassageRecord) else None


def _shown(one: RaisedFlag, passage: LoggedPassage | None) -> ShownFlag:
    flag = one.flag
    shown = ShownFlag(
        flag.kind.value,
        moment(one.raised_ns),
        one.key.device,
        one.key.journal.hex(),
        flag.sequence,
        flag.detail,
        what_to_do=WHAT_TO_DO[flag.kind],
    )
    if passage is None:
        return shown
    return msgspec.structs.replace(
        shown,
        at=moment(passage.wall_ns),
        site=passage.site,
        lane=passage.lane,
        outcome=passage.outcome.value,
    )


def _print(shown: Sequence[ShownFlag], counts: Mapping[FlagKind, int]) -> None:
    print_table(
        ("raised", "flag", "entry", "when", "site", "lane", "answer", "detail"),
        [
            (
                short(one.raised),
                one.kind,
                f"{one.device} {one.sequence}",
                short(one.at),
                one.site,
                one.lane,
                one.outcome,
                one.detail,
            )
            for one in shown
        ],
    )
    for kind in FlagKind:
        if any(one.kind == kind.value for one in shown):
            click.echo(f"\n{kind.value} ({counts.get(kind, 0):,} in all): {WHAT_TO_DO[kind]}.")
    click.echo(f"{len(shown):,} listed, the last raised first.", err=True)
