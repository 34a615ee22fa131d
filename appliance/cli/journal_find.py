"""`chot journal find`: entries of a lane, an outcome, a reason, a time."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from admission.passage import Event
from admission.verdict import Outcome, Reason
from appliance.cli.journal_folder import folder_argument, require_journal
from appliance.cli.journal_times import since_option, span_of, until_option
from appliance.journal_entry import line, plain
from appliance.records import DATABASE
from cache.journal.local.search import Criteria, search


@click.command("find")
@folder_argument
@click.option("--lane", "lanes", multiple=True, help="Entries of this lane.")
@click.option(
    "--outcome", "outcomes", multiple=True, type=click.Choice([one.value for one in Outcome])
)
@click.option("--event", "events", multiple=True, type=click.Choice([one.value for one in Event]))
@click.option(
    "--reason", "reasons", multiple=True, type=click.Choice([one.value for one in Reason])
)
@since_option
@until_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per entry.")
def find_command(
    folder: Path,
    *,
    lanes: tuple[str, ...],
    outcomes: tuple[str, ...],
    events: tuple[str, ...],
    reasons: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Print the entries that fit, oldest first, and what followed on them.

    An option given twice lets either fit. Whom entries concern is not shown. In a gate's state
    folder its index makes this quick; elsewhere all files are read. Exits with 1 if there are none.
    """
    require_journal(folder)
    span = span_of(since, until)
    criteria = Criteria(
        lanes=frozenset(lanes),
        outcomes=frozenset(map(Outcome, outcomes)),
        events=frozenset(map(Event, events)),
        reasons=frozenset(map(Reason, reasons)),
        since_ns=span.since_ns,
        until_ns=span.until_ns,
    )
    found = False
    database = folder.resolve().parent / DATABASE
    for sequence, record in search(folder, database, criteria, followups=True):
        click.echo(json.dumps(plain(sequence, record)) if as_json else line(sequence, record))
        found = True
    if not found:
        click.echo("No entry fits.", err=True)
        raise SystemExit(1)
