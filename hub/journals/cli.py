"""`chot hub journals`: how far whose journal is held, and whether it is as it was."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.errors import HubError
from hub.folder import DataFolder
from hub.journals.comparison import Comparison, compare
from hub.journals.finding import Finding, FindingKind
from hub.journals.folder import journals_in
from hub.journals.held import HeldReport, verify_held
from hub.journals.lists import Lists, read_lists
from hub.journals.strays import with_strays
from hub.journals.words import WORDS
from hub.keys import load_keys
from hub.listing import counted, moment, print_table, printable, short
from hub.options import data_option, run
from hub.progress import progress_bar
from hub.seals import Seals
from hub.store.entries import FlagKind
from hub.store.examined import JournalStanding
from hub.store.sqlite import open_store
from hub.store.sqlite.store import SqliteStore

_MAX_FLAGS = 100_000
_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_device_option = click.option("--device", help="Of this gate only, by its name.")


@click.group()
def journals() -> None:
    """Look at gates' journals as the hub holds them. Changes nothing."""


@journals.command("list")
@data_option
@_device_option
@_json_option
def list_command(*, folder: DataFolder, device: str | None, as_json: bool) -> None:
    """List all journals: how far each is held, the last contact, what is set aside and flagged."""
    folder.require()
    lines = run(_lines(folder, device))
    if as_json:
        for line in lines:
            click.echo(msgspec.json.encode(line))
        return
    print_table(
        ("device", "journal", "through", "last contact", "clock", "set aside", "flags"),
        [
            (
                line["device"],
                line["journal"],
                f"{line['through']:,}",
                short(line["last_contact"]),
                _clock(line["clock_off_s"]),
                str(line["set_aside"] or ""),
                str(line["flags"] or ""),
            )
            for line in lines
        ],
    )
    click.echo(f"{counted(len(lines), 'journal')}. What flags mean: chot hub flags.", err=True)


@journals.command("verify")
@data_option
@_device_option
@click.option(
    "--folder",
    "gate_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare with this journal folder of a gate, or a copy of it.",
)
@_json_option
def verify_command(
    *, folder: DataFolder, device: str | None, gate_folder: Path | None, as_json: bool
) -> None:
    """Prove that held entries are as they came in; or compare them with a gate's folder.

    Every chain hash is computed anew, every place is looked for, and what was published daily is
    held against it. Exits with 1 if anything is found.
    """
    folder.require()
    lists = read_lists(folder.replica, load_keys(folder.keys).own_heads)
    if gate_folder is None:
        reports = run(_verified(folder, device, lists))
        found = [_told(report, as_json=as_json) for report in reports]
    else:
        compared = run(_compared(folder, device, gate_folder, lists))
        found = [_told_of_two(one, as_json=as_json) for one in compared]
    if not found:
        raise _nothing(device, gate_folder)
    for day in lists.unread:
        click.echo(f"The list of {day} is damaged, or no key of this hub signed it.", err=True)
    if any(found) or lists.unread:
        raise SystemExit(1)


async def _lines(folder: DataFolder, device: str | None) -> list[dict[str, Any]]:
    async with open_store(folder.database) as store:
        raised = await store.all_flags(device=device, limit=_MAX_FLAGS)
        flags = Counter(one.key for one in raised)
        aside = Counter(one.key for one in raised if one.flag.kind is FlagKind.UNDECODABLE)
        return [
            {
                "device": one.key.device,
                "journal": one.key.journal.hex(),
                "through": one.through,
                "last_contact": moment(one.received_ns),
                "clock_off_s": None if one.clock_off_ns is None else one.clock_off_ns / 1e9,
                "set_aside": aside[one.key],
                "flags": flags[one.key],
            }
            for one in await _standings(store, device)
        ]


async def _standings(store: SqliteStore, device: str | None) -> list[JournalStanding]:
    return [one for one in await store.journals() if device in {None, one.key.device}]


async def _verified(folder: DataFolder, device: str | None, lists: Lists) -> list[HeldReport]:
    reports, seals = [], Seals.of(load_keys(folder.keys))
    async with open_store(folder.database) as store:
        standings = await _standings(store, device)
        total = sum(one.through for one in standings)
        done = 0
        with progress_bar("Verifying entries", total) as bar:
            for standing in standings:

                def reached(sequence: int, before: int = done) -> None:
                    bar.reached(before + sequence)

                listed = lists.of(standing.key)
                reports.append(
                    await verify_held(store, standing, listed, seal_keys=seals, progress=reached)
                )
                done += standing.through
        days = [day.day for day in await store.days()]
        with progress_bar("Counting days", len(days)) as bar:
            return await with_strays(store, reports, bar.counted(days))


async def _compared(
    folder: DataFolder, device: str | None, gate_folder: Path, lists: Lists
) -> list[Comparison]:
    compared = []
    async with open_store(folder.database) as store:
        standings = await _standings(store, device)
        for there in journals_in(gate_folder):
            here = [one for one in standings if one.key.journal == there.journal]
            if not here:
                click.echo(f"Journal {there.journal.hex()} is not known here.", err=True)
            if there.anchor_damaged:
                click.echo(f"The anchor of {there.journal.hex()} is damaged.", err=True)
            for standing in here:
                registered = await store.device_by_name(standing.key.device)
                with progress_bar("Comparing entries", standing.through) as bar:
                    one = await compare(
                        store,
                        standing,
                        there,
                        lists.of(standing.key),
                        device_key=registered.public_key if registered else b"",
                        progress=bar.reached,
                    )
                compared.append(one)
    return compared


def _told(report: HeldReport, *, as_json: bool) -> bool:
    """Print one journal's report; return whether anything was found."""
    counts = {
        "entries": report.entries,
        "missing": report.missing,
        "dropped": report.dropped,
        "conflicts": len(report.conflicts),
        "unread": report.unread,
        "listed": report.listed,
    }
    _print(report.standing, counts, report.findings, report.untold, as_json=as_json)
    if not as_json:
        for one in report.conflicts:
            digest = hashlib.sha256(one.packed).hexdigest()[:16]
            received = short(moment(one.received_ns))
            click.echo(
                f"  conflict           {one.sequence:,}: offered {received}, SHA-256 {digest}…"
            )
    return bool(report.findings)


def _told_of_two(result: Comparison, *, as_json: bool) -> bool:
    counts = {
        "same": result.same,
        "pruned": result.pruned,
        "unreadable": result.unreadable,
        "unsent": result.unsent,
        "dropped": result.dropped,
    }
    _print(result.standing, counts, result.findings, result.untold, as_json=as_json)
    return bool(result.findings)


def _print(
    standing: JournalStanding,
    counts: dict[str, int],
    findings: Sequence[Finding],
    untold: int,
    *,
    as_json: bool,
) -> None:
    key = standing.key
    if as_json:
        line = {"device": key.device, "journal": key.journal.hex(), "through": standing.through}
        found = [msgspec.to_builtins(one) for one in findings]
        click.echo(msgspec.json.encode(line | counts | {"findings": found, "untold": untold}))
        return
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    state = "NOT SOUND" if findings else "sound"
    click.echo(f"{printable(key.device)} {key.journal.hex()}: {state}; {told or 'empty'}")
    for one in findings:
        click.echo(f"  {one.kind.value:<18} {_places(one)}")
    if untold:
        click.echo(f"  and {untold:,} more places")
    for kind in _kinds(findings):
        click.echo(f"  {kind.value}: {WORDS[kind]}.")


def _places(one: Finding) -> str:
    places = f"{one.first:,}" if one.first == one.last else f"{one.first:,} to {one.last:,}"
    detail = printable(one.detail)
    if not one.first:  # nobody knows under which numbers
        return detail
    return f"{places}: {detail}" if detail else places


def _kinds(findings: Iterable[Finding]) -> list[FindingKind]:
    return list(dict.fromkeys(one.kind for one in findings))


def _clock(off_s: float | None) -> str:
    return "" if off_s is None else f"{round(off_s):+d} s"


def _nothing(device: str | None, gate_folder: Path | None) -> HubError:
    hint = "those there are: chot hub journals list"
    if gate_folder is not None:
        return HubError(f"the hub holds no journal that is in {gate_folder}", hint=hint)
    if device is not None:
        return HubError(f"the hub holds no journal of {device}", hint=hint)
    return HubError("the hub holds no journal yet", hint="gates send theirs once they are enrolled")
