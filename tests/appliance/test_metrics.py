"""What Prometheus reads: conventional names, the agreed buckets, bounded labels, nobody's data."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client import generate_latest

from admission.credential import UNRECOGNISED
from admission.instant import ClockTrust
from admission.verdict import Card, Outcome, Reason, Verdict
from appliance.metrics import BUCKETS, Metrics, Sources, Stage
from appliance.observation import Happening, Scan
from scanner.camera.slow_lane import SlowLaneStatistics
from scanner.camera.source import CameraStatistics
from scanner.parts import PartsStatistics
from tests.worlds import ROOT, a_reading

SECRET = "000123456789||NGUYEN VAN AN"

SEEN = CameraStatistics(
    up=True,
    hung=False,
    exhausted=False,
    frames=100,
    dropped=1,
    skipped=60,
    looks=39,
    bad_frames=0,
    readings=5,
    reopens=0,
    last_error="",
    by_rung={"half": 4, "roi": 1},
    slow_lane=SlowLaneStatistics(jobs=9, reads=3, timeouts=2),
    parts=PartsStatistics(completed=1, incomplete=4, refused=6),
    faults=8,
)


def a_scan(*, journaled: int | None = 1, light_ns: int | None = 40_000_000) -> Scan:
    verdict = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS, Reason.FAULT), Card.GREEN)
    return Scan(
        lane="gate-1",
        reading=a_reading(SECRET),
        credential=UNRECOGNISED,
        judged=verdict,
        sequence=journaled,
        shown=verdict,
        lit=light_ns is not None,
        stamps_ns=(32_100_000, 33_000_000, 37_000_000, 40_000_000),
    )


@pytest.fixture
def metrics() -> Metrics:
    sources = Sources(
        inbox_overflowed={"gate-1": lambda: 2},
        frames_dropped={"camera-1": lambda: 7, "camera-2": lambda: None},
        device_up={"camera-1": lambda: True, "board": lambda: False},
        journal_pending=lambda: 12,
        upload_attempts=lambda: 9,
        upload_failures=lambda: 2,
        sync_last_success_s=lambda: 1_631_318_400.0,
        replica_sequence=lambda: 41,
        frames_bad={"camera-1": lambda: 3},
        cameras={"camera-1": lambda: SEEN, "camera-2": lambda: None},
        link_rejected={"gate-1": lambda: 5},
        replica_unreadable=lambda: 6,
        replica_damaged_pages=lambda: 1,
        clock_trust=lambda: ClockTrust.RTC,
    )
    return Metrics("0.1.0", lanes=["gate-1"], sources=sources)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_scan_is_counted_once_however_many_reasons(metrics: Metrics) -> None:
    metrics.scanned(a_scan())
    labels = {"lane": "gate-1", "verdict": "admit"}
    assert value(metrics, "chot_verdicts_total", **labels, reason="card_opens") == 1
    assert value(metrics, "chot_verdicts_total", **labels, reason="fault") is None
    assert value(metrics, "chot_journal_entries_total", lane="gate-1") == 1
    for stage, seconds in (("decide", 0.0009), ("journal", 0.004), ("actuate", 0.003)):
        total = value(metrics, "chot_stage_seconds_sum", stage=stage)
        assert total == pytest.approx(seconds)
    light = {"lane": "gate-1"}
    assert value(metrics, "chot_reading_to_light_seconds_bucket", **light, le="0.025") == 0
    assert value(metrics, "chot_reading_to_light_seconds_bucket", **light, le="0.05") == 1


def test_a_failed_step_is_not_timed_as_if_it_had_succeeded(metrics: Metrics) -> None:
    metrics.scanned(a_scan(journaled=None, light_ns=None))
    metrics.failed("gate-1", "journal", ValueError(SECRET))
    assert value(metrics, "chot_journal_entries_total", lane="gate-1") == 0
    assert value(metrics, "chot_reading_to_light_seconds_count", lane="gate-1") == 0
    labels = {"lane": "gate-1", "verdict": "admit", "reason": "card_opens"}
    assert value(metrics, "chot_verdicts_total", **labels) is None  # no entry, no verdict
    assert value(metrics, "chot_step_failures_total", lane="gate-1", step="journal") == 1


def test_the_other_events(metrics: Metrics) -> None:
    metrics.reading("gate-1", "camera-1")
    metrics.repeated("gate-1")
    metrics.turned_away("gate-1")
    metrics.board_input("gate-1", "tamper")
    assert value(metrics, "chot_board_inputs_total", lane="gate-1", input="tamper") == 1
    metrics.happened(Happening("gate-1", "lost", count=3))
    assert value(metrics, "chot_gate_events_total", lane="gate-1", kind="lost") == 3
    assert value(metrics, "chot_gate_events_total", lane="gate-1", kind="forced") == 0
    metrics.stage(Stage.READ, 0.02)
    assert value(metrics, "chot_readings_total", lane="gate-1", source="camera-1") == 1
    assert value(metrics, "chot_repeats_total", lane="gate-1") == 1
    assert value(metrics, "chot_turned_away_total", lane="gate-1") == 1
    assert value(metrics, "chot_stage_seconds_count", stage="read") == 1
    assert value(metrics, "chot_uploads_total") == 9
    assert value(metrics, "chot_upload_failures") == 2


def test_pulled_values_are_read_at_each_scrape(metrics: Metrics) -> None:
    assert value(metrics, "chot_inbox_overflow_total", lane="gate-1") == 2
    assert value(metrics, "chot_frames_bad_total", source="camera-1") == 3
    assert value(metrics, "chot_link_rejected_frames_total", lane="gate-1") == 5
    assert value(metrics, "chot_replica_unreadable_lookups_total") == 6
    assert value(metrics, "chot_replica_damaged_pages") == 1
    assert value(metrics, "chot_frames_dropped_total", source="camera-1") == 7
    assert value(metrics, "chot_frames_dropped_total", source="camera-2") is None
    assert value(metrics, "chot_device_up", device="camera-1") == 1
    assert value(metrics, "chot_device_up", device="board") == 0
    assert value(metrics, "chot_journal_pending") == 12
    assert value(metrics, "chot_sync_last_success_timestamp_seconds") == 1_631_318_400
    assert value(metrics, "chot_replica_sequence") == 41
    assert value(metrics, "chot_clock_trust", state="rtc") == 1
    assert value(metrics, "chot_clock_trust", state="synchronised") == 0
    assert value(metrics, "chot_build_info", version="0.1.0") == 1


def test_unknown_is_left_out_rather_than_zero() -> None:
    metrics = Metrics("0.1.0", sources=Sources())
    assert value(metrics, "chot_journal_pending") is None
    assert value(metrics, "chot_sync_last_success_timestamp_seconds") is None


def test_the_agreed_buckets(metrics: Metrics) -> None:
    assert BUCKETS == (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
    for bound in BUCKETS:
        name = "chot_reading_to_light_seconds_bucket"
        assert value(metrics, name, lane="gate-1", le=str(bound)) == 0


def test_nobody_is_named(metrics: Metrics) -> None:
    metrics.scanned(a_scan())
    metrics.failed("gate-1", "decide", ValueError(SECRET))
    text = generate_latest(metrics.registry).decode()
    assert "0791" not in text
    assert " AN" not in text


def test_prometheus_finds_nothing_to_mend(metrics: Metrics) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    metrics.scanned(a_scan())
    text = generate_latest(metrics.registry)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_what_became_of_a_cameras_frames_is_counted_by_source(metrics: Metrics) -> None:
    wanted = {
        "chot_frames_skipped_total": 60,
        "chot_looks_total": 39,
        "chot_slow_lane_jobs_total": 9,
        "chot_slow_lane_reads_total": 3,
        "chot_slow_lane_timeouts_total": 2,
        "chot_decoder_faults_total": 8,
        "chot_parts_completed_total": 1,
        "chot_parts_incomplete_total": 4,
        "chot_parts_refused_total": 6,
    }
    assert {name: value(metrics, name, source="camera-1") for name in wanted} == wanted
    assert value(metrics, "chot_rung_reads_total", source="camera-1", rung="half") == 4
    assert value(metrics, "chot_looks_total", source="camera-2") is None


def test_every_metric_is_in_the_technicians_list(metrics: Metrics) -> None:
    listed = (ROOT / "docs" / "monitoring.md").read_text()
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"`{name}`" in listed, name
