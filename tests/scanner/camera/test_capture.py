"""The V4L2 camera asks for raw frames in the right order and says what is wrong with a device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scanner.camera.capture import CaptureMode, V4L2Camera
from scanner.camera.controls import AS_IT_IS, Control, ControlSettings
from scanner.camera.luma import gray_of
from scanner.camera.port import Encoding, Renewable
from scanner.errors import CameraError, CameraLostError
from tests.scanner.camera.fake_capture import Clock, FakeCapture
from tests.scanner.camera.kernel import FakeKernel
from tests.worlds import ROOT

DEVICE = Path("/dev/null")  # a character device that everybody may open


def camera_on(
    fake: FakeCapture,
    clock: Clock | None = None,
    controls: ControlSettings = AS_IT_IS,
    kernel: FakeKernel | None = None,
) -> V4L2Camera:
    open_controls = (kernel or FakeKernel()).open
    camera = V4L2Camera(
        DEVICE,
        clock or Clock(),
        CaptureMode(),
        lambda _: fake,
        controls=controls,
        open_controls=open_controls,
    )
    camera.open()
    return camera


def test_the_format_is_set_before_the_size_and_conversion_is_off() -> None:
    fake = FakeCapture()
    camera_on(fake)
    order = [prop for prop, _ in fake.calls]
    assert order.index(cv2.CAP_PROP_FOURCC) < order.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert order.index(cv2.CAP_PROP_FRAME_WIDTH) < order.index(cv2.CAP_PROP_CONVERT_RGB)
    # Whatever comes after the rate restarts the stream, and OpenCV rounds the rate as it does.
    restarts = (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_BUFFERSIZE)
    assert all(order.index(prop) < order.index(cv2.CAP_PROP_FPS) for prop in restarts)
    assert dict(fake.calls)[cv2.CAP_PROP_CONVERT_RGB] == 0
    assert dict(fake.calls)[cv2.CAP_PROP_BUFFERSIZE] >= 3


def test_raw_jpeg_arrives_undecoded() -> None:
    frame = camera_on(FakeCapture()).read()
    assert (frame.encoding, frame.width_px, frame.height_px) == (Encoding.MJPEG, 640, 480)
    assert gray_of(frame).shape == (480, 640)


@pytest.mark.parametrize("shape", [(480, 640, 2), (1, 480 * 640 * 2), (480 * 640 * 2,)])
def test_yuyv_is_taken_flat_or_shaped(shape: tuple[int, ...]) -> None:
    fake = FakeCapture("YUYV")
    fake.frame = np.zeros(shape, np.uint8)
    assert gray_of(camera_on(fake).read()).shape == (480, 640)


def test_the_drivers_stamp_is_used_if_it_is_of_our_clock() -> None:
    fake, clock = FakeCapture(), Clock()
    camera = camera_on(fake, clock)
    fake.answers[cv2.CAP_PROP_POS_MSEC] = 49_990.0
    assert camera.read().captured_ns == 49_990_000_000
    for foreign_ms in (50_001.0, 12.0, 1.7e12):  # ahead, long ago, wall time
        fake.answers[cv2.CAP_PROP_POS_MSEC] = foreign_ms
        assert camera.read().captured_ns == clock.now_ns


def test_a_camera_that_repeats_one_frame_is_lost() -> None:
    """OpenCV may go on handing out the last frame after an unplugging."""
    fake, clock = FakeCapture(), Clock()
    camera = camera_on(fake, clock)
    fake.answers[cv2.CAP_PROP_POS_MSEC] = 49_990.0
    camera.read()
    clock.now_ns += 1_000_000_000
    camera.read()
    clock.now_ns += 1_500_000_000
    with pytest.raises(CameraLostError, match="repeats"):
        camera.read()


def test_a_driver_that_repeats_one_frame_at_full_speed_is_found_out_at_once() -> None:
    fake = FakeCapture()
    camera = camera_on(fake)
    fake.answers[cv2.CAP_PROP_POS_MSEC] = 49_990.0
    with pytest.raises(CameraLostError, match="repeats"):
        [camera.read() for _ in range(300)]


def test_stamps_never_run_backwards() -> None:
    fake, clock = FakeCapture(), Clock()
    camera = camera_on(fake, clock)
    stamps = []
    for stamp_ms in (49_900.0, 12.0, 49_950.0, 49_940.0):
        fake.answers[cv2.CAP_PROP_POS_MSEC] = stamp_ms
        stamps.append(camera.read().captured_ns)
    assert stamps == sorted(stamps)


def test_frames_without_content_are_passed_over() -> None:
    fake = FakeCapture()
    camera = camera_on(fake)
    content = fake.frame
    fake.frames = [None, np.zeros((1, 0), np.uint8), content]
    assert gray_of(camera.read()).shape == (480, 640)


def test_a_camera_that_gives_no_content_is_lost_in_a_bounded_time() -> None:
    fake, clock = FakeCapture(), Clock()
    camera = camera_on(fake, clock)
    fake.frames = [None] * 10_000
    with pytest.raises(CameraLostError, match="without content"):
        camera.read()
    assert len(fake.frames) > 9_000
    fake.frames = [None] * 10_000
    fake.takes_ns, fake.clock = 1_000_000_000, clock
    with pytest.raises(CameraLostError, match="without content"):
        camera.read()
    assert len(fake.frames) == 10_000 - 3


def test_a_driver_without_stamps_is_not_taken_for_frozen() -> None:
    clock = Clock()
    camera = camera_on(FakeCapture(), clock)
    for _ in range(3):
        clock.now_ns += 10_000_000_000
        camera.read()


@pytest.mark.parametrize("frame", [None, cv2.error("VIDIOC_DQBUF: No such device")])
def test_no_frame_or_an_error_is_a_lost_camera(frame: Any) -> None:
    fake = FakeCapture()
    camera = camera_on(fake)
    fake.frame = frame
    with pytest.raises(CameraLostError, match="no longer answers"):
        camera.read()


def test_a_driver_that_fails_while_it_is_opened_is_refused() -> None:
    def failing(_: str) -> FakeCapture:
        raise cv2.error("VIDIOC_QUERYCAP: Input/output error")

    with pytest.raises(CameraError, match="QUERYCAP") as raised:
        V4L2Camera(DEVICE, Clock(), CaptureMode(), failing).open()
    assert raised.value.hint


@pytest.mark.parametrize("failing", [{"set"}, {"get"}, {"set", "release"}])
def test_a_driver_that_fails_while_it_is_set_is_refused_and_given_back(failing: set[str]) -> None:
    fake = FakeCapture()
    fake.failing = failing
    with pytest.raises(CameraError, match="VIDIOC"):
        camera_on(fake)
    assert fake.released == 1


def test_a_stamp_that_fails_is_a_lost_camera_and_closing_never_raises() -> None:
    fake = FakeCapture()
    camera = camera_on(fake)
    fake.failing = {"get", "release"}
    with pytest.raises(CameraLostError, match="no longer answers"):
        camera.read()
    camera.close()
    assert fake.released == 1


def test_an_unknown_format_is_refused_and_the_device_given_back() -> None:
    fake = FakeCapture("H264")
    with pytest.raises(CameraError, match="H264") as raised:
        camera_on(fake)
    assert "v4l2-ctl" in raised.value.hint
    assert fake.released == 1


def test_a_busy_device_is_refused_and_given_back() -> None:
    fake = FakeCapture()
    fake.opened = False
    with pytest.raises(CameraError) as raised:
        camera_on(fake)
    assert "another program" in raised.value.hint
    assert fake.released == 1


def test_a_metadata_device_is_told_from_a_busy_one() -> None:
    fake = FakeCapture()
    fake.opened = False
    with pytest.raises(CameraError, match="no pictures") as raised:
        camera_on(fake, kernel=FakeKernel(captures=False))
    assert "metadata" in raised.value.hint


def test_controls_are_set_after_the_format_and_at_every_opening() -> None:
    fake, kernel = FakeCapture(), FakeKernel()
    kernel.happened = lambda _: order.append(len(fake.calls))
    order: list[int] = []
    camera = camera_on(fake, controls=ControlSettings(exposure_ms=5.0), kernel=kernel)
    assert kernel.writes[-1] == (Control.EXPOSURE_ABSOLUTE, 50)
    assert set(order) == {len(fake.calls)}, "not after the last setting of the stream"
    once = list(kernel.writes)
    camera.open()
    assert kernel.writes == once * 2
    renewed = camera.renewed()
    renewed.open()
    assert kernel.writes == once * 3


def test_a_setting_that_the_camera_lacks_is_refused_and_the_device_given_back() -> None:
    fake = FakeCapture()
    with pytest.raises(CameraError, match="zoom"):
        camera_on(fake, controls=ControlSettings(zoom=3))
    assert fake.released == 1


def test_paths_that_are_no_usable_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusal(path: Path) -> CameraError:
        with pytest.raises(CameraError) as raised:
            V4L2Camera(path, Clock()).open()
        return raised.value

    assert "plugged in" in refusal(tmp_path / "absent").hint
    assert "not a device" in str(refusal(tmp_path))
    monkeypatch.setattr("scanner.camera.capture.os.access", lambda *_: False)
    assert "usermod -aG video" in refusal(DEVICE).hint


def test_opening_again_gives_the_first_device_back() -> None:
    fake = FakeCapture()
    camera = camera_on(fake)
    camera.read()
    camera.open()
    assert fake.released == 1
    assert camera.read().sequence == 0


def test_a_camera_renewed_is_the_same_one_and_shares_nothing() -> None:
    fakes: list[FakeCapture] = []

    def opened(_: str) -> FakeCapture:
        fakes.append(FakeCapture())
        return fakes[-1]

    first = V4L2Camera(DEVICE, Clock(), CaptureMode(), opened)
    assert isinstance(first, Renewable)
    second = first.renewed()
    first.open()
    second.open()
    second.read()
    second.close()
    assert [fake.released for fake in fakes] == [0, 1]
    assert fakes[0].calls == fakes[1].calls


def test_a_camera_that_cannot_be_opened_fills_no_journal() -> None:
    """It is tried for ever; our own error says why, once."""
    program = (
        "import itertools, pathlib\n"
        "from scanner.camera.capture import V4L2Camera\n"
        "try: V4L2Camera(pathlib.Path('/dev/null'), itertools.count().__next__).open()\n"
        "except Exception as error: print(error)\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "/dev/null is no video device\n"
    assert done.stderr == ""
