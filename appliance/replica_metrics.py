"""What Prometheus sees of the replica's parts: rows by dataset, documents, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cache.replica.status import ReplicaStatus


class ReplicaMetrics(Collector):
    """Gauges that are read at each scrape. The datasets are those this version knows, no others.

    :param status: returns what is known now, at once.
    """

    def __init__(self, status: Callable[[], ReplicaStatus]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Return the gauges."""
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
            "Segments and documents that the active release names and that are not held.",
            value=status.missing,
        )
