"""`chot bench`: one command a benchmark, each as a table or as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.backlog_cli import backlog
from benchmarks.bridge_cli import bridge
from benchmarks.command import answer, json_option
from benchmarks.damage import damage
from benchmarks.decide_cli import decide
from benchmarks.decode_cli import decode
from benchmarks.frames_cli import frames
from benchmarks.intake_cli import intake
from benchmarks.journal_cli import journal
from benchmarks.lane import LaneFigures, measure
from benchmarks.lookup import lookup
from benchmarks.percentiles import Percentiles
from benchmarks.publish_cli import publish
from benchmarks.replica_cli import replica
from benchmarks.revocation_cli import revocation
from benchmarks.rungs.cli import order_rungs
from benchmarks.serial import serial_line
from benchmarks.start_up_cli import start_up


@click.group()
def bench() -> None:
    """Measure this machine: figures beside the floor of the same run."""


bench.add_command(backlog)
bench.add_command(bridge)
bench.add_command(damage)
bench.add_command(decide)
bench.add_command(decode)
bench.add_command(frames)
bench.add_command(intake)
bench.add_command(journal)
bench.add_command(lookup)
bench.add_command(order_rungs)
bench.add_command(publish)
bench.add_command(replica)
bench.add_command(revocation)
bench.add_command(serial_line)
bench.add_command(start_up)


@bench.command()
@click.option("--scans", default=2_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--people", default=20_000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the journal is written: the medium to be measured. Default: the temporary folder.",
)
@json_option
def lane(*, scans: int, people: int, parent: Path | None, as_json: bool) -> None:
    """One scan from reading to light: decision, durable entry, acknowledged signal."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=parent) as folder,
        Progress(console=Console(stderr=True), disable=as_json, transient=True) as progress,
    ):
        task = progress.add_task("scans", total=scans)
        figures = uvloop.run(
            measure(
                Path(folder),
                scans=scans,
                people=people,
                progress=lambda done: progress.update(task, completed=done),
            )
        )
    answer(figures, _table, as_json=as_json)


def _table(figures: LaneFigures) -> Table:
    table = Table(title=f"{figures.scans:,} scans, {figures.people:,} people")
    for heading in ("step", "p50", "p99"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    rows: tuple[tuple[str, Percentiles, str], ...] = (
        ("decide", figures.decide_us, "µs"),
        ("durable entry", figures.journal_ms, "ms"),
        ("acknowledged signal", figures.actuate_ms, "ms"),
        ("reading to light", figures.reading_to_light_ms, "ms"),
        ("floor: append and fdatasync", figures.floor_append_ms, "ms"),
        ("floor: byte over a pty and back", figures.floor_round_trip_ms, "ms"),
    )
    for name, found, unit in rows:
        table.add_row(name, f"{found.p50:.3f} {unit}", f"{found.p99:.3f} {unit}")
    table.caption = f"reading to light is {figures.floor_ratio} × the floors together"
    return table
