"""What Prometheus sees of the kiosk's pages: read from the screen at each scrape."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance.web.screen import KioskScreen


class KioskCollector(Collector):
    """Register it beside the gate's own metrics. Lives on the screen's loop."""

    def __init__(self, screen: KioskScreen) -> None:
        self._screen = screen

    def collect(self) -> Iterable[Metric]:
        """Return the screen's counts."""
        counts = self._screen.statistics()
        yield GaugeMetricFamily("chot_kiosk_viewers", "Pages open.", counts.viewers)
        yield CounterMetricFamily(
            "chot_kiosk_skipped", "Messages replaced by newer ones unread.", counts.skipped
        )
        yield CounterMetricFamily(
            "chot_kiosk_turned_away", "Pages that found no room.", counts.turned_away
        )
