"""`chot bench backlog`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.backlog import BacklogFigures, measure
from benchmarks.command import answer, json_option
from benchmarks.percentiles import Percentiles


@click.command()
@click.option(
    "--entries", default=100_000, show_default=True, type=click.IntRange(1_000, 10_000_000)
)
@click.option("--lanes", default=4, show_default=True, type=click.IntRange(1, 16))
@click.option("--scans-per-s", default=5.0, show_default=True, type=click.FloatRange(0.5, 50.0))
@click.option("--turns", default=5, show_default=True, type=click.IntRange(1, 1_000))
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the journal is written: the medium to be measured. Default: the temporary folder.",
)
@json_option
def backlog(
    *,
    entries: int,
    lanes: int,
    scans_per_s: float,
    turns: int,
    parent: Path | None,
    as_json: bool,
) -> None:
    """Measure what the upload of a backlog costs the lanes, turn about with and without it."""
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=parent) as folder,
        console.status("") as status,
    ):
        figures = uvloop.run(
            measure(
                Path(folder),
                backlog=entries,
                lanes=lanes,
                scans_per_s=scans_per_s,
                turns=turns,
                progress=status.update,
            )
        )
    answer(figures, _table, as_json=as_json)


def _table(figures: BacklogFigures) -> Table:
    title = f"{figures.backlog:,} entries behind, {figures.lanes} lanes, {figures.scans:,} scans"
    table = Table(title=title)
    for heading in ("due to shown", "p50", "p99"):
        table.add_column(heading, justify="left" if heading == "due to shown" else "right")
    rows: tuple[tuple[str, Percentiles], ...] = (
        ("without the upload", figures.quiet_ms),
        ("with it", figures.uploading_ms),
    )
    for name, found in rows:
        table.add_row(name, f"{found.p50:.3f} ms", f"{found.p99:.3f} ms")
    table.add_row("ratio", f"{figures.p50_ratio} ×", f"{figures.p99_ratio} ×")
    table.caption = (
        f"{figures.beside_lanes_per_s:,} entries/s beside the lanes, "
        f"{figures.upload_entries_per_s:,}/s alone, {figures.bytes_per_entry} bytes each"
    )
    return table
