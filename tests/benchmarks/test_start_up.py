"""Protects the figures of a start: measured on what the daemon opens, and about all of it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.start_up import measure


async def test_it_starts_from_weeks_of_scans(tmp_path: Path) -> None:
    steps: list[str] = []
    figures = await measure(
        tmp_path, scans=90, scans_a_day=30, progress=lambda step, _: steps.append(step)
    )
    assert figures.entries >= 180
    assert min(figures.lost_s, figures.kept_s, figures.find_s, figures.index_us_per_entry) >= 0
    assert figures.index_bytes > 0
    assert steps[-1] == "start with the database"
