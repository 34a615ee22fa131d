"""What Prometheus sees of the gates: who passed, and what happened without anybody's code."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter

from admission.incident import INCIDENTS, LOST
from admission.passage import Event
from appliance.observation import UNBELIEVED, Happening

KINDS = (
    "passed",
    "not_passed",
    "tailgated",
    UNBELIEVED,
    LOST,
    *sorted(event.value for event in INCIDENTS - {Event.UNLISTED}),
)


class GateMetrics:
    """Counts each event, also those that have no entry of their own."""

    def __init__(self, lanes: Iterable[str], registry: CollectorRegistry) -> None:
        self._events = Counter(
            "chot_gate_events",
            "What the boards told of the gates; changes of tamper, fire and stop count both ways.",
            ["lane", "kind"],
            registry=registry,
        )
        for lane in lanes:
            for kind in KINDS:
                self._events.labels(lane, kind)

    def happened(self, happening: Happening) -> None:
        """Count one event; `kind` is one of a fixed few."""
        self._events.labels(happening.lane, happening.kind).inc(happening.count)
