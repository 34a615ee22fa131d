"""`chot journal export`: entries into a file of the caller's own."""

from __future__ import annotations

import csv
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from appliance.cli.journal_folder import folder_argument, require_journal
from appliance.cli.journal_times import since_option, span_of, until_option
from appliance.errors import ApplianceError
from appliance.journal_export import COLUMNS, PERSONAL_COLUMNS, Rows, load_opener
from cache.journal.walk import every_frame, journal_of

_OTHERS = 0o077


@click.command("export")
@folder_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, for you alone (0600).",
)
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option(
    "--seal-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The hub's private key: without it, whom entries concern is left out.",
)
@since_option
@until_option
def export_command(
    folder: Path,
    *,
    output: Path,
    form: str,
    seal_key: Path | None,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Write the entries of FOLDER to a file: one JSON object a line, or CSV.

    Entries by their own wall time; what followed on an entry goes with it. A file that others may
    read is not written to.
    """
    require_journal(folder)
    opener = None if seal_key is None else load_opener(seal_key)
    rows = Rows(journal_of(folder) or b"", span_of(since, until), opener)
    size = sum(path.lstat().st_size for path in folder.glob("*.journal"))
    with _own_file(output) as file, _bar(size) as advance:
        found = rows.of(every_frame(folder, read=advance))
        personal = PERSONAL_COLUMNS if opener else ()
        count = _csv(found, file, (*COLUMNS, *personal)) if form == "csv" else _json(found, file)
    click.echo(f"{count} rows are in {output}.", err=True)
    if rows.unopened:
        click.echo(
            f"{rows.unopened} of them are sealed for another key of the hub: `sealed` is true",
            err=True,
        )


def _json(rows: Iterable[dict[str, Any]], file: IO[str]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _csv(rows: Iterable[dict[str, Any]], file: IO[str], columns: tuple[str, ...]) -> int:
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return count


def _cell(value: Any) -> Any:
    """Return a value as a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value


@contextmanager
def _own_file(path: Path) -> Iterator[IO[str]]:
    """Open a file for the caller alone; one that is there is replaced when all is written.

    :raises ApplianceError: if others may read what is there, or it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        if path.exists() and (path.is_symlink() or stat.S_IMODE(path.stat().st_mode) & _OTHERS):
            msg = f"{path} is there, and others may read it"
            raise ApplianceError(msg, hint=f"chmod 600 {path}, or name another file")
        part.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        number = os.open(part, flags, 0o600)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise ApplianceError(msg, hint="name a file in a folder of your own") from error
    try:
        with open(number, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("Reading", total=total)
        yield lambda done: progress.advance(task, done)
