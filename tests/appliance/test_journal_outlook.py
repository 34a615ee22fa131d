"""Health says when a gate moved without an entry, and when the journal is not kept in order."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.health import Health, State
from appliance.journal_outlook import JournalOutlook
from cache.journal.anchor_keeper import AnchorStatus
from cache.journal.disk_budget import Space, disk_status
from cache.journal.local.projector import ProjectorStatus
from cache.journal.pruner import PruningStatus
from cache.journal.statistics import JournalStatistics


class Part:
    """Anything with the attributes that it is given."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def state_of(
    statistics: JournalStatistics,
    *,
    used: int = 0,
    pruning: PruningStatus | None = None,
    anchor: AnchorStatus | None = None,
    alarm: str = "",
) -> tuple[State, dict[str, str]]:
    """Return the state, and why each failing check fails."""
    pruner = Part(
        status=pruning or PruningStatus(), disk=disk_status(Space(used, 100, 0, 1_000_000))
    )
    records = Part(
        journal=Part(statistics=lambda: statistics, alive=True),
        keeping=Part(pruner=pruner, anchor=Part(status=anchor or AnchorStatus())),
        projector=Part(status=lambda: ProjectorStatus(0, 0, 0, 0, "")),
        pending=0,
        damage="",
        upload_statuses=lambda: [Part(alarm=alarm)],
    )
    health = Health()
    JournalOutlook(records).describe(health)  # type: ignore[arg-type]
    report = health.report()
    return report.state, {name: one.why for name, one in report.checks.items() if not one.ok}


def test_a_journal_in_order_fails_nothing() -> None:
    assert state_of(JournalStatistics(5)) == (State.OK, {})


@pytest.mark.parametrize(
    ("statistics", "why"),
    [
        (JournalStatistics(5, last_error="the disk is full"), "the disk is full"),
        (JournalStatistics(5, unsecured_waiting=2), "before its entry was durable"),
    ],
)
def test_what_keeps_entries_from_the_medium_needs_somebody(
    statistics: JournalStatistics, why: str
) -> None:
    state, failing = state_of(statistics)
    assert state is State.FAILED
    assert why in failing["journal"]


def test_another_history_at_the_hub_needs_somebody() -> None:
    state, failing = state_of(JournalStatistics(5), alarm="the hub holds another history")
    assert (state, failing) == (State.FAILED, {"journal": "the hub holds another history"})


def test_a_disk_that_fills_is_told_while_the_gate_serves_on() -> None:
    state, failing = state_of(JournalStatistics(5), used=71)
    assert state is State.DEGRADED
    assert "71 %" in failing["journal.disk"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"pruning": PruningStatus(last_error="the medium refuses")},
        {"anchor": AnchorStatus(last_error="the medium refuses")},
    ],
)
def test_what_is_not_kept_up_beside_the_writer_is_told(trouble: dict[str, Any]) -> None:
    state, failing = state_of(JournalStatistics(5), **trouble)
    assert (state, list(failing)) == (State.DEGRADED, ["journal.keeping"])
    assert "the medium refuses" in failing["journal.keeping"]
    assert ("anchor" in trouble) == ("anchor" in failing["journal.keeping"])


def test_a_gate_that_moved_without_an_entry_is_told_for_good() -> None:
    state, failing = state_of(JournalStatistics(5, unsecured_lost=1))
    assert state is State.DEGRADED
    assert "1 times for which there is no entry" in failing["journal.keeping"]
