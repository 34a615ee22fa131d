"""`chot bench journal`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import uvloop
from rich.table import Table

from benchmarks import journal as run
from benchmarks.command import answer, folder_option, json_option
from benchmarks.journal_figures import GOALS, JournalFigures, met
from benchmarks.progress import shown


@click.command()
@click.option(
    "--entries", default=12_800, show_default=True, type=click.IntRange(64, 10_000_000),
    help="Entries that 64 lanes write in each of five rounds.",
)  # fmt: skip
@click.option(
    "--reopen-entries", default=100_000, show_default=True, type=click.IntRange(1, 100_000_000),
    help="Scans of the journal that is opened again; 4,800,000 are three weeks of a busy site.",
)  # fmt: skip
@click.option(
    "--upload-entries", default=10_000, show_default=True, type=click.IntRange(0, 1_000_000),
    help="Entries that go up to a hub on loopback; 0 leaves that out.",
)  # fmt: skip
@folder_option
@json_option
def journal(
    *, entries: int, reopen_entries: int, upload_entries: int, folder: Path | None, as_json: bool
) -> None:
    """Measure the journal: lanes at once, a slow medium, bytes of a scan, upload and opening."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=folder) as scratch,
        shown() as progress,
    ):
        figures = uvloop.run(
            run.measure(
                Path(scratch),
                entries=entries,
                reopen_entries=reopen_entries,
                upload_entries=upload_entries,
                progress=progress,
            )
        )
    answer(figures, table_of, as_json=as_json)


def table_of(figures: JournalFigures) -> Table:
    """Return the figures for a person, beside their goals."""
    f = figures
    table = Table(title=f"The journal, {f.machine.processor}, {f.machine.cores} cores")
    for heading in ("", "measured", "goal", "beside"):
        table.add_column(heading, justify="left" if heading in {"", "beside"} else "right")
    for label, key, value, beside in _rows(f):
        sense, bound = GOALS.get(key, ("", 0.0))
        style = {True: "green", False: "red", None: ""}[met(key, value)]
        goal = f"{sense} {bound:,g}" if sense else ""
        table.add_row(label, "–" if value is None else f"{value:,g}", goal, beside, style=style)
    table.caption = (
        f"floor: append and fdatasync {f.floor_us:g} µs, into space set aside "
        f"{f.floor_preallocated_us:g} µs"
    )
    return table


def _rows(f: JournalFigures) -> Iterator[tuple[str, str, float | None, str]]:
    for lanes, load in f.lanes.items():
        many = f"{lanes} lanes" if lanes != "1" else "1 lane"
        waits = f"p50 {load.p50_us:g} µs, p99 {load.p99_us:g} µs"
        yield f"{many}, entries/s", f"lanes.{lanes}.entries_per_s", load.entries_per_s, waits
        together = f"{load.entries_a_group:g} entries a sync"
        yield "  p50 × floor", f"lanes.{lanes}.floor_ratio", load.floor_ratio, together
    slow = f.slow_fsync
    many = f"{slow.lanes} lanes, sync + {slow.sync_ms:g} ms"
    yield f"{many}, entries/s", "slow_fsync.entries_per_s", slow.entries_per_s, ""
    yield "  p50, ms", "slow_fsync.p50_ms", slow.p50_ms, f"p99 {slow.p99_ms:g} ms"
    records = (
        f"passage {f.bytes_per_passage_record:g}, followup {f.bytes_per_followup_record:g}, "
        "with their frames"
    )
    yield "bytes a scan, on disk", "bytes_per_entry_disk", f.bytes_per_entry_disk, records
    record = f"{f.bytes_per_record_wire:g} a record"
    yield "bytes a scan, on the wire", "bytes_per_entry_wire", f.bytes_per_entry_wire, record
    yield "upload, entries/s", "upload_entries_per_s", f.upload_entries_per_s, "hub on loopback"
    many = f"{f.reopen_entries:,} scans"
    yield "opening, s", "reopen_s", f.reopen_s, many
    yield "  bytes of it", "reopen_bytes", f.reopen_bytes, f"{many} with what followed"
