"""`chot bench start-up`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import uvloop
from rich.table import Table

from benchmarks.command import answer, folder_option, json_option
from benchmarks.progress import shown
from benchmarks.start_up import GOAL_S, StartUpFigures, measure


@click.command("start-up")
@click.option(
    "--scans", default=240_000, show_default=True, type=click.IntRange(1, 100_000_000),
    help="Scans in the journal; 4,800,000 are three weeks of four busy lanes.",
)  # fmt: skip
@click.option(
    "--scans-a-day", default=240_000, show_default=True, type=click.IntRange(1, 10_000_000)
)
@folder_option
@json_option
def start_up(*, scans: int, scans_a_day: int, folder: Path | None, as_json: bool) -> None:
    """Measure how long a gate's records take to start, with and without what can be rebuilt."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=folder) as scratch,
        shown() as progress,
    ):
        figures = uvloop.run(
            measure(Path(scratch), scans=scans, scans_a_day=scans_a_day, progress=progress)
        )
    answer(figures, table_of, as_json=as_json)


def table_of(figures: StartUpFigures) -> Table:
    """Return the figures for a person, beside their goal."""
    f = figures
    table = Table(title=f"{f.scans:,} scans, {f.entries:,} entries; {f.machine.processor}")
    for heading in ("", "measured", "goal", "beside"):
        table.add_column(heading, justify="left" if heading in {"", "beside"} else "right")
    for label, total_s, zone_s, busy_s in (
        ("start without journal.sqlite, s", f.lost_s, f.zone_lost_s, f.busy_lost_s),
        ("start with it, s", f.kept_s, f.zone_kept_s, f.busy_kept_s),
    ):
        style = "green" if total_s < GOAL_S else "red"
        beside = f"zone {zone_s:g} s; processor {busy_s:g} s"
        table.add_row(label, f"{total_s:g}", f"< {GOAL_S:g}", beside, style=style)
    size = f"{f.index_bytes:,} bytes of it"
    table.add_row("index, µs of processor time an entry", f"{f.index_us_per_entry:g}", "", size)
    table.add_row("search that finds nothing, s", f"{f.find_s:g}", "", "")
    return table
