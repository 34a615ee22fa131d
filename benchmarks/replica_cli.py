"""`chot bench replica`: its options, and its figures as a table for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from rich.table import Table

from benchmarks import replica as run
from benchmarks.command import answer, json_option
from benchmarks.progress import shown
from benchmarks.replica_figures import GOALS, ReplicaFigures, met
from benchmarks.replica_stage import require_room


@click.command()
@click.option(
    "--people", default=1_000_000, show_default=True, type=click.IntRange(1_000, 200_000_000)
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the stores are written: the medium to be measured. Default: the temporary folder.",
)
@click.option("--peers/--no-peers", default=True, show_default=True, help="SQLite, LMDB, a dict.")
@json_option
def replica(*, people: int, folder: Path | None, peers: bool, as_json: bool) -> None:
    """Measure the replica at its size: look-ups, bytes, deltas, start and merge, and bounds."""
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-", dir=folder) as scratch,
        shown() as progress,
    ):
        require_room(Path(scratch), people, peers=peers)
        figures = run.measure(Path(scratch), people=people, peers=peers, progress=progress)
    answer(figures, table_of, as_json=as_json)


def table_of(figures: ReplicaFigures) -> Table:
    """Return the figures for a person: ours, the bound at ten million, and what stands beside."""
    f = figures
    table = Table(title=f"{f.people:,} people, {f.machine.processor}, {f.machine.cores} cores")
    table.add_column("", no_wrap=True)
    table.add_column("ours", justify="right", no_wrap=True)
    table.add_column("goal", justify="right", no_wrap=True)
    table.add_column("beside")
    for label, key, beside in _rows(f):
        value = getattr(f, key)
        sense, bound = GOALS.get(key, ("", 0.0))
        kept = met(key, value)
        style = {True: "green", False: "red", None: ""}[kept]
        table.add_row(
            label, _number(value), f"{sense} {bound:g}" if sense else "", beside, style=style
        )
    table.caption = (
        "µs of processor time, median of rounds in turn; SQLite also "
        f"{_number(f.sqlite_mapped_us)} mapped, {_number(f.sqlite_held_us)} in one transaction"
    )
    return table


def _rows(f: ReplicaFigures) -> tuple[tuple[str, str, str], ...]:
    number, us = _number, " µs"
    peer_bytes = (
        f"SQLite {number(f.sqlite_bytes_per_person)}, LMDB {number(f.lmdb_bytes_per_person)},"
        f" dict {number(f.dict_bytes_per_person)}"
    )
    peers_cold = f"SQLite {number(f.sqlite_cold_kib)}, LMDB {number(f.lmdb_cold_kib)}"
    return (
        ("standing, on record, µs", "hit_us", f"hash {f.hash_us} µs"),
        ("  name and birth declared", "named_hit_us", ""),
        ("  not on record", "miss_us", ""),
        ("row found, µs", "row_us", f"dict {number(f.dict_us, us)}"),
        ("  and its record", "record_us", ""),
        ("  changes laid over", "overlaid_record_us", f"{f.overlay_changes:,} changes"),
        ("× row: SQLite", "sqlite_ratio", number(f.sqlite_us, us)),
        ("× row: LMDB", "lmdb_ratio", number(f.lmdb_us, us)),
        ("× row: dict", "dict_ratio", number(f.dict_us, us)),
        ("× record: SQLite", "sqlite_record_ratio", ""),
        ("× record: LMDB", "lmdb_record_ratio", ""),
        ("× standing: SQLite", "hit_sqlite_ratio", ""),
        (
            "bytes a person at rest",
            "bytes_per_person",
            f"floor {f.floor_bytes_per_person}; {peer_bytes}",
        ),
        ("bytes a further identifier", "alias_bytes", ""),
        (
            "bytes a person on the wire",
            "snapshot_bytes_per_person",
            f"floor {f.floor_bytes_per_person}",
        ),
        (
            "bytes a change of a day",
            "delta_bytes_per_change",
            f"floor {f.floor_delta_bytes_per_change}; {f.delta_changes:,} changes",
        ),
        (
            "pages read cold",
            "cold_reads",
            f"{number(f.cold_kib)} KiB; {peers_cold}",
        ),
        ("open, ms", "open_ms", f"processor {f.open_cpu_ms} ms"),
        ("anonymous memory, MiB", "anon_mib", f"{f.overlay_changes:,} changes laid over"),
        ("day's delta to answer, ms", "activate_ms", f"processor {f.activate_cpu_ms} ms"),
        (
            "merge to the medium, s",
            "merge_s",
            f"processor {f.merge_cpu_s} s, one write {f.sequential_write_s} s",
        ),
        ("merge, memory, MiB", "merge_peak_mib", ""),
        (
            "build the base, s",
            "build_s",
            f"processor {f.build_cpu_s} s; wide rows {f.wide_share:.2%}",
        ),
        ("write a snapshot, s", "snapshot_s", f"processor {f.snapshot_cpu_s} s"),
        ("base from a snapshot, s", "rebuild_s", f"processor {f.rebuild_cpu_s} s"),
        ("write a day's delta, s", "delta_write_s", f"processor {f.delta_write_cpu_s} s"),
        ("plan the next base, s", "recipe_s", f"processor {f.recipe_cpu_s} s"),
    )


def _number(value: float | None, unit: str = "") -> str:
    return "–" if value is None else f"{value:,g}{unit}"
