"""`chot bench publish`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import publish as run
from benchmarks.command import answer, json_option
from benchmarks.publish import MAX_NUMBERS, PublishFigures

_GOAL_S, _GOAL_MIB = 60, 1_024
"""Bounds at ten million people."""


@click.command()
@click.option(
    "--people", default=1_000_000, show_default=True, type=click.IntRange(1_000, 20_000_000)
)
@click.option("--numbers", default=1, show_default=True, type=click.IntRange(1, MAX_NUMBERS))
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the hub's database is written. Default: the temporary folder.",
)
@json_option
def publish(*, people: int, numbers: int, folder: Path | None, as_json: bool) -> None:
    """Measure a hub's whole build from its database, and one change after it."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=folder) as scratch,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("", total=1.0)

        def show(step: str, share: float = 0.0) -> None:
            progress.update(task, description=step, completed=share)

        figures = run.measure(Path(scratch), people=people, numbers=numbers, progress=show)
    answer(figures, _table, as_json=as_json)


def _table(f: PublishFigures) -> Table:
    table = Table(
        title=f"{f.people:,} people with {f.numbers_each} numbers each, {f.machine.processor}"
    )
    for heading in ("", "measured", "goal at 10,000,000"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("whole build", f"{f.build_s:.1f} s", f"≤ {_GOAL_S} s")
    table.add_row("… of the processor", f"{f.build_processor_s:.1f} s", "")
    table.add_row("peak memory", f"{f.peak_mib:.0f} MiB", f"≤ {_GOAL_MIB} MiB")
    table.add_row("one change to the head", f"{f.change_ms:.1f} ms", "")
    table.add_row("a person at rest", f"{f.bytes_per_person} B", "≤ 13.5 B")
    if f.bytes_per_further_number is not None:
        table.add_row("a further number", f"{f.bytes_per_further_number} B", "")
    return table
