"""`chot bench revocation`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import revocation as run
from benchmarks.command import answer, json_option
from benchmarks.revocation import RevocationFigures

GOAL_S = 3.0
"""Bound of the 99th percentile."""
_SPREAD = 1.1
"""A gate spreads its polls by a tenth either way."""


@click.command()
@click.option("--people", default=20_000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option("--withdrawals", default=300, show_default=True, type=click.IntRange(1, 100_000))
@click.option(
    "--per-second", "per_s", default=5.0, show_default=True, type=click.FloatRange(0.1, 200)
)
@json_option
def revocation(*, people: int, withdrawals: int, per_s: float, as_json: bool) -> None:
    """Measure how long after a withdrawal at the hub a gate refuses."""
    if withdrawals > people // 3:
        raise click.BadParameter("at most a third of the people", param_hint="--withdrawals")
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-") as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("", total=1.0)
        figures = uvloop.run(
            run.measure(
                Path(folder),
                people=people,
                withdrawals=withdrawals,
                per_s=per_s,
                progress=lambda step, share: progress.update(
                    task, description=step, completed=share
                ),
            )
        )
    answer(figures, _table, as_json=as_json)


def _table(figures: RevocationFigures) -> Table:
    title = f"{figures.withdrawals:,} withdrawals, {figures.people:,} people, one hub, one gate"
    table = Table("", "p50", "p99", "max", title=title)
    refused, commit = figures.refused_s, figures.commit_ms
    style = "green" if refused.p99 <= GOAL_S else "red"
    table.add_row(
        "withdrawn → refused at the gate",
        f"{refused.p50} s",
        f"{refused.p99} s",
        f"{figures.refused_max_s} s",
        style=style,
    )
    longest = figures.poll_interval_s * _SPREAD
    table.add_row(
        "floor: the poll", f"{figures.poll_interval_s / 2} s", f"{longest} s", f"{longest} s"
    )
    table.add_row("of it written at the hub", f"{commit.p50} ms", f"{commit.p99} ms", "")
    table.caption = f"goal: p99 ≤ {GOAL_S:g} s"
    return table
