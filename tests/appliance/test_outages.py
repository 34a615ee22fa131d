"""The log says once when something breaks, and once when it is back."""

from __future__ import annotations

import logging

import pytest

from appliance.health import Finding, Health
from appliance.outages import OutageLog


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
