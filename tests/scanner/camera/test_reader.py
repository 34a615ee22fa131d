"""From frames to readings: what is told of each look, and what a reading carries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from admission.reading import Symbology
from scanner.camera.attention import AttentionPolicy
from scanner.camera.ladder import ROI_RUNG
from scanner.camera.look import Look
from scanner.camera.port import Frame, Gray
from scanner.camera.reader import FrameReader
from scanner.camera.regions import Quad
from scanner.camera.sighting import Sighting
from scanner.camera.slow_lane import SlowLaneStatistics
from scanner.camera.slow_reading import Found, Job
from scanner.camera.source import CameraSource
from tests.scanner.camera.pictures import canvas, code, gray_frame, mjpeg_frame, place, scene
from tests.scanner.camera.scripted import ScriptedCamera

EAGER = AttentionPolicy(forced_look_ns=0, idle_decode_ns=0)


class Ticking:
    """A clock that goes on by a nanosecond whenever it is read."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 1
        return self.now_ns


def test_a_look_tells_what_was_seen_where_and_how() -> None:
    looks: list[Look] = []
    reader = FrameReader("door", Ticking(), attention=EAGER, looked=looks.append)
    frame = mjpeg_frame(scene("DCVN1", module_px=5), captured_ns=42)
    (reading,) = reader.read(frame, 0)
    (look,) = looks
    assert look.frame is frame
    assert look.gray.shape == (480, 640)
    assert look.read_ns > 0
    (sighting,) = look.sightings
    assert (sighting.text, sighting.payload) == ("DCVN1", b"DCVN1")
    assert (sighting.version, sighting.level) == (1, "H")
    assert sighting.module_px == pytest.approx(5, abs=0.3)
    assert sighting.part is None
    assert (reading.text, reading.payload, reading.rung) == ("DCVN1", b"DCVN1", sighting.rung)


def test_a_look_that_reads_nothing_is_told_too() -> None:
    looks: list[Look] = []
    FrameReader("door", Ticking(), looked=looks.append).read(gray_frame(canvas()), 0)
    assert [look.sightings for look in looks] == [()]


def test_frames_that_are_not_worth_a_look_are_not_told() -> None:
    looks: list[Look] = []
    policy = AttentionPolicy(hold_ns=-1)
    reader = FrameReader("door", Ticking(), attention=policy, looked=looks.append)
    for _ in range(3):
        reader.read(gray_frame(canvas()), 0)
    assert len(looks) == 1


def test_a_code_read_where_it_was_last_keeps_what_is_known_of_it() -> None:
    looks: list[Look] = []
    reader = FrameReader("door", Ticking(), attention=EAGER, looked=looks.append)
    for _ in range(2):
        reader.read(gray_frame(scene("held up")), 0)
    first, second = (look.sightings[0] for look in looks)
    assert (first.version, first.level, first.payload) == (
        second.version,
        second.level,
        second.payload,
    )
    assert np.allclose(first.quad, second.quad, atol=2)


def test_a_camera_passes_the_hook_on() -> None:
    looks: list[Look] = []
    frames: list[Frame] = [gray_frame(scene("seen"))]
    source = CameraSource(
        ScriptedCamera(frames),
        "door",
        lambda _: None,
        lambda: 0,
        draw=lambda: 0.0,
        looked=looks.append,
    )
    source.start()
    assert source.join(10)
    assert [look.sightings[0].text for look in looks] == ["seen"]


class Lane:
    """A slow lane in the test's hand."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.results: list[Found] = []

    def start(self, failed: Callable[[BaseException], None]) -> None: ...

    def offer(self, job: Job) -> None:
        self.jobs.append(job)

    def take(self) -> list[Found]:
        results, self.results = self.results, []
        return results

    def stop(self, timeout_s: float) -> bool:
        return True

    def statistics(self) -> SlowLaneStatistics:
        return SlowLaneStatistics()


def unreadable(left: int = 200) -> Gray:
    """A code that is there and that nothing reads."""
    picture = scene("unreadable", left, 120, 5)
    picture[200:260] = 128
    return picture


def read_late(text: str, captured_ns: int, left: float = 216.0) -> Found:
    quad = ((left, 136.0), (left + 84, 136.0), (left + 84, 220.0), (left, 220.0))
    return Found(captured_ns, (Sighting(text, Symbology.QR_CODE, "deep", quad, text.encode()),))


SECOND_NS = 1_000_000_000


def test_what_the_slow_lane_reads_is_delivered_with_its_frames_stamp() -> None:
    lane = Lane()
    reader = FrameReader("door", Ticking(), attention=EAGER, slow_lane=lane)
    assert reader.read(gray_frame(unreadable(), captured_ns=5), 0) == []
    assert [job.captured_ns for job in lane.jobs] == [5]
    lane.results.append(read_late("late", 5))
    (reading,) = reader.read(gray_frame(unreadable(), captured_ns=9), 1)
    assert (reading.text, reading.captured_ns, reading.rung) == ("late", 5, "deep")
    assert reader.by_rung == {"deep": 1}
    assert reader.readings == 1


def test_what_was_read_inline_meanwhile_is_not_delivered_again() -> None:
    lane = Lane()
    reader = FrameReader("door", Ticking(), attention=EAGER, slow_lane=lane)
    reader.read(gray_frame(scene("both"), captured_ns=7), 0)
    lane.results += [read_late("both", 5), read_late("both", 7), read_late("both", 8)]
    stamps = [r.captured_ns for r in reader.read(gray_frame(canvas(), captured_ns=9), 1)]
    assert stamps == [8]


def test_the_slow_lane_is_asked_about_candidates_at_once_and_blindly_now_and_then() -> None:
    lane = Lane()
    reader = FrameReader("door", Ticking(), attention=EAGER, slow_lane=lane, locate=None)
    for stamp in range(0, SECOND_NS + 1, SECOND_NS // 4):
        reader.read(gray_frame(unreadable(), captured_ns=stamp), stamp)
    assert [job.captured_ns for job in lane.jobs] == [0, SECOND_NS]
    assert not lane.jobs[0].crops
    lane.jobs.clear()
    quad = ((200.0, 120.0), (300.0, 120.0), (300.0, 220.0), (200.0, 220.0))
    reader = FrameReader(
        "door", Ticking(), attention=EAGER, slow_lane=lane, locate=lambda _: [quad]
    )
    for stamp in range(3):
        reader.read(gray_frame(unreadable(), captured_ns=stamp), stamp)
    assert [len(job.crops) for job in lane.jobs] == [1, 1, 1]


def test_nothing_is_asked_of_the_slow_lane_while_codes_are_read_or_nothing_moves() -> None:
    lane = Lane()
    reader = FrameReader("door", Ticking(), slow_lane=lane)
    reader.read(gray_frame(scene("read")), 0)
    still = FrameReader("door", Ticking(), attention=AttentionPolicy(hold_ns=-1), slow_lane=lane)
    still.read(gray_frame(canvas()), 0)
    lane.jobs.clear()
    for stamp in range(0, 2 * SECOND_NS, SECOND_NS // 30):
        still.read(gray_frame(canvas(), captured_ns=stamp), stamp)
    assert lane.jobs == []


def test_a_code_that_was_read_late_is_read_at_its_place_from_then_on() -> None:
    lane, looks = Lane(), list[Look]()
    reader = FrameReader("door", Ticking(), attention=EAGER, slow_lane=lane, looked=looks.append)
    reader.read(gray_frame(canvas(), captured_ns=1), 0)
    lane.results.append(read_late("held up", 1))
    reader.read(gray_frame(canvas(), captured_ns=2), 1)
    reader.read(gray_frame(scene("held up"), captured_ns=3), 2)
    assert looks[-1].sightings[0].rung == ROI_RUNG


def test_a_localiser_that_stumbles_is_counted_and_the_frame_is_read() -> None:
    def stumbles(gray: Gray) -> list[Quad]:
        raise IndexError

    reader = FrameReader("door", Ticking(), attention=EAGER, locate=stumbles)
    assert reader.read(gray_frame(canvas()), 0) == []
    assert reader.faults == 1
    assert "localiser" in reader.last_fault
    assert [r.text for r in reader.read(gray_frame(scene("read")), 1)] == ["read"]


def test_chunks_of_a_card_in_one_frame_are_one_reading() -> None:
    picture = place(canvas(1280, 720), code("shc:/2/2/5678"), 100, 100)
    picture = place(picture, code("shc:/1/2/1234"), 700, 100)
    reader = FrameReader("door", Ticking(), attention=EAGER)
    for stamp in range(3):
        (reading,) = reader.read(gray_frame(picture, captured_ns=stamp), stamp)
        assert (reading.text, reading.payload) == ("shc:/12345678", b"shc:/12345678")
    assert reader.parts.completed == 1


def test_chunks_of_a_card_in_successive_frames_are_one_reading() -> None:
    reader = FrameReader("door", Ticking(), attention=EAGER)
    assert reader.read(gray_frame(scene("shc:/2/2/5678"), captured_ns=0), 0) == []
    (reading,) = reader.read(gray_frame(scene("shc:/1/2/1234"), captured_ns=1), 1)
    assert (reading.text, reading.captured_ns) == ("shc:/12345678", 1)
