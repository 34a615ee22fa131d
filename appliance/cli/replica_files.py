"""`chot replica verify|diff|export|import`: the files of a release, checked, compared, carried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from appliance.cli.replica_options import as_json_option, config_option
from appliance.config import Config
from appliance.offline_replica import stored
from appliance.replica_import import import_mirror, mirror_in
from cache.replica.generation import Generation
from cache.replica.mirror import write_mirror
from cache.replica.verification import Condition, Finding, files_of, verify

_FOLDER = click.Path(file_okay=False, path_type=Path)
_REMEDY = {
    Condition.MISSING: "it is fetched at the gate's next look at its hub",
    Condition.UNREADABLE: "the medium fails: copy what can be read, replace it",
    Condition.OTHER: "it is fetched anew at the gate's next start",
    Condition.DAMAGED: "the running gate mends it from its hub; till then these rows do not answer",
}


@click.command("verify")
@config_option
@as_json_option
def verify_command(config: Config, as_json: bool) -> None:
    """Check every byte of the stored release against its signed head. Changes nothing.

    Exits with 1 if anything is missing or damaged.
    """
    with stored(config) as here:
        contents = here.store.usable(here.head())
        total = sum(file.size for _, file, _ in files_of(contents))
        with _bar("Checking", total) as advance:
            findings = list(verify(here.store.files.directory, contents, advance))
    sound = all(finding.condition is Condition.SOUND for finding in findings)
    if as_json:
        click.echo(json.dumps({"sound": sound, "files": [_plain(f) for f in findings]}))
    else:
        for finding in findings:
            _print(finding)
        click.secho(
            f"sound: {len(findings)} files, {total:,} bytes" if sound else "not sound",
            fg="green" if sound else "red",
        )
    if not sound:
        raise SystemExit(1)


@click.command("diff")
@config_option
@click.option("--base", is_flag=True, help="Against its own bases: what deltas and changes say.")
@as_json_option
def diff_command(config: Config, base: bool, as_json: bool) -> None:
    """Say what the release that answers here changed against the one before it.

    Rows are counted, by what of them changed; nobody is named. Where no release before is kept, it
    is compared with its own bases.
    """
    from cache.replica.comparison import compare  # noqa: PLC0415 - numpy, for this one only

    with stored(config) as here:
        after = here.current()
        before = None if base else here.store.peek()[1]
        old, new = (after.bases if before is None else before.segments), after.segments
        found: dict[str, Any] = {
            "before": None if before is None else before.signed.head.sequence,
            "after": after.signed.head.sequence,
            "datasets_added": sorted(new.keys() - old.keys()),
            "datasets_removed": sorted(old.keys() - new.keys()),
            "documents_changed": [] if before is None else _changed_documents(before, after),
            "datasets": {},
        }
        total = sum(table.rows for table in new.values() if table is not None)
        with _bar("Comparing", total, in_bytes=False) as advance:
            for name in sorted(old.keys() & new.keys()):
                pair = old[name], new[name]
                if pair[0] is not None and pair[1] is not None:
                    difference = compare(pair[0], pair[1], advance)
                    found["datasets"][name] = msgspec.to_builtins(difference)
    if as_json:
        click.echo(json.dumps(found))
    else:
        _print_difference(found)


@click.command("export")
@config_option
@click.argument("folder", type=_FOLDER)
def export_command(config: Config, folder: Path) -> None:
    """Write the release that answers here to FOLDER/replica, for another gate to import.

    The folder may as well be served by any web server: it is a mirror of the hub for gates of this
    site. Every byte is checked while it is copied.
    """
    with stored(config) as here:
        signed = here.head()
        files = [file for _, file, _ in files_of(here.store.usable(signed))]
        directory = here.store.files.directory
        with _bar("Copying", sum(file.size for file in files)) as advance:
            write_mirror(
                folder / "replica",
                envelope=signed.envelope,
                files=files,
                source=lambda file: file.within(directory),
                metadata=here.trust.files(),
                progress=advance,
            )
    click.echo(f"Release {signed.head.sequence} is in {folder / 'replica'}.", err=True)


@click.command("import")
@config_option
@click.argument("folder", type=_FOLDER)
def import_command(config: Config, folder: Path) -> None:
    """Take the release in FOLDER, such as a USB stick, as if the hub had sent it.

    FOLDER holds what `chot replica export` wrote or a hub publishes (its folder `published`). It is
    judged as the hub's answers are: signature, age, and that it is newer than what is here. A
    running gate takes it at its next look; another one at its next start.
    """
    mirror = mirror_in(folder)
    with stored(config) as here, _bar("Copying", None) as advance:
        sequence = asyncio.run(import_mirror(here, mirror, advance))
    taken = "a running gate takes it at its next look, another one when it starts"
    click.echo(f"Release {sequence} is here; {taken}.", err=True)


@contextmanager
def _bar(
    label: str, total: int | None, *, in_bytes: bool = True
) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn()]
    columns += [DownloadColumn()] if in_bytes else [TextColumn("{task.completed:,.0f} rows")]
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.advance(task, done)


def _changed_documents(before: Generation, after: Generation) -> list[str]:
    old, new = before.contents.documents, after.contents.documents
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _plain(finding: Finding) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(finding)
    return plain


def _print(finding: Finding) -> None:
    where = f"{finding.name}: {finding.file.kind.value} {finding.file.name[:16]}…"
    if finding.condition is Condition.SOUND:
        click.echo(f"{where} sound, {finding.file.size:,} bytes")
        return
    leaves = f", {len(finding.leaves)} of its 64-KiB leaves" if finding.leaves else ""
    click.secho(f"{where} {finding.condition.value}{leaves}", fg="red")
    click.echo(f"  → {_REMEDY[finding.condition]}")


def _print_difference(found: dict[str, Any]) -> None:
    before = "its bases" if found["before"] is None else f"release {found['before']}"
    click.echo(f"{before} → release {found['after']}")
    for name, counts in found["datasets"].items():
        words = ", ".join(f"{counts[w]:,} {w}" for w in ("added", "removed", "changed", "same"))
        click.echo(f"{name}: {words}")
        for fields, count in counts["by_group"].items():
            if count:
                click.echo(f"  {count:>12,} in {fields}")
    for key, what in (
        ("datasets_added", "new dataset"),
        ("datasets_removed", "dataset gone"),
        ("documents_changed", "document changed"),
    ):
        for name in found[key]:
            click.echo(f"{what}: {name}")
