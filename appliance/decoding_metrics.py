"""What Prometheus sees of the cameras' decoding: which rungs read, and what the slow lane adds.

Rungs are named by this software, never by what a picture holds: the labels are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, Metric

from scanner.camera.source import CameraStatistics

Counts = Mapping[str, Callable[[], CameraStatistics | None]]
_COUNTERS: tuple[tuple[str, str, Callable[[CameraStatistics], int]], ...] = (
    (
        "chot_frames_skipped",
        "Frames in which nothing had moved, not decompressed or not looked at.",
        lambda seen: seen.skipped,
    ),
    ("chot_looks", "Frames that were looked at.", lambda seen: seen.looks),
    (
        "chot_slow_lane_jobs",
        "Frames that were tried again on another core.",
        lambda seen: seen.slow_lane.jobs,
    ),
    (
        "chot_slow_lane_reads",
        "Frames in which something was read there.",
        lambda seen: seen.slow_lane.reads,
    ),
    (
        "chot_slow_lane_timeouts",
        "Frames for which time ran out there.",
        lambda seen: seen.slow_lane.timeouts,
    ),
    (
        "chot_decoder_faults",
        "Rungs and readers that failed on a frame and were left out for it.",
        lambda seen: seen.faults,
    ),
    (
        "chot_parts_completed",
        "Codes put together from their parts.",
        lambda seen: seen.parts.completed,
    ),
    (
        "chot_parts_incomplete",
        "Codes given up before all their parts were seen.",
        lambda seen: seen.parts.incomplete,
    ),
    (
        "chot_parts_refused",
        "Parts that contradict each other or themselves.",
        lambda seen: seen.parts.refused,
    ),
)


class DecodingMetrics:
    """Counters of cameras, by source; read at each scrape.

    :param cameras: by source, callables that return at once from any thread.
    """

    def __init__(self, cameras: Counts) -> None:
        self._cameras = cameras

    def collect(self) -> Iterable[Metric]:
        """Yield all counters as they are now."""
        seen = {name: statistics() for name, statistics in self._cameras.items()}
        known = {name: each for name, each in seen.items() if each is not None}
        for name, documentation, count in _COUNTERS:
            family = CounterMetricFamily(name, documentation, labels=["source"])
            for source, statistics in known.items():
                family.add_metric([source], count(statistics))
            yield family
        rungs = CounterMetricFamily(
            "chot_rung_reads",
            "Codes and parts of codes read, by the decoder's rung.",
            labels=["source", "rung"],
        )
        for source, statistics in known.items():
            for rung, reads in sorted(statistics.by_rung.items()):
                rungs.add_metric([source, rung], reads)
        yield rungs
