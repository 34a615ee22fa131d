"""A blurred recording shows no face, and is read as the frames were that it was made of."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.luma import gray_of
from scanner.camera.port import Camera, Encoding, Frame, Gray
from scanner.camera.reader import FrameReader
from scanner.errors import CameraExhaustedError
from scanner.privacy import GRAY_STEP, PrivateRecorder, blurred, ground_of, region_of
from scanner.recording import Recorder
from scanner.replay import RecordedCamera
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import varied
from scanner.stamps import read_stamps
from tests.scanner.camera.pictures import canvas, code, gray_frame, mjpeg_frame, place, scene

SIZES = st.tuples(st.integers(16, 700), st.integers(16, 700))
TEXTS = [f"000093029317|NGUYEN THI MINH KHAI|1987-01-18|0|1629793885861711{n}|<1<00" for n in "123"]


def frames_of(camera: Camera) -> Iterator[Frame]:
    camera.open()
    while True:
        try:
            yield camera.read()
        except CameraExhaustedError:
            return


def recorded(folder: Path, frames: Iterable[Frame], reach: int = 8) -> PrivateRecorder:
    with Recorder(folder) as recorder:
        private = PrivateRecorder(recorder, reach_frames=reach)
        for frame in frames:
            assert private.add(frame)
        private.finish()
    return private


def played(folder: Path) -> list[Frame]:
    return list(frames_of(RecordedCamera(folder, lambda: 0)))


def detailed(size: tuple[int, int], seed: int) -> Gray:
    """Fine strokes of full contrast everywhere: more than any face has."""
    noise = np.random.default_rng(seed).integers(0, 2, (size[1] // 2 + 1, size[0] // 2 + 1))
    return np.kron(noise * 255, np.ones((2, 2)))[: size[1], : size[0]].astype(np.uint8)


@settings(max_examples=15)
@given(SIZES, st.integers(0, 99))
def test_no_detail_is_left_of_what_is_not_a_code(size: tuple[int, int], seed: int) -> None:
    gray = detailed(size, seed)
    left = ground_of(gray)
    assert left.shape == gray.shape
    values = np.unique(cv2.resize(left, (20, 20), interpolation=cv2.INTER_AREA))
    assert np.abs(np.diff(left.astype(int), axis=1)).max(initial=0) <= GRAY_STEP
    assert len(values) <= 256
    # Two pictures that differ in every stroke and in no cell's mean end up alike.
    other = ground_of(255 - gray)
    assert np.abs(left.astype(int) + other - 255).max() <= 2 * GRAY_STEP


def test_what_is_in_a_region_stays_as_it_was_and_nothing_else_does() -> None:
    gray = place(detailed((640, 480), 1), code("kept"), 200, 120)
    side = code("kept").shape[0]
    quad = ((216, 136), (184 + side, 136), (184 + side, 104 + side), (216, 104 + side))
    out = blurred(gray, ground_of(gray), [region_of(quad)])
    inner = np.s_[136 : 104 + side, 216 : 184 + side]
    assert np.array_equal(out[inner], gray[inner])
    far = np.ones(gray.shape, bool)
    far[100 : 160 + side, 170 : 240 + side] = False
    assert np.array_equal(out[far], ground_of(gray)[far])


def test_a_blurred_recording_is_read_like_the_camera_it_came_from(tmp_path: Path) -> None:
    camera = SceneCamera(
        varied(TEXTS, random.Random(4)),
        rng=random.Random(4),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=8.0,
    )
    frames = [
        Frame(f.data, f.encoding, f.width_px, f.height_px, n * 125_000_000, n)
        for n, f in enumerate(frames_of(camera))
    ]
    private = recorded(tmp_path / "r", frames)
    copies = played(tmp_path / "r")
    assert [each.sequence for each in copies] == [each.sequence for each in frames]
    assert [each.captured_ns for each in copies] == [each.captured_ns for each in frames]
    assert {each.encoding for each in copies} == {Encoding.MJPEG}
    originals, replayed = texts_in(frames), texts_in(copies)
    assert set(originals) == set(TEXTS)
    assert list(dict.fromkeys(replayed)) == list(dict.fromkeys(originals))
    assert len(replayed) >= 0.9 * len(originals)
    assert 0 < private.with_code < len(frames)
    stamps = read_stamps(tmp_path / "r")
    assert all(stamp.blurred for stamp in stamps)
    assert sum(1 for stamp in stamps if stamp.clear) == private.with_code
    for frame, copy, stamp in zip(frames, copies, stamps, strict=True):
        if not stamp.clear:
            assert np.array_equal(gray_of(copy).shape, gray_of(frame).shape)
            assert strokes(gray_of(copy)) < 1 < strokes(gray_of(frame))


def texts_in(frames: Iterable[Frame]) -> list[str]:
    reader = FrameReader("camera", lambda: 0)
    return [reading.text for frame in frames for reading in reader.read(frame, frame.captured_ns)]


def strokes(gray: Gray) -> float:
    """The mean height of what is finer than a few pixels."""
    return float(np.abs(gray.astype(int) - cv2.GaussianBlur(gray, (0, 0), 3).astype(int)).mean())


@pytest.mark.parametrize(("gap", "kept"), [(3, True), (4, False)])
def test_a_code_that_is_lost_for_a_moment_is_kept_and_one_that_comes_or_goes_is_not(
    tmp_path: Path, gap: int, kept: bool
) -> None:
    shown, away = scene("here"), canvas()
    pictures = [away, away, shown, *[away] * gap, shown, away, away]
    recorded(tmp_path / "r", [gray_frame(p, n, n) for n, p in enumerate(pictures)], reach=3)
    clear = [bool(stamp.clear) for stamp in read_stamps(tmp_path / "r")]
    assert clear == [False, False, True, *[kept] * gap, True, False, False]


def test_two_codes_far_apart_are_not_bridged(tmp_path: Path) -> None:
    pictures = [scene("left", left_px=20), canvas(), scene("right", left_px=420)]
    recorded(tmp_path / "r", [gray_frame(p, n, n) for n, p in enumerate(pictures)])
    assert [bool(stamp.clear) for stamp in read_stamps(tmp_path / "r")] == [True, False, True]


def test_what_surrounds_codes_is_renewed_twice_a_second(tmp_path: Path) -> None:
    pictures = [canvas(level=level) for level in (10, 90, 170, 250)]
    frames = [gray_frame(p, n, n * 300_000_000) for n, p in enumerate(pictures)]
    recorded(tmp_path / "r", frames)
    levels = [int(gray_of(frame).mean()) // 16 for frame in played(tmp_path / "r")]
    assert levels == [0, 0, 10, 10]


def test_a_frame_that_is_no_picture_keeps_its_place_and_none_of_its_bytes(tmp_path: Path) -> None:
    frames = [
        mjpeg_frame(scene("a"), 0, 0),
        Frame(b"\xff\xd8 face", Encoding.MJPEG, 640, 480, 1, 1),
    ]
    private = recorded(tmp_path / "r", frames)
    assert private.damaged == 1
    whole, damaged = played(tmp_path / "r")
    assert texts_in([whole]) == ["a"]
    assert damaged.data == b""


def test_a_full_recording_takes_no_more(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r", max_frames=2) as recorder:
        private = PrivateRecorder(recorder, reach_frames=1)
        taken = [private.add(gray_frame(canvas(), n, n)) for n in range(5)]
        private.finish()
    assert taken == [True, True, True, False, False]
    assert len(played(tmp_path / "r")) == 2
