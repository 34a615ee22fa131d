"""Protects the figures of `chot bench bridge`: all there, of a chip that did as it was told."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchmarks.cli import bench


@pytest.mark.slow
def test_figures_as_json() -> None:
    result = CliRunner().invoke(bench, ["bridge", "--commands", "120", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert list(figures) == [
        "p50_ms", "p99_ms", "floor_ms", "dead_man_ms", "recovery_s", "flash_bytes", "ram_bytes",
        "commands", "wrong",
    ]  # fmt: skip
    assert figures["commands"] == 120
    assert figures["wrong"] == 0
    assert figures["floor_ms"] < figures["p50_ms"] <= figures["p99_ms"]
    assert 900 < figures["dead_man_ms"] <= 1_000
    assert figures["recovery_s"] <= 2.0
    assert 8_000 < figures["flash_bytes"] <= 16_384
    assert 600 < figures["ram_bytes"] <= 1_228
