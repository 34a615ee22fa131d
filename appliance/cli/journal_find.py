"""`chot journal find`: entries of a lane, an outcome, a reason, a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from admission.errors import WireError
from admission.journal_record import Followup, LoggedPassage, PassageRecord, Record
from admission.passage import Event
from admission.verdict import Outcome, Reason
from appliance.cli.journal_folder import folder_argument, require_journal
from appliance.cli.journal_times import since_option, span_of, until_option
from appliance.journal_entry import line, plain, record_of
from appliance.journal_export import Span
from cache.journal.walk import every_frame


@click.command("find")
@folder_argument
@click.option("--lane", help="Entries of this lane.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in Outcome]))
@click.option("--event", type=click.Choice([event.value for event in Event]))
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]))
@since_option
@until_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per entry.")
def find_command(
    folder: Path,
    *,
    lane: str | None,
    outcome: str | None,
    event: str | None,
    reason: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Print the entries that fit, oldest first, and what followed on them.

    Whom they concern is not shown. Exits with 1 if there are none.
    """
    require_journal(folder)
    wanted = {"lane": lane, "outcome": outcome, "event": event, "reason": reason}
    given = {name: value for name, value in wanted.items() if value is not None}
    found = False
    for sequence, record in _found(folder, given, span_of(since, until)):
        click.echo(json.dumps(plain(sequence, record)) if as_json else line(sequence, record))
        found = True
    if not found:
        raise SystemExit(1)


def _found(
    folder: Path, wanted: dict[str, str], span: Span
) -> Iterator[tuple[int, Record | WireError]]:
    taken: set[int] = set()
    for frame in every_frame(folder):
        record = record_of(frame)
        match record:
            case PassageRecord() if _fits(record.passage, wanted, span):
                taken.add(frame.sequence)
            case Followup() if record.about in taken:
                pass
            case _:
                continue
        yield frame.sequence, record


def _fits(seen: LoggedPassage, wanted: dict[str, str], span: Span) -> bool:
    reasons = set(seen.reasons)
    return span.holds(seen.wall_ns) and all(
        value in reasons if name == "reason" else getattr(seen, name) == value
        for name, value in wanted.items()
    )
