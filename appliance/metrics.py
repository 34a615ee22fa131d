"""What Prometheus sees: counters and histograms the lanes feed, gauges pulled at each scrape.

Labels are bounded by the configuration and the law's enums; no metric ever names a person or a
credential. Names follow prometheus.io/docs/practices/naming: one prefix, base units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from admission.instant import ClockTrust
from admission.verdict import Verdict
from appliance.decoding_metrics import Counts, DecodingMetrics
from appliance.gate_metrics import GateMetrics
from appliance.observation import Happening, Scan

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds. The client's default starts at 5 ms, where this gate has long decided."""


class Stage(StrEnum):
    """Steps of one scan, in order."""

    READ = "read"
    """From the capture to the lane's taking the reading up: decoding and queueing."""
    DECIDE = "decide"
    JOURNAL = "journal"
    ACTUATE = "actuate"


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pulled values come from: callables that return at once, from any thread.

    A value of None is left out of the scrape: nothing is known, which is not zero.
    """

    inbox_overflowed: Mapping[str, Callable[[], int | None]] = {}
    """By lane: readings turned away because the lane's inbox was full."""
    frames_dropped: Mapping[str, Callable[[], int | None]] = {}
    """By source: frames replaced by a newer one before the decoder took them."""
    frames_bad: Mapping[str, Callable[[], int | None]] = {}
    """By source: frames that were no picture, or none that may be decoded."""
    cameras: Counts = {}
    """By source: what has become of a camera's frames."""
    link_rejected: Mapping[str, Callable[[], int | None]] = {}
    """By lane: frames from the board that were damaged."""
    device_up: Mapping[str, Callable[[], bool | None]] = {}
    """By device: camera, scanner, board."""
    journal_pending: Callable[[], int | None] = lambda: None
    """Entries that the hub has not acknowledged."""
    upload_attempts: Callable[[], int | None] = lambda: None
    """Uploads tried since the start."""
    upload_failures: Callable[[], int | None] = lambda: None
    """Uploads that failed since the last that was acknowledged."""
    sync_last_success_s: Callable[[], float | None] = lambda: None
    """Seconds since the epoch of the last exchange with the hub that succeeded."""
    replica_sequence: Callable[[], int | None] = lambda: None
    """Sequence of the active release."""
    replica_unreadable: Callable[[], int | None] = lambda: None
    """Look-ups that a damaged page left without an answer."""
    replica_damaged_pages: Callable[[], int | None] = lambda: None
    """Damaged pages known in the active segment."""
    clock_trust: Callable[[], ClockTrust | None] = lambda: None
    """How far the wall time may be believed."""


class Metrics:
    """All metrics of one appliance, in a registry of their own. Methods may be called anywhere.

    Takes an observer's place beside a lane (`appliance.lane.Observer`).

    :param lanes: names, so that every series starts at zero rather than with the first event.
    :param sources: where the pulled values come from.
    """

    def __init__(self, version: str, *, lanes: Iterable[str] = (), sources: Sources) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._readings = Counter(
            "chot_readings", "Codes read, every sighting.", ["lane", "source"], registry=registry
        )
        self._verdicts = Counter(
            "chot_verdicts",
            "Verdicts given, by their first reason.",
            ["lane", "verdict", "reason"],
            registry=registry,
        )
        self._repeats = Counter(
            "chot_repeats",
            "Further sightings of a code that has its verdict.",
            ["lane"],
            registry=registry,
        )
        self._turned_away = Counter(
            "chot_turned_away",
            "Readings that an out-of-order lane did not serve.",
            ["lane"],
            registry=registry,
        )
        self._failures = Counter(
            "chot_step_failures",
            "Steps of a scan that failed.",
            ["lane", "step"],
            registry=registry,
        )
        self._inputs = Counter(
            "chot_board_inputs",
            "Events at a board's inputs: button, tamper, passage, fire, stop.",
            ["lane", "input"],
            registry=registry,
        )
        self._journaled = Counter(
            "chot_journal_entries", "Entries made durable.", ["lane"], registry=registry
        )
        self._light = Histogram(
            "chot_reading_to_light_seconds",
            "From the frame's capture or the line's last byte to the light.",
            ["lane"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._stages = Histogram(
            "chot_stage_seconds",
            "One step of a scan.",
            ["stage"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._gates = GateMetrics(lanes, registry)
        registry.register(_Pulled(version, sources))
        registry.register(DecodingMetrics(sources.cameras))
        self._start_at_zero(lanes)

    def reading(self, lane: str, source: str) -> None:
        """Count one sighting of a code."""
        self._readings.labels(lane, source).inc()

    def verdict(self, lane: str, verdict: Verdict) -> None:
        """Count one verdict, by its first reason: the sum over all reasons counts verdicts."""
        self._verdicts.labels(lane, verdict.outcome, verdict.reason).inc()

    def stage(self, stage: Stage, seconds: float) -> None:
        """Record how long one step took."""
        self._stages.labels(stage).observe(seconds)

    def scanned(self, scan: Scan) -> None:
        """Record a finished scan: its steps, its light, and its verdict if that was journaled.

        Verdicts counted here are entries in the journal, one by one; what could not be journaled is
        counted as a failed step.
        """
        self.stage(Stage.READ, scan.read_ns / 1e9)
        self.stage(Stage.DECIDE, scan.decide_ns / 1e9)
        self.stage(Stage.JOURNAL, scan.journal_ns / 1e9)
        self.stage(Stage.ACTUATE, scan.actuate_ns / 1e9)
        if scan.sequence is not None:
            self.verdict(scan.lane, scan.judged)
            self._journaled.labels(scan.lane).inc()
        if scan.reading_to_light_ns is not None:
            self._light.labels(scan.lane).observe(scan.reading_to_light_ns / 1e9)

    def board_input(self, lane: str, name: str) -> None:
        """Count an event at one of a board's inputs; `name` is one of a fixed few."""
        self._inputs.labels(lane, name).inc()

    def repeated(self, lane: str) -> None:
        """Count a further sighting of a code that already has its verdict."""
        self._repeats.labels(lane).inc()

    def turned_away(self, lane: str) -> None:
        """Count a reading that an out-of-order lane did not serve."""
        self._turned_away.labels(lane).inc()

    def happened(self, happening: Happening) -> None:
        """Count what a board told of its gate."""
        self._gates.happened(happening)

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Count a step that raised. `step` is one of a fixed few; the error is the log's matter."""
        del error
        self._failures.labels(lane, step).inc()

    def _start_at_zero(self, lanes: Iterable[str]) -> None:
        for lane in lanes:
            for counter in (self._repeats, self._turned_away, self._journaled):
                counter.labels(lane)
            self._light.labels(lane)
        for stage in Stage:
            self._stages.labels(stage)


class _Pulled:
    """Values that their owners count already: read at each scrape."""

    def __init__(self, version: str, sources: Sources) -> None:
        self._version = version
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        sources = self._sources
        yield _by_label(
            CounterMetricFamily(
                "chot_inbox_overflow", "Readings turned away by a full inbox.", labels=["lane"]
            ),
            sources.inbox_overflowed,
        )
        yield _by_label(
            CounterMetricFamily(
                "chot_frames_dropped",
                "Frames replaced before they were decoded.",
                labels=["source"],
            ),
            sources.frames_dropped,
        )
        yield _by_label(
            CounterMetricFamily(
                "chot_frames_bad", "Frames that were no picture to decode.", labels=["source"]
            ),
            sources.frames_bad,
        )
        yield _by_label(
            CounterMetricFamily(
                "chot_link_rejected_frames", "Damaged frames from the board.", labels=["lane"]
            ),
            sources.link_rejected,
        )
        yield _by_label(
            GaugeMetricFamily("chot_device_up", "Whether the device answers.", labels=["device"]),
            sources.device_up,
        )
        yield _single(
            "chot_journal_pending", "Entries not yet acknowledged.", sources.journal_pending()
        )
        yield _total("chot_uploads", "Uploads attempted.", sources.upload_attempts())
        yield _single(
            "chot_upload_failures",
            "Uploads that failed in a row, up to now.",
            sources.upload_failures(),
        )
        yield _single(
            "chot_sync_last_success_timestamp_seconds",
            "Last exchange with the hub that succeeded.",
            sources.sync_last_success_s(),
        )
        yield _single(
            "chot_replica_sequence", "Sequence of the active release.", sources.replica_sequence()
        )
        yield _total(
            "chot_replica_unreadable_lookups",
            "Look-ups that a damaged page left without an answer.",
            sources.replica_unreadable(),
        )
        yield _single(
            "chot_replica_damaged_pages",
            "Damaged pages in the active segment.",
            sources.replica_damaged_pages(),
        )
        yield _clock_trust(sources.clock_trust())
        build = GaugeMetricFamily("chot_build_info", "The software.", labels=["version"])
        build.add_metric([self._version], 1)
        yield build


def _by_label(
    family: CounterMetricFamily | GaugeMetricFamily,
    values: Mapping[str, Callable[[], float | None]],
) -> Metric:
    for label, value_of in values.items():
        value = value_of()
        if value is not None:
            family.add_metric([label], value)
    return family


def _total(name: str, documentation: str, value: float | None) -> Metric:
    family = CounterMetricFamily(name, documentation)
    if value is not None:
        family.add_metric([], value)
    return family


def _single(name: str, documentation: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(name, documentation)
    if value is not None:
        family.add_metric([], value)
    return family


def _clock_trust(trust: ClockTrust | None) -> Metric:
    """One series per state, of which one is 1: an alert names the state it fears."""
    family = GaugeMetricFamily("chot_clock_trust", "Whether it is so.", labels=["state"])
    for state in ClockTrust:
        family.add_metric([state], float(state is trust))
    return family
