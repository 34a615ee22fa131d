"""The log says once when something breaks, and once when it is back."""

from __future__ import annotations

import logging

import pytest

from appliance.health import Finding, Health
from appliance.outages import LOOKS_APART, OutageLog


def test_each_change_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    found = Finding(ok=True)
    health = Health()
    health.add("hub", lambda: found)
    outages = OutageLog()
    for finding in (
        Finding(ok=True),
        Finding(ok=False, why="gone"),
        Finding(ok=False, why="gone"),
        Finding(ok=True),
        Finding(ok=True),
    ):
        found = finding
        outages.take(health.report())
    assert [(r.levelname, r.getMessage(), r.check) for r in caplog.records] == [  # type: ignore[attr-defined]
        ("WARNING", "failed", "hub"),
        ("INFO", "recovered", "hub"),
    ]


def test_what_is_down_from_the_start_is_said(caplog: pytest.LogCaptureFixture) -> None:
    health = Health()
    health.add("replica", lambda: Finding(ok=False, why="no release yet"))
    OutageLog().take(health.report())
    assert [r.getMessage() for r in caplog.records] == ["failed"]


def test_why_a_lane_is_out_of_order_is_said_and_said_again_when_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = Finding(ok=False, why="out of order: the port is not open")
    health = Health()
    health.add("lane.lane-1", lambda: found)
    health.add("hub", lambda: Finding(ok=False, why="what a server sent"))
    outages = OutageLog()
    outages.take(health.report())
    found = Finding(ok=False, why="out of order: the board is configured for another wiring")
    for _ in range(2 * LOOKS_APART):
        outages.take(health.report())
    said = [(r.check, r.getMessage(), getattr(r, "why", None)) for r in caplog.records]  # type: ignore[attr-defined]
    assert said == [
        ("lane.lane-1", "failed", "out of order: the port is not open"),
        ("hub", "failed", None),
        ("lane.lane-1", "fails for another reason", found.why),
    ]
