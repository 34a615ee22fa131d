"""What Prometheus sees of the zone: how many are inside, and how many may be. Nobody by name."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from admission.ports import Clock
from admission.site import Demands
from admission.zone import Zone


class ZoneMetrics(Collector):
    """Gauges that are read at each scrape; limits that the site does not set are left out.

    Who was refused for them is in `chot_verdicts_total`, by its reason.
    """

    def __init__(self, zone: Zone, clock: Clock, demands: Demands) -> None:
        self._zone = zone
        self._clock = clock
        self._demands = demands

    def collect(self) -> Iterable[Metric]:
        """Return the gauges."""
        count = self._zone.count(self._clock.now())
        inside = GaugeMetricFamily("chot_zone_inside", "People inside.", labels=["who"])
        inside.add_metric(["all"], count.inside)
        inside.add_metric(["roster"], count.workers)
        yield inside
        limit = GaugeMetricFamily("chot_zone_limit", "People who may be inside.", labels=["who"])
        for who, value in (("all", self._demands.capacity), ("roster", self._demands.headcount)):
            if value is not None:
                limit.add_metric([who], value)
        yield limit
        yield GaugeMetricFamily(
            "chot_zone_people_remembered",
            "People of whom is known when they passed last.",
            value=len(self._zone),
        )
