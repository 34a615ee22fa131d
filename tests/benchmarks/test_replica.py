"""Protects the replica's benchmark: its keys, and figures that can be what they say they are."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import replica_stage
from benchmarks.errors import NoRoomError
from benchmarks.replica_cli import replica, table_of
from benchmarks.replica_figures import GOALS, ReplicaFigures, met


class Usage(NamedTuple):
    total: int
    used: int
    free: int


PEOPLE = 3_000
COLD = {"cold_reads", "cold_kib", "sqlite_cold_kib", "lmdb_cold_kib"}
"""Not measured where the medium gives no numbers."""


def test_figures_are_whole_no_smaller_than_their_bounds_and_beside_their_goals(
    tmp_path: Path,
) -> None:
    # One test, since one run takes seconds: it writes all stores and starts four processes.
    arguments = ["--people", str(PEOPLE), "--folder", str(tmp_path), "--json"]
    result = CliRunner().invoke(replica, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert not list(tmp_path.iterdir()), "the scratch folder is left behind"
    figures = json.loads(result.stdout)
    assert set(figures) == set(ReplicaFigures.__struct_fields__)
    assert set(GOALS) <= set(figures)
    assert {name for name, found in figures.items() if found is None} <= COLD
    _sane(figures)
    _shown(figures)


def _sane(figures: dict[str, float]) -> None:
    assert figures["people"] == PEOPLE
    assert figures["hit_us"] > figures["hash_us"] > 0
    assert figures["sqlite_us"] > figures["dict_us"] > 0
    assert figures["sqlite_ratio"] > figures["dict_ratio"] > 0
    assert figures["bytes_per_person"] > figures["floor_bytes_per_person"] > 6
    assert figures["snapshot_bytes_per_person"] > 6
    assert figures["delta_bytes_per_change"] > figures["floor_delta_bytes_per_change"] > 1
    assert figures["sqlite_bytes_per_person"] > 24
    assert figures["delta_changes"] == 90 + 3
    assert figures["overlay_changes"] == 289 + 9
    for name in ("open_ms", "activate_ms", "build_s", "rebuild_s", "merge_s"):
        assert 0 <= figures[name] < 10_000, name
    assert figures["merge_peak_mib"] < 64


def _shown(figures: dict[str, float]) -> None:
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(table_of(msgspec.convert(figures, ReplicaFigures)))
    shown = console.export_text()
    assert "≤ 13.5" in shown
    assert "SQLite" in shown
    assert f"{figures['bytes_per_person']:g}" in shown


def test_a_bound_is_kept_or_not_or_there_is_nothing_to_judge() -> None:
    assert met("open_ms", 30.0) is True
    assert met("open_ms", 30.1) is False
    assert met("sqlite_ratio", 6.9) is False
    assert met("cold_reads", None) is None
    assert met("hash_us", 1.0) is None


def test_a_medium_that_is_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_stage.shutil, "disk_usage", lambda _: Usage(1 << 40, 0, 1 << 30))
    replica_stage.require_room(tmp_path, 1_000_000, peers=True)
    with pytest.raises(NoRoomError, match="GB free") as refused:
        replica_stage.require_room(tmp_path, 10_000_000, peers=True)
    assert "--folder" in refused.value.hint
