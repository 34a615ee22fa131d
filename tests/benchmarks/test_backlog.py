"""The benchmark measures what it says: people are served, and the whole backlog reaches the hub."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.backlog import measure


@pytest.mark.slow  # a hub in a process of its own
def test_lanes_serve_and_the_backlog_goes_up(tmp_path: Path) -> None:
    figures = asyncio.run(
        measure(tmp_path, backlog=2_000, lanes=2, scans_per_s=20.0, turns=1, turn_s=0.5)
    )
    assert figures.scans > 10
    assert figures.uploaded_beside_lanes > 0
    assert figures.upload_entries_per_s > 0
    assert 10 < figures.bytes_per_entry < 100
