"""The serial benchmark measures what it says: three receivers of the same lines, one run."""

from __future__ import annotations

import json

from click.testing import CliRunner

from benchmarks.cli import bench
from benchmarks.serial import LINE, LINE_BYTES


def test_figures_as_json() -> None:
    result = CliRunner().invoke(bench, ["serial", "--lines", "5", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)
    assert (figures["lines"], figures["line_bytes"]) == (5, 306)
    for each in ("reading_us", "own_us", "floor_us", "read_until_us"):
        assert figures[each]["p99"] >= figures[each]["p50"] > 0
    assert figures["peer_ratio"] > 0
    assert figures["floor_ratio"] > 0


def test_figures_for_people() -> None:
    result = CliRunner().invoke(bench, ["serial", "--lines", "2"])
    assert result.exit_code == 0, result.output
    assert "reading delivered" in result.output


def test_the_line_is_one_text_of_the_size_that_is_said() -> None:
    assert len(LINE) == LINE_BYTES == 306
    assert LINE[:-1].decode().isprintable()
