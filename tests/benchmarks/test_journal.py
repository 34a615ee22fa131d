"""The journal's benchmark protects that every figure is there, of a journal that does its work."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.cli import bench
from benchmarks.journal_cli import table_of
from benchmarks.journal_figures import GOALS, JournalFigures, LaneLoad, SlowSync, met
from benchmarks.machine import this_machine
from cache.journal.frame import HEADER_BYTES


def test_figures_as_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        bench,
        [
            "journal", "--entries", "256", "--reopen-entries", "3000", "--upload-entries", "0",
            "--folder", str(tmp_path), "--json",
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert list(figures["lanes"]) == ["1", "4", "16", "64"]
    assert figures["lanes"]["64"]["entries_a_group"] > 8, "lanes share syncs"
    assert figures["lanes"]["1"]["entries_a_group"] == 1
    assert figures["slow_fsync"]["p50_ms"] >= 10
    assert figures["floor_us"] > 0
    a_scan = figures["bytes_per_passage_record"] + figures["bytes_per_followup_record"]
    assert abs(figures["bytes_per_entry_disk"] - a_scan) < 1
    assert figures["bytes_per_record_wire"] < figures["bytes_per_entry_wire"] < a_scan
    whole = figures["reopen_bytes"] - HEADER_BYTES
    assert 0.95 < whole / (3_000 * a_scan) < 1.05
    assert figures["reopen_s"] > 0


def test_a_bound_that_is_missed_shows_in_red() -> None:
    load = LaneLoad(
        entries_per_s=59_000, p50_us=200.0, p99_us=900.0, floor_ratio=1.5, entries_a_group=1.0
    )
    figures = JournalFigures(
        machine=this_machine(),
        floor_us=195.0,
        floor_preallocated_us=130.0,
        lanes={"1": load, "64": load},
        slow_fsync=SlowSync(lanes=16, sync_ms=10.0, entries_per_s=1_400, p50_ms=11.0, p99_ms=20.0),
        bytes_per_entry_disk=314.0,
        bytes_per_passage_record=260.0,
        bytes_per_followup_record=54.0,
        bytes_per_entry_wire=70.0,
        bytes_per_record_wire=35.0,
        upload_entries_per_s=None,
        reopen_entries=10,
        reopen_s=0.1,
        reopen_bytes=3_000,
    )
    styles = [row.style for row in table_of(figures).rows]
    assert styles.count("red") == 2
    assert styles.count("green") == len(GOALS) - 2
    assert met("upload_entries_per_s", 1.0) is None
    assert met("reopen_s", None) is None
