"""`chot journal tail`: the last entries, and what followed on them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from admission.errors import WireError
from admission.journal_record import Followup, Record
from appliance.cli.journal_folder import folder_argument, require_journal
from appliance.journal_entry import followed, line, plain, record_of
from cache.journal.verification import entries_of

_FRAMES_PER_ENTRY = 4  # of one entry: itself, actuated, passed; and one to spare


@click.command("tail")
@folder_argument
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 100_000),
    default=20,
    show_default=True,
    help="So many entries; with --lines or --json what followed counts as entries, too.",
)
@click.option("--lines", is_flag=True, help="Print what followed as lines of their own, in order.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per entry.")
def tail_command(folder: Path, count: int, *, lines: bool, as_json: bool) -> None:
    """Print the last entries, with what followed on each. Whom they concern is not shown."""
    require_journal(folder)
    folded = not lines and not as_json
    wanted = count * _FRAMES_PER_ENTRY if folded else count
    records = [(frame.sequence, record_of(frame)) for frame in entries_of(folder, wanted)]
    if as_json:
        for sequence, record in records:
            click.echo(json.dumps(plain(sequence, record)))
    else:
        for text in _folded(records, count) if folded else _lines(records):
            click.echo(text)


def _lines(records: list[tuple[int, Record | WireError]]) -> list[str]:
    return [line(sequence, record) for sequence, record in records]


def _folded(records: list[tuple[int, Record | WireError]], count: int) -> list[str]:
    """Return the last `count` lines, each with what followed on its entry."""
    texts: dict[int, str] = {}
    for sequence, record in records:
        if isinstance(record, Followup) and record.about in texts:
            texts[record.about] += f"  → {followed(record)}"
        else:
            texts[sequence] = line(sequence, record)
    return list(texts.values())[-count:]
