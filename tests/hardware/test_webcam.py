"""A USB webcam in a virtual machine, pulled in mid-frame: the loss is told, and it comes back.

The kernel's own uvcvideo, udev and OpenCV's V4L2 stand between the webcam and our code. Run by
`make hardware`.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.hardware.scenario import Steps, told_by
from tests.hardware.uvc import HEIGHT_PX, WIDTH_PX
from tests.scanner.camera.hostile import without
from tests.scanner.camera.pictures import canvas, code, encoded, place, with_jpeg_size

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

LIMIT_S = 600.0
LOST_WITHIN_S = 2.0
STALL_FOUND_WITHIN_S = 4.0
"""OpenCV waits 2 s for a frame, and the emulated machine is slow."""
BACK_WITHIN_S = 30.0
TEXTS = ["first", "cycle-0", "cycle-1", "cycle-2", "after-stall", "after-crash", "announced"]
TEXTS += ["other", "beside", "goes-on", "no-tables"]
IN_ORDER = [
    ["power line", 1],
    ["exposure may lower the rate", 0],
    ["exposure mode", 1],
    ["exposure", 100],
    ["gain", 20],
    ["focus by itself", 0],
    ["focus", 30],
]
"""What the webcam is set to, as it understands it: 50 Hz, manual, 100 times 100 µs, ..."""


def picture_of(text: str) -> bytes:
    """A code on a grainy wall: some 100 KiB as JPEG, so that a frame takes several transfers."""
    grain = np.random.default_rng(1).normal(128, 12, (HEIGHT_PX, WIDTH_PX)).clip(0, 255)
    return encoded(place(grain.astype(np.uint8), code(text, 8), 400, 200))


def write_pictures(folder: Path) -> None:
    for text in TEXTS:
        (folder / f"{text}.jpg").write_bytes(picture_of(text))
    whole = picture_of("truncated")
    (folder / "no-tables.jpg").write_bytes(without(picture_of("no-tables"), 0xC4))
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "huge.jpg").write_bytes(with_jpeg_size(whole, 10_000, 10_000))
    (folder / "no-picture.jpg").write_bytes(b"\xff\xd8" + bytes(70_000))
    assert (
        cv2.imdecode(np.frombuffer(whole, np.uint8), 0).shape == canvas(WIDTH_PX, HEIGHT_PX).shape
    )


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """What the scenario told, by its steps, all of them run."""
    work = tmp_path_factory.mktemp("work")
    write_pictures(work)
    return told_by("tests.hardware.camera_scenario", work, limit_s=LIMIT_S)


def test_it_is_found_by_its_stable_name_and_read(steps: Steps) -> None:
    (first,) = steps["first plugging"]
    assert first["reads_s"] < BACK_WITHIN_S
    (view,) = steps["the kernel's view"]
    assert view["card"].startswith("Test camera")
    assert (view["captures"], view["ranges"]) == (True, 8)


def test_our_commands_see_it(steps: Steps) -> None:
    listed, controls = steps["command"]
    (line,) = listed["output"].splitlines()
    assert line.startswith("/dev/v4l/by-id/usb-Chot_Test_camera_GATE-video-index0: Test camera")
    rows = {row.split("│")[1].strip(): row for row in controls["output"].splitlines() if "│" in row}
    assert "0.1 to 500" in rows["exposure_ms"]
    assert "10" in rows["exposure_ms"].split("│")[3]
    assert "not on this camera" in rows["zoom"]


@pytest.mark.parametrize(("fourcc", "encoding"), [("YUYV", "yuyv"), ("GREY", "gray")])
def test_raw_frames_are_brightness_with_the_drivers_stamps(
    steps: Steps, fourcc: str, encoding: str
) -> None:
    (raw,) = [each for each in steps["raw"] if each["fourcc"] == fourcc]
    assert raw["encodings"] == [encoding]
    assert raw["shapes"] == [[360, 640]] * 5
    assert raw["spread"] > 20
    assert all(0 <= age < LOST_WITHIN_S for age in raw["ages_s"])
    assert raw["levels"] == {"BRIGHTNESS": 100, "GAIN": 70, "AUTOGAIN": 0}


def test_lens_and_sensor_are_set_in_order_at_every_opening(steps: Steps) -> None:
    for step in (*steps["first plugging"], *steps["pulled"]):
        assert [list(each) for each in step["was_set"]] == IN_ORDER


def test_pulled_in_mid_frame_it_is_lost_at_once_and_comes_back(steps: Steps) -> None:
    assert len(steps["pulled"]) == 3
    for cycle in steps["pulled"]:
        assert cycle["lost_s"] < LOST_WITHIN_S
        assert "by-id" in cycle["why"]
        assert cycle["back_s"] < BACK_WITHIN_S
        assert cycle["frames"] > 0


def test_a_camera_that_falls_silent_is_lost_and_read_again(steps: Steps) -> None:
    (stalled,) = steps["stalled"]
    assert stalled["lost_s"] < STALL_FOUND_WITHIN_S
    assert stalled["back_s"] < BACK_WITHIN_S


def test_hostile_frames_are_counted_and_end_nothing(steps: Steps) -> None:
    (lied,) = steps["lied to"]
    assert lied["bad_frames"] >= 3
    assert lied["reopens"] == 0
    assert lied["reads_s"] < BACK_WITHIN_S


def test_a_second_camera_comes_and_goes_beside_the_first(steps: Steps) -> None:
    (two,) = steps["two at once"]
    assert two["lost_s"] < LOST_WITHIN_S
    assert max(two["reads_s"], two["beside_s"], two["goes_on_s"]) < BACK_WITHIN_S
    assert two["stopped"]


def test_udev_announces_it_and_no_pause_is_waited_out(steps: Steps) -> None:
    (announced,) = steps["announced"]
    assert announced["appeared"] == [False, True]
    assert announced["lost_s"] < LOST_WITHIN_S
    assert announced["back_s"] < BACK_WITHIN_S


def test_a_camera_whose_firmware_crashed_comes_back_when_it_is_plugged_in_again(
    steps: Steps,
) -> None:
    (crashed,) = steps["crashed"]
    assert crashed["lost_s"] < STALL_FOUND_WITHIN_S
    assert crashed["back_s"] < BACK_WITHIN_S


def test_it_ends_when_told_to(steps: Steps) -> None:
    (end,) = steps["end"]
    assert end["stopped"]
