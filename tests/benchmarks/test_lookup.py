"""Protects the look-up's benchmark: it asks about the people whom it says, beside its floor."""

from __future__ import annotations

import json

from click.testing import CliRunner

from benchmarks.cli import bench


def test_figures_as_json() -> None:
    result = CliRunner().invoke(bench, ["lookup", "--people", "200", "--codes", "50", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    assert figures["people"] == 200
    assert figures["known_us"]["p50"] > figures["floor_us"]["p50"] > 0
    assert set(figures) == {"people", "hit_us", "known_us", "permit_us", "stranger_us", "floor_us"}
