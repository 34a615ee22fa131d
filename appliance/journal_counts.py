"""What health and metrics see of the journal's index: how far it is behind, and its counts."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance.health import Finding
from cache.journal.local.projector import Projector


class JournalCounts(Collector):
    """Counters that go on where they were before a restart: what is written down is counted."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def collect(self) -> Iterable[Metric]:
        """Return the counters, and how far they are behind the journal."""
        entries = CounterMetricFamily(
            "chot_journal_counted_entries",
            "Entries that were written down here, over restarts.",
            labels=["lane", "direction", "event", "what"],
        )
        for one, count in self._projector.totals.items():
            entries.add_metric([one.lane, one.direction, one.event, one.what], count)
        yield entries
        status = self._projector.status()
        yield GaugeMetricFamily(
            "chot_journal_index_behind_entries",
            "Entries that the index and the counts do not tell of yet.",
            value=status.behind,
        )
        yield CounterMetricFamily(
            "chot_journal_index_busy_seconds",
            "Time in which the index was brought up to the journal, since the start.",
            value=status.busy_ns / 1e9,
        )


def index_finding(projector: Projector) -> Finding:
    """Return whether the index follows the journal."""
    status = projector.status()
    facts: dict[str, str | int | float | bool | None] = {
        "through": status.through,
        "behind": status.behind,
    }
    return Finding(ok=not status.last_error, why=status.last_error, facts=facts)
