"""Protects what the zone tells Prometheus: counts and limits, and nothing that is not set."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from admission.reset import DailyReset
from admission.site import Demands, Direction
from admission.zone import Zone
from appliance.zone_metrics import ZoneMetrics
from tests.worlds import VIETNAM, ManualClock


def test_counts_and_limits() -> None:
    clock, registry = ManualClock(), CollectorRegistry()
    zone = Zone(DailyReset(4 * 60, VIETNAM))
    zone.passed(1, Direction.IN, worker=True, now=clock.now())
    zone.passed(2, Direction.IN, worker=False, now=clock.now())
    registry.register(ZoneMetrics(zone, clock, Demands(capacity=50)))
    value = registry.get_sample_value
    assert value("chot_zone_inside", {"who": "all"}) == 2
    assert value("chot_zone_inside", {"who": "roster"}) == 1
    assert value("chot_zone_limit", {"who": "all"}) == 50
    assert value("chot_zone_limit", {"who": "roster"}) is None
    assert value("chot_zone_people_remembered") == 2
