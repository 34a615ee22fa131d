"""What the hub shows Prometheus: counts and times, never a person, a code or a token."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hub.intake import Receipt
from hub.store.entries import FlagKind

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class HubMetrics:
    """The hub's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._entries = Counter(
            "chot_hub_entries_total",
            "Entries received, by what became of them.",
            ["result"],
            registry=self.registry,
        )
        self._batches = Counter(
            "chot_hub_batches_total",
            "Batches received, by HTTP status.",
            ["status"],
            registry=self.registry,
        )
        self._flags = Counter(
            "chot_hub_flags_total",
            "Flags that batches gave rise to; a batch sent again counts again.",
            ["kind"],
            registry=self.registry,
        )
        self._requests = Histogram(
            "chot_hub_request_seconds",
            "Time from a request's head to its answer.",
            ["route", "status"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._head = Gauge(
            "chot_hub_head_vouched_timestamp_seconds",
            "When the hub last vouched for its release.",
            registry=self.registry,
        )
        self._head_failures = Counter(
            "chot_hub_head_failures_total",
            "Times that vouching for the release failed.",
            registry=self.registry,
        )
        self._examined = Counter(
            "chot_hub_examined_entries_total",
            "Entries that were examined after they had been taken in.",
            registry=self.registry,
        )
        self._examination_failures = Counter(
            "chot_hub_examination_failures_total",
            "Times that examining entries failed; it is tried again.",
            registry=self.registry,
        )
        self._raised = Gauge(
            "chot_hub_flags_raised",
            "Flags that are raised on entries, by kind.",
            ["kind"],
            registry=self.registry,
        )
        self._followed = Gauge(
            "chot_hub_followups",
            "Entries of which something followed that should not be many, and missing places.",
            ["kind"],
            registry=self.registry,
        )
        self._listed = Gauge(
            "chot_hub_daily_list_timestamp_seconds",
            "End of the newest day whose list of journals is published; 0 before the first look.",
            registry=self.registry,
        )
        for kind in FlagKind:
            self._raised.labels(kind.value)
        self._dropped = Counter(
            "chot_hub_entries_dropped_total",
            "Entries dropped because their time was over.",
            registry=self.registry,
        )
        for result in ("fresh", "repeated", "conflicting"):
            self._entries.labels(result)

    def batch_stored(self, receipt: Receipt) -> None:
        """Count the entries and flags of one stored batch."""
        self._entries.labels("fresh").inc(receipt.fresh)
        self._entries.labels("repeated").inc(receipt.repeated)
        self._entries.labels("conflicting").inc(receipt.conflicting)
        for flag in receipt.flags:
            self._flags.labels(flag.kind.value).inc()

    def entries_dropped(self, entries: int) -> None:
        """Count entries whose day was dropped."""
        self._dropped.inc(entries)

    def batch_answered(self, status: int) -> None:
        """Count one batch by the status of its answer."""
        self._batches.labels(str(status)).inc()

    def request_answered(self, route: str, status: int, seconds: float) -> None:
        """Time one request. `route` is the route's pattern: a path would be unbounded."""
        self._requests.labels(route, str(status)).observe(seconds)

    def head_vouched(self, wall_ns: int) -> None:
        """Note that the head was signed anew."""
        self._head.set(wall_ns / 1e9)

    def head_failed(self) -> None:
        """Count one failure to sign the head anew."""
        self._head_failures.inc()

    def examined(self, entries: int, tallies: Mapping[str, int]) -> None:
        """Count entries that were examined; `tallies` is all that was counted in them, ever."""
        self._examined.inc(entries)
        for name, count in tallies.items():
            self._followed.labels(name).set(count)

    def daily_listed(self, wall_ns: int) -> None:
        """Note that lists of all days that ended by this time are published."""
        self._listed.set(wall_ns / 1e9)

    def examination_failed(self) -> None:
        """Count one failure to examine entries."""
        self._examination_failures.inc()

    def flags_raised(self, counts: Mapping[FlagKind, int]) -> None:
        """Show how many flags are raised."""
        for kind in FlagKind:
            self._raised.labels(kind.value).set(counts.get(kind, 0))

    def exposition(self) -> bytes:
        """Return the registry in Prometheus' text format."""
        return generate_latest(self.registry)
