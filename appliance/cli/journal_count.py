"""`chot journal count`: how many entries of which kind there were, by day and lane."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import click

from admission.incident import INCIDENTS
from admission.verdict import Outcome
from appliance.cli.journal_folder import folder_argument, require_journal
from appliance.printable import printable
from appliance.records import DATABASE
from cache.journal.local.count_reading import read_counts
from cache.journal.local.counts import FOLLOWED, UNDATED, Counted

_DAY = click.DateTime(["%Y-%m-%d"])
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_FOLLOWED = ("passed", "not_passed", "tailgated", "not_actuated", "withheld", "unsecured")
_INCIDENTS = tuple(sorted(event.value for event in INCIDENTS))
_COLUMNS = (*_OUTCOMES, "acts", *_FOLLOWED, *_INCIDENTS)
Row = tuple[int, str, str]


@click.command("count")
@folder_argument
@click.option("--since", type=_DAY, help="Count from this day on.")
@click.option("--until", type=_DAY, help="Count the days before this one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per count.")
def count_command(
    folder: Path, *, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Count the entries of the journal in FOLDER by day, lane, direction and outcome.

    From what the daemon has counted beside it: also of days whose entries were removed since. The
    site's days; a dash where nobody vouched for the date. Columns behind the outcomes: what
    officers and enquiries entered, what followed on entries, and what happened at the gate without
    a code. Exits with 1 if there is nothing.
    """
    require_journal(folder)
    read = read_counts(folder.resolve().parent / DATABASE)
    first = UNDATED if since is None else since.toordinal()
    last = date.max.toordinal() if until is None else until.toordinal() - 1
    counts = {one: n for one, n in sorted(read.counts.items()) if first <= one.day <= last}
    lines = _objects(counts) if as_json else _table(counts)
    for line in lines:
        click.echo(line)
    if not counts:
        raise SystemExit(1)
    click.echo(f"counted through entry {read.through}", err=True)


def _objects(counts: dict[Counted, int]) -> Iterator[str]:
    for one, entries in counts.items():
        day = _day(one.day) if one.day else None
        yield json.dumps({**one._asdict(), "day": day, "entries": entries})


def _table(counts: dict[Counted, int]) -> Iterator[str]:
    cells: dict[Row, Counter[str]] = {}
    for one, entries in counts.items():
        cells.setdefault((one.day, one.lane, one.direction), Counter())[_column(one)] += entries
    if not cells:
        return
    columns = [name for name in _COLUMNS if any(name in row for row in cells.values())]
    lane_width = max(4, *(len(printable(lane)) for _, lane, _ in cells))
    head = "".join(f"  {name.replace('_', ' '):>12}" for name in columns)
    yield f"{'day':<10}  {'lane':<{lane_width}}  way{head}"
    for (day, lane, way), row in cells.items():
        values = "".join(f"  {row[name]:>12}" for name in columns)
        yield f"{_day(day):<10}  {printable(lane):<{lane_width}}  {way:<3}{values}"


def _column(one: Counted) -> str:
    if one.event in {"scan", FOLLOWED}:
        return one.what
    return one.event if one.event in _INCIDENTS else "acts"


def _day(day: int) -> str:
    return "-" if day == UNDATED else date.fromordinal(day).isoformat()
