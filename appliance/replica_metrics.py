"""What Prometheus sees of the replica: what answers, what came, what was mended and merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cache.replica.status import ReplicaStatus


class ReplicaMetrics(Collector):
    """Read at each scrape. The datasets are those this version knows, no others.

    :param status: returns what is known now, at once.
    """

    def __init__(self, status: Callable[[], ReplicaStatus]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        status = self._status()
        rows = GaugeMetricFamily(
            "chot_replica_rows", "Rows of the active release.", labels=["dataset"]
        )
        for kind, count in status.datasets.items():
            rows.add_metric([kind], count)
        yield rows
        yield GaugeMetricFamily(
            "chot_replica_documents", "Documents of the active release.", value=status.documents
        )
        yield GaugeMetricFamily(
            "chot_replica_missing_files",
            "Datasets and documents that the active release names and that are not held.",
            value=status.missing,
        )
        numbers = GaugeMetricFamily(
            "chot_replica_change_number",
            "Number of the last change that counts, on the dataset's base.",
            labels=["dataset"],
        )
        for kind in status.datasets:
            numbers.add_metric([kind], status.numbers.get(kind, 0))
        yield numbers
        yield from _counters(status)


def _counters(status: ReplicaStatus) -> Iterable[Metric]:
    yield CounterMetricFamily(
        "chot_replica_deltas_applied",
        "Delta files that came to count since start.",
        value=status.deltas_applied,
    )
    yield CounterMetricFamily(
        "chot_replica_healed_pages",
        "Pages of stored segments that were mended since start.",
        value=status.healed_pages,
    )
    fetched = CounterMetricFamily(
        "chot_replica_fetched_bytes", "Bytes of files that came since start.", labels=["kind"]
    )
    for kind, count in status.fetched_bytes.items():
        fetched.add_metric([kind], count)
    yield fetched
    merges = CounterMetricFamily(
        "chot_replica_merges", "Bases made ahead of their time, by outcome.", labels=["outcome"]
    )
    for outcome, count in status.merges.items():
        merges.add_metric([outcome], count)
    yield merges
