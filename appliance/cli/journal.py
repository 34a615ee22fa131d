"""`chot journal`: looks into a journal's folder, also while the daemon writes to it."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import click
import msgspec

from admission.errors import WireError
from admission.instant import Instant
from admission.passage import Event
from admission.wire import unpack_passage
from appliance.errors import ApplianceError
from appliance.printable import printable
from cache.journal.frame import Frame
from cache.journal.verification import Fault, FaultKind, Report, entries_of, verify

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_REMEDY = {
    FaultKind.HEADER: "the file's entries were checked one by one; keep the file, check the medium",
    FaultKind.UNREADABLE: "these entries cannot be recovered here; if they were uploaded, the hub "
    "holds them. Copy the folder, replace the medium",
    FaultKind.MISSING: "entries were removed or never reached the medium; compare with the hub",
    FaultKind.OUT_OF_ORDER: "somebody inserted or moved an entry; compare with the hub",
    FaultKind.CHAIN: "the entry or the one before it was altered; compare both with the hub",
    FaultKind.FILE: "the medium fails, or this is no journal file; copy what can be read",
    FaultKind.OTHER_JOURNAL: "move this file to a folder of its own; it belongs to another journal",
    FaultKind.ANCHOR: "the anchor was damaged, removed or exchanged; compare the last entries with "
    "the hub. The running gate makes a new one",
    FaultKind.ALTERED: "what stands here is not what was signed; compare it with the hub",
    FaultKind.PRUNED: "entries were removed that the gate did not prune; compare with the hub",
    FaultKind.MARK: "the hub did not sign this, or holds another entry; compare with the hub",
}


@click.group()
def journal() -> None:
    """Look into a journal's folder. Changes nothing there."""


@journal.command("verify")
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_command(folder: Path, as_json: bool) -> None:
    """Check every entry's CRC, sequence and chain hash.

    Exits with 1 if anything is damaged, or no journal is there. Entries cut off at the very end
    cannot be missed from here: compare the last sequence with what the hub holds.
    """
    report = verify(folder)
    if not report.files and not report.faults:
        raise _no_journal(folder)
    if as_json:
        click.echo(json.dumps(_summary(report) | {"faults": _plain(report.faults)}))
    else:
        _print_report(report)
    if not report.sound:
        raise SystemExit(1)


@journal.command("tail")
@click.argument("folder", type=_FOLDER)
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per entry.")
def tail_command(folder: Path, count: int, as_json: bool) -> None:
    """Print the last entries. Whom they concern is not shown."""
    if not any(folder.glob("*.journal")):
        raise _no_journal(folder)
    for frame in entries_of(folder, count):
        entry = _entry(frame)
        if as_json:
            click.echo(json.dumps(entry))
        elif "undecodable" in entry:
            click.echo(f"{frame.sequence:>8}  {printable(entry['undecodable'])}")
        else:
            words = [entry["time"], printable(entry["lane"]), f"{entry['outcome']:<6}"]
            words += [entry["kind"], ", ".join(entry["reasons"]), *_act(entry)]
            click.echo(f"{frame.sequence:>8}  " + "  ".join(words))


def _act(entry: dict[str, Any]) -> list[str]:
    """Return what an officer did or somebody asked, nothing for a scan."""
    if entry["event"] == Event.SCAN.value:
        return []
    if entry["event"] == Event.ENQUIRY.value:
        return [f"looked up for: {printable(entry['note'])}"]
    about = "" if entry["about"] is None else f" of {entry['about']}"
    return [f"{entry['event']}{about} by officer {entry['officer']}: {printable(entry['note'])}"]


def _no_journal(folder: Path) -> ApplianceError:
    return ApplianceError(
        f"{folder}: no journal here",
        hint="name the folder that holds *.journal files, e.g. /var/lib/chot/journal",
    )


def _print_report(report: Report) -> None:
    if report.files:
        click.echo(
            f"journal {_summary(report)['journal']}: {report.entries} entries, "
            f"{report.first_sequence} to {report.last_sequence}, in {report.files} files"
        )
    if report.unfinished_bytes or report.superseded:
        click.echo(
            f"{report.unfinished_bytes} bytes and {report.superseded} entries of writes that were "
            "cut short and never counted: no fault"
        )
    for fault in report.faults:
        click.secho(_sentence(fault), fg="red")
        click.echo(f"  → {_REMEDY[fault.kind]}")
    if report.sound:
        click.secho("sound: every entry is intact and the chain is whole", fg="green")


def _sentence(fault: Fault) -> str:
    where = f"{fault.file} at byte {fault.offset}: {fault.kind.value.replace('_', ' ')}"
    if not fault.lost:
        return f"{where}, at entry {fault.sequence}"
    last = fault.sequence + fault.lost - 1
    return f"{where}, entries {fault.sequence} to {last} lost"


def _summary(report: Report) -> dict[str, Any]:
    return {
        "journal": report.journal.hex() if report.journal else None,
        "files": report.files,
        "entries": report.entries,
        "first_sequence": report.first_sequence,
        "last_sequence": report.last_sequence,
        "unfinished_bytes": report.unfinished_bytes,
        "superseded": report.superseded,
        "sound": report.sound,
    }


def _plain(faults: list[Fault]) -> Any:
    return msgspec.to_builtins(faults)


def _entry(frame: Frame) -> dict[str, Any]:
    try:
        entry = unpack_passage(frame.packed)
        moment = Instant(entry.wall_ns, entry.monotonic_ns, entry.boot_id, entry.clock_trust)
        time = moment.at(UTC).isoformat(timespec="milliseconds")
    except (WireError, OverflowError) as error:
        return {"sequence": frame.sequence, "undecodable": str(error)}
    return {
        "sequence": frame.sequence,
        "time": time,
        "clock_trust": entry.clock_trust.value,
        "site": entry.site,
        "lane": entry.lane,
        "source": entry.source,
        "kind": entry.kind.value,
        "outcome": entry.outcome.value,
        "card": entry.card.value,
        "reasons": [reason.value for reason in entry.reasons],
        "directive": entry.directive,
        "rulebook": entry.rulebook,
        "release": entry.release,
        "direction": entry.direction.value,
        "event": entry.event.value,
        "about": entry.about,
        "officer": entry.officer,
        "note": entry.note,
        "alerts": [alert.value for alert in entry.alerts],
    }
