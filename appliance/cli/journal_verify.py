"""`chot journal verify`: proves that a folder is what the gate wrote, or says where not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from appliance.cli.journal_folder import folder_argument, no_journal
from appliance.journal_keys import journal_keys, published_heads
from appliance.printable import printable
from cache.journal.verification import Fault, FaultKind, Keys, Report, verify
from cache.journal.walk import journal_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
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


@click.command("verify")
@folder_argument
@click.option("--device-key", type=_FILE, help="The gate's device.pub, brought from elsewhere.")
@click.option("--root", type=_FILE, help="The hub's root.json, brought from elsewhere.")
@click.option("--head-keys", type=_FILE, help="The hub's head.pub, in place of --root.")
@click.option(
    "--published",
    type=_FILE,
    multiple=True,
    help="A day's list that the hub published (replica/journals/YYYY-MM-DD).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_command(
    folder: Path,
    *,
    device_key: Path | None,
    root: Path | None,
    head_keys: Path | None,
    published: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check every entry's CRC, sequence and chain hash, and what the gate and the hub signed.

    Without options the keys of the state folder count in which FOLDER lies. Exits with 1 if
    anything is damaged or was tampered with, or no journal is there.
    """
    keys = journal_keys(folder, device_key=device_key, root=root, head_keys=head_keys)
    if published:
        stated = published_heads(published, journal_of(folder) or b"", keys.hub)
        keys = msgspec.structs.replace(keys, published=stated)
        if not stated:
            click.echo("what the hub published does not name this journal", err=True)
    report = verify(folder, keys=keys)
    if not report.files and not report.faults:
        raise no_journal(folder)
    if as_json:
        faults: Any = msgspec.to_builtins(report.faults)
        click.echo(json.dumps(_summary(report, keys) | {"faults": faults}))
    else:
        _print_report(report, keys)
    if not report.sound:
        raise SystemExit(1)


def _print_report(report: Report, keys: Keys) -> None:
    if report.files:
        journal = report.journal.hex() if report.journal else "of unknown id"
        click.echo(
            f"journal {journal}: {report.entries} entries, "
            f"{report.first_sequence} to {report.last_sequence}, "
            + ("in 1 file" if report.files == 1 else f"in {report.files} files")
        )
    if report.pruned:
        click.echo(f"{report.pruned} entries between them were pruned")
    if report.unfinished_bytes or report.superseded:
        click.echo(
            f"{report.unfinished_bytes} bytes and {report.superseded} entries of writes that were "
            "cut short and never counted: no fault"
        )
    for line in _vouched(report, keys):
        click.echo(line)
    for fault in report.faults:
        click.secho(_sentence(fault), fg="red")
        click.echo(f"  → {_REMEDY[fault.kind]}")
    if report.sound:
        click.secho("sound: every entry is intact and the chain is whole", fg="green")


def _vouched(report: Report, keys: Keys) -> list[str]:
    """Say how far signatures reach, and which of them could not be checked."""
    listed = [f"published by the hub through entry {through}" for through in sorted(keys.published)]
    if report.anchored is None:
        none = "no anchor that could be believed: an end that was cut off is not seen from here"
        return [none, *listed]
    by = "" if keys.device else " (whose it is was not checked: --device-key)"
    lines = [f"anchored by the gate through entry {report.anchored}{by}"]
    if report.found_through:
        lines.append(f"entries through {report.found_through} are older than the anchor itself")
    if report.held is not None:
        by = "" if keys.hub else " (whose mark it is was not checked: --root or --head-keys)"
        lines.append(f"held by the hub through entry {report.held}{by}")
    return [*lines, *listed]


def _sentence(fault: Fault) -> str:
    where = f"{printable(fault.file)} at byte {fault.offset}: {fault.kind.value.replace('_', ' ')}"
    if not fault.lost:
        return f"{where}, at entry {fault.sequence}"
    last = fault.sequence + fault.lost - 1
    return f"{where}, entries {fault.sequence} to {last} lost"


def _summary(report: Report, keys: Keys) -> dict[str, Any]:
    return {
        "journal": report.journal.hex() if report.journal else None,
        "files": report.files,
        "entries": report.entries,
        "first_sequence": report.first_sequence,
        "last_sequence": report.last_sequence,
        "pruned": report.pruned,
        "unfinished_bytes": report.unfinished_bytes,
        "superseded": report.superseded,
        "anchored_through": report.anchored,
        "anchor_checked": keys.device is not None,
        "held_through": report.held,
        "mark_checked": bool(keys.hub),
        "published_through": max(keys.published, default=None),
        "sound": report.sound,
    }
