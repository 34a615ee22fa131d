"""`chot bench decide`: reading to verdict by kind of credential."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.command import answer, json_option
from benchmarks.decide import DecideFigures, measure

KINDS = 12


@click.command()
@click.option("--people", default=20_000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option("--repetitions", default=2_000, show_default=True, type=click.IntRange(10, 1_000_000))
@json_option
def decide(*, people: int, repetitions: int, as_json: bool) -> None:
    """Measure reading to verdict by kind of credential, beside the bare signature check."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-") as folder,
        Progress(console=Console(stderr=True), disable=as_json, transient=True) as progress,
    ):
        task = progress.add_task("kinds", total=KINDS)
        figures = measure(
            Path(folder),
            people=people,
            repetitions=repetitions,
            progress=lambda done: progress.update(task, completed=done),
        )
    answer(figures, _table, as_json=as_json)


def _table(figures: DecideFigures) -> Table:
    table = Table(
        title=f"reading to verdict, {figures.people:,} people on record",
        caption="processor time of the deciding thread; signature: the bare verification"
        " of the same signature in the same run",
    )
    for heading in ("kind", "p50 µs", "p99 µs", "signature µs", "ratio", "verdict"):
        table.add_column(
            heading, justify="left" if heading in {"kind", "verdict"} else "right", no_wrap=True
        )
    for kind, found in figures.kinds.items():
        table.add_row(
            kind,
            f"{found.p50_us:.1f}",
            f"{found.p99_us:.1f}",
            "" if found.signature_us is None else f"{found.signature_us:.1f}",
            "" if found.ratio is None else f"{found.ratio:.2f}",
            found.outcome,
        )
    return table
