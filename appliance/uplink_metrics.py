"""What Prometheus sees of the way up: clocks apart, and histories that contradict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance.uplink_report import UplinkStatus


class UplinkMetrics(Collector):
    """Gauges that are read at each scrape.

    :param statuses: returns how the uploads stand: the living journal's first.
    """

    def __init__(self, statuses: Callable[[], Sequence[UplinkStatus]]) -> None:
        self._statuses = statuses

    def collect(self) -> Iterable[Metric]:
        """Return the gauges; what is not known yet is left out."""
        statuses = self._statuses()
        skew = GaugeMetricFamily(
            "chot_hub_clock_ahead_seconds", "How far the hub's clock is ahead of this gate's."
        )
        if statuses[0].skew_s is not None:
            skew.add_metric([], statuses[0].skew_s)
        yield skew
        yield GaugeMetricFamily(
            "chot_upload_contradicted",
            "Journals of which the hub holds another history than lies here.",
            value=sum(bool(status.alarm) for status in statuses),
        )
