"""The benchmark measures what it says: every scan reaches a light, floors are of the same run."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchmarks.cli import bench
from benchmarks.percentiles import percentiles


def test_figures_as_json() -> None:
    result = CliRunner().invoke(bench, ["lane", "--scans", "20", "--people", "200", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    assert figures["scans"] == 20
    light = figures["reading_to_light_ms"]
    assert light["p99"] >= light["p50"] >= figures["journal_ms"]["p50"]
    assert figures["floor_ratio"] > 0


def test_percentiles_are_nearest_rank() -> None:
    found = percentiles(list(range(1, 101)))
    assert (found.p50, found.p99) == (50, 99)
    assert percentiles([7.0]).p99 == 7.0
    with pytest.raises(ValueError, match="no samples"):
        percentiles([])
