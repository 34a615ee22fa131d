"""One broken part shows as itself: neither hidden by others, nor hiding them."""

from __future__ import annotations

import json

import pytest

from appliance.health import Finding, Health, State, Weight


def broken() -> Finding:
    return Finding(ok=False, why="camera unplugged", facts={"reopened": 3})


def well() -> Finding:
    return Finding(ok=True)


@pytest.mark.parametrize(
    ("failing", "state", "alive"),
    [
        ([], State.OK, True),
        ([Weight.NOTE], State.DEGRADED, True),
        ([Weight.SERVICE], State.FAILED, True),
        ([Weight.NOTE, Weight.SERVICE], State.FAILED, True),
        ([Weight.VITAL], State.FAILED, False),
    ],
)
def test_the_weightiest_failure_decides(failing: list[Weight], state: State, alive: bool) -> None:
    health = Health()
    health.add("journal", well, Weight.VITAL)
    for weight in failing:
        health.add(f"part.{weight}", broken, weight)
    report = health.report()
    assert (report.state, report.alive) == (state, alive)
    assert report.faults == tuple(f"part.{weight}" for weight in failing)


def test_json_names_every_check() -> None:
    health = Health()
    health.add("source.camera-1", broken, Weight.NOTE)
    health.add("journal", well)
    assert json.loads(health.report().to_json()) == {
        "state": "degraded",
        "checks": {
            "source.camera-1": {
                "ok": False,
                "weight": "note",
                "why": "camera unplugged",
                "facts": {"reopened": 3},
            },
            "journal": {"ok": True, "weight": "service", "why": "", "facts": {}},
        },
    }


def test_a_check_that_raises_fails_alone_and_quotes_nothing() -> None:
    def raising() -> Finding:
        raise ValueError("000123456789")

    health = Health()
    health.add("hub", raising, Weight.VITAL)
    health.add("journal", well)
    report = health.report()
    assert report.faults == ("hub",)
    assert not report.alive
    assert report.checks["hub"].why == "the check itself failed: ValueError"


def test_two_checks_cannot_share_a_name() -> None:
    health = Health()
    health.add("hub", well)
    with pytest.raises(ValueError, match="hub"):
        health.add("hub", well)
