"""`chot bench intake`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import intake as run
from benchmarks.command import answer, json_option
from benchmarks.intake import IntakeFigures, Rate

GOAL_PER_S = 30_000
"""At 100 entries a batch, on two cores that the clients share."""
_BATCHES = (100, 1_000, 1)


@click.command()
@click.option("--entries", default=40_000, show_default=True, type=click.IntRange(100, 10_000_000))
@click.option("--clients", default=8, show_default=True, type=click.IntRange(1, 256))
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the hub's folder is made: the medium to be measured. Default: the temporary one.",
)
@json_option
def intake(*, entries: int, clients: int, parent: Path | None, as_json: bool) -> None:
    """Measure how many entries a second a hub takes in from gates, durably."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=parent) as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("", total=None)
        figures = uvloop.run(
            run.measure(
                Path(folder),
                entries=entries,
                clients=clients,
                batches=_BATCHES,
                progress=lambda step: progress.update(task, description=step),
            )
        )
    answer(figures, _table, as_json=as_json)


def _table(figures: IntakeFigures) -> Table:
    table = Table(title="entries from gates, signed and sealed, until they are durable at the hub")
    for heading in ("way", "entries/s", "answer p50", "answer p99", "processor"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for rate in figures.rates:
        style = None
        if rate.batch == 100:
            style = "green" if rate.entries_per_s >= GOAL_PER_S else "red"
        _row(table, f"{rate.batch:,} at a time, {rate.clients} clients", rate, style)
    _row(table, "100 at a time, all held already", figures.resend, None)
    table.add_row("floor: the same rows alone, 100 a commit", f"{figures.floor_entries_per_s:,}")
    table.caption = (
        f"goal: {GOAL_PER_S:,} at 100; {figures.floor_ratio} of the floor;"
        f" {figures.record_bytes} bytes an entry, {figures.bytes_per_row} a row on the medium"
    )
    return table


def _row(table: Table, way: str, rate: Rate, style: str | None) -> None:
    answer = rate.answer_ms
    table.add_row(
        way,
        f"{rate.entries_per_s:,}",
        f"{answer.p50} ms",
        f"{answer.p99} ms",
        f"{rate.processor_us} µs",
        style=style,
    )
