"""What Prometheus sees of the journal: how it writes, what it owes, how much room it takes."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance.records import Records

_COUNTERS = (
    ("groups", "Groups of entries that were written and synced at once."),
    ("failed_groups", "Groups that the medium refused."),
    ("timeouts", "Entries that were not durable within their bound."),
    ("withheld", "Entries that became durable after the lane had shown REFER."),
    ("unsecured", "Verdicts shown, by the site's policy, before their entry was durable."),
    ("unsecured_lost", "Of these, entries that never became durable."),
    ("followups", "Notes of what followed on an entry that were written."),
    ("followups_lost", "Notes of what followed that could not be kept."),
    ("overflows", "Entries turned away by a full queue."),
    ("unsealed", "Entries whose personal part was left out, for want of the hub's key."),
)
"""Fields of the journal's statistics that only grow, and what they count."""


class JournalMetrics(Collector):
    """Read at each scrape.

    :param records: the journal with all that keeps it.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        statistics = self._records.journal.statistics()
        for name, what in _COUNTERS:
            value = getattr(statistics, name)
            yield CounterMetricFamily(f"chot_journal_{name}", what, value=value)
        yield CounterMetricFamily(
            "chot_journal_commit_seconds",
            "Time that the medium took, over all groups.",
            value=statistics.commit_ns / 1e9,
        )
        yield GaugeMetricFamily(
            "chot_journal_slowest_commit_seconds",
            "The longest that a group has taken since the start.",
            value=statistics.slowest_commit_ns / 1e9,
        )
        yield GaugeMetricFamily(
            "chot_journal_unsecured_waiting",
            "Entries that a gate has moved for and that are not durable yet.",
            value=statistics.unsecured_waiting,
        )
        yield GaugeMetricFamily(
            "chot_journal_used_bytes", "Room that entries take.", value=statistics.used_bytes
        )
        yield GaugeMetricFamily(
            "chot_journal_budget_bytes", "Room that they may take.", value=statistics.budget_bytes
        )
        yield from self._kept()

    def _kept(self) -> Iterable[Metric]:
        pruning = self._records.keeping.pruner.status
        yield CounterMetricFamily(
            "chot_journal_pruned_entries",
            "Entries that the hub holds and that were removed here.",
            value=pruning.pruned_entries,
        )
        yield CounterMetricFamily(
            "chot_journal_released_entries",
            "Of these, entries removed before their time, because the disk was nearly full.",
            value=pruning.released_entries,
        )
