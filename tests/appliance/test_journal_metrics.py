"""The journal's numbers reach Prometheus under the names that the manual tells."""

from __future__ import annotations

import re

from prometheus_client import CollectorRegistry, generate_latest

from appliance.journal_metrics import JournalMetrics
from cache.journal.pruner import PruningStatus
from cache.journal.statistics import JournalStatistics
from tests.worlds import ROOT


class Records:
    """As far as the metrics look."""

    def __init__(self, statistics: JournalStatistics) -> None:
        self.journal = self
        self.keeping = self
        self.pruner = self
        self._statistics = statistics
        self.status = PruningStatus(pruned_entries=7, released_entries=3)

    def statistics(self) -> JournalStatistics:
        return self._statistics


def exposed(statistics: JournalStatistics) -> str:
    registry = CollectorRegistry()
    registry.register(JournalMetrics(Records(statistics)))  # type: ignore[arg-type]
    return generate_latest(registry).decode()


def test_what_the_journal_counts_is_exposed() -> None:
    text = exposed(
        JournalStatistics(9, timeouts=2, unsecured_waiting=1, used_bytes=5, commit_ns=2_500_000_000)
    )
    for line in (
        "chot_journal_timeouts_total 2.0",
        "chot_journal_unsecured_waiting 1.0",
        "chot_journal_used_bytes 5.0",
        "chot_journal_commit_seconds_total 2.5",
        "chot_journal_pruned_entries_total 7.0",
        "chot_journal_released_entries_total 3.0",
    ):
        assert line in text


def test_every_name_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "monitoring.md").read_text()
    names = set(re.findall(r"^(chot_\w+) ", exposed(JournalStatistics(0)), re.MULTILINE))
    assert names
    assert {name for name in names if f"`{name}`" not in manual} == set()
