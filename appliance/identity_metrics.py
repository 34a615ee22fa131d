"""What Prometheus sees of the identity: when the certificate ends."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance.renewal import Renewal


class IdentityMetrics(Collector):
    """A gauge that is read at each scrape; a gate without a certificate has none."""

    def __init__(self, renewal: Renewal) -> None:
        self._renewal = renewal

    def collect(self) -> Iterable[Metric]:
        """Return the gauge."""
        ends = self._renewal.ends
        if ends is not None:
            yield GaugeMetricFamily(
                "chot_certificate_expires_timestamp_seconds",
                "When this gate's certificate ends.",
                value=ends.timestamp(),
            )
