"""From frames to readings: what is told of each look, and what a reading carries."""

from __future__ import annotations

import numpy as np
import pytest

from scanner.camera.attention import AttentionPolicy
from scanner.camera.look import Look
from scanner.camera.port import Frame
from scanner.camera.reader import FrameReader
from scanner.camera.source import CameraSource
from tests.scanner.camera.pictures import canvas, gray_frame, mjpeg_frame, scene
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
