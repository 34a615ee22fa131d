"""`chot bench frames`: rendered codes are where they should be, and figures are what they say."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.appearance import Appearance, appearance
from benchmarks.cli import bench
from benchmarks.frames import SHARES
from benchmarks.frames_figures import Case, CaseTally, FramesFigures
from benchmarks.machine import this_machine
from benchmarks.scenery import KINDS, NOISE_SIGMA, Sensor, gray_of_jpeg, scenery
from benchmarks.timing import Rounds
from scanner.camera.ladder import read_texts
from scanner.camera.rungs import RUNGS, Cost, read_rung

HEIGHT, WIDTH = 720, 1280
EMPTY_TIMES = ("luma_ms", "stream_ms", "jpeg_decoding_ms", "look_ms", "zxing_default_ms")


def shown(seed: int, share: float = 0.3, kind: str = "leaves") -> Appearance:
    random = np.random.default_rng(seed)
    backdrop = scenery(kind, HEIGHT, WIDTH, random)
    return appearance(backdrop, share, "shown", Sensor(HEIGHT, WIDTH, random), random)


def texts_in(frame: bytes) -> set[str]:
    """What is read without reconstructing anything: by the rungs that are tried at once."""
    gray = gray_of_jpeg(frame)
    cheap = [rung for rung in RUNGS if rung.cost is Cost.CHEAP]
    return {sighting.text for rung in cheap for sighting in read_rung(rung, gray)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_scenery_is_a_picture_of_its_own_without_a_code(kind: str) -> None:
    one, same, other = (scenery(kind, 360, 640, np.random.default_rng(n)) for n in (1, 1, 2))
    assert one.shape == (360, 640, 3)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.std() > 10, "an even wall would flatter any decoder"
    assert read_texts(one[:, :, 0]) == []


def test_the_sensor_is_as_noisy_as_it_says() -> None:
    gray = np.full((360, 640, 3), 128, np.uint8)
    sensor = Sensor(360, 640, np.random.default_rng(1))
    one, other = (gray_of_jpeg(sensor.jpeg(gray)) for _ in range(2))
    assert not np.array_equal(one, other)
    assert NOISE_SIGMA / 2 < one.std() < NOISE_SIGMA, "JPEG takes some of it away"


@pytest.mark.parametrize("share", SHARES)
def test_the_first_whole_frame_has_the_code_and_the_one_before_does_not(share: float) -> None:
    carried = 0
    for seed in range(6):
        seen = shown(seed, share)
        assert texts_in(seen.whole[0]) == {"shown"}
        carried += bool(seen.arriving)
        if seen.arriving:
            assert texts_in(seen.arriving[0]) == set(), "a finder pattern is not in the picture yet"
    assert 0 < carried < 6, "some come at once, some are carried in"


def test_a_code_is_as_large_as_asked() -> None:
    detector = cv2.QRCodeDetector()
    found, quads = detector.detectMulti(gray_of_jpeg(shown(3, 0.3).whole[0]))
    assert found
    sides = np.linalg.norm(quads[0] - np.roll(quads[0], 1, 0), axis=1)
    assert sides.mean() == pytest.approx(0.3 * HEIGHT, rel=0.08)  # tilted: a little smaller


def test_a_held_code_is_never_the_first_frame_again() -> None:
    seen = shown(1)
    frames = [seen.whole_frame(number) for number in range(12)]
    assert frames[: len(seen.whole)] == list(seen.whole)
    assert frames[0] not in frames[1:]


def test_appearances_are_counted_by_their_frames() -> None:
    tally = CaseTally(30)
    for after in [1] * 97 + [2, 5, None]:
        tally.seen(after, by_peer=after == 2)
    tally.spent.on(lambda: None)
    tally.first_ms.append(2.0)
    case = tally.case(0.15)
    assert (case.appearances, case.read_in_first, case.read_frames_p99) == (100, 0.97, 5)
    assert (case.unread, case.first_ms, case.zxing_qr_in_first) == (1, 2.0, 0.01)
    tally.seen(None)
    tally.seen(None)
    assert tally.case(0.15).read_frames_p99 == 31, "never is later than the last frame"


def test_one_bad_round_changes_nothing() -> None:
    rounds = Rounds(3)
    for number, milliseconds in enumerate([1.0, 500.0, 1.2]):
        rounds[number].cpu_ms += [milliseconds, milliseconds]
    assert rounds.cpu_ms == 1.2
    assert rounds.wall_ms == 0


def test_the_keys_come_from_the_cases_that_they_name() -> None:
    empty = Case(0.0, 3.0, 3.0, luma_ms=0.5, zxing_default_ms=60.0)
    codes = tuple(
        Case(share, ms, ms, read_frames_p99=frames)
        for share, ms, frames in ((0.15, 5.0, 1), (0.3, 8.0, 2))
    )
    figures = FramesFigures.of(
        {"1080p": (empty, *codes), "720p": (empty, *codes)}, 1, this_machine()
    )
    assert (figures.empty_1080p_ms, figures.empty_1080p_with_jpeg_ms) == (0.5, 3.0)
    assert (figures.zxing_default_ratio, figures.fps_per_core_720p) == (120.0, 125.0)
    assert figures.first_read_frames_p99 == 1


def test_figures_as_json() -> None:
    result = CliRunner().invoke(bench, ["frames", "--quick", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    for size in ("cases_1080p", "cases_720p"):
        empty, *codes = figures[size]
        assert [case["code_share"] for case in codes] == list(SHARES)
        assert sum(case.get("unread", 0) for case in codes) == 0
        assert sum(case.get("wrong", 0) for case in codes) == 0
        assert min(empty[name] for name in EMPTY_TIMES) > 0
    assert figures["first_read_frames_p99"] >= 1
    assert figures["fps_per_core_720p"] > 0
