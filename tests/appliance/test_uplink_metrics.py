"""A journal that the hub contradicts, and clocks that are apart, are seen from outside."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from appliance.uplink_metrics import UplinkMetrics
from appliance.uplink_report import UplinkStatus


def a_status(*, alarm: str = "", skew_s: float | None = None) -> UplinkStatus:
    return UplinkStatus(0, 0, None, alarm, "", 1, 0, alarm=alarm, skew_s=skew_s)


def test_what_is_told() -> None:
    statuses = [a_status()]
    registry = CollectorRegistry()
    registry.register(UplinkMetrics(lambda: statuses))
    assert registry.get_sample_value("chot_upload_contradicted") == 0
    assert registry.get_sample_value("chot_hub_clock_ahead_seconds") is None
    statuses[:] = [a_status(skew_s=-2.5), a_status(alarm="altered")]
    assert registry.get_sample_value("chot_upload_contradicted") == 1
    assert registry.get_sample_value("chot_hub_clock_ahead_seconds") == -2.5
