"""The kernel's calls: what is written and understood, and what is said when a call is refused."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.camera import control_device
from scanner.camera.control_device import ControlDevice
from scanner.camera.controls import Control, ControlRange
from scanner.errors import CameraError, CameraLostError
from tests.scanner.camera import kernel
from tests.scanner.camera.kernel import WEBCAM, FakeKernel

DEVICE = Path("/dev/null")


def test_the_request_codes_are_those_of_the_kernel() -> None:
    ours = [getattr(control_device, f"VIDIOC_{name}") for name in ("QUERYCAP", "G_CTRL", "S_CTRL")]
    assert ours == [kernel.QUERYCAP, kernel.G_CTRL, kernel.S_CTRL]
    assert control_device.VIDIOC_QUERYCTRL == kernel.QUERYCTRL
    assert control_device.VIDIOC_QUERYMENU == kernel.QUERYMENU


def test_a_cameras_controls_are_understood() -> None:
    with FakeKernel().open(DEVICE) as device:
        assert device.ranges() == WEBCAM
        assert device.nameplate() == control_device.Nameplate(
            "HD Webcam: HD Webcam", "uvcvideo", captures=True
        )


def test_a_metadata_device_gives_no_pictures() -> None:
    with FakeKernel(captures=False).open(DEVICE) as device:
        assert not device.nameplate().captures


@pytest.mark.parametrize("flag", [0x0001, 0x0004], ids=["disabled", "read only"])
def test_a_control_that_cannot_be_set_is_none(flag: int) -> None:
    fake = FakeKernel()
    fake.flags[Control.GAIN] = flag
    with fake.open(DEVICE) as device:
        assert Control.GAIN not in device.ranges()


def test_hostile_ranges_are_bounded() -> None:
    fake = FakeKernel(
        {
            Control.GAIN: ControlRange(5, 1),
            Control.BRIGHTNESS: ControlRange(0, 10, 0),
            Control.EXPOSURE_AUTO: ControlRange(-9, 2_000_000_000, choices=frozenset({1})),
        }
    )
    with fake.open(DEVICE) as device:
        ranges = device.ranges()
    assert Control.GAIN not in ranges
    assert ranges[Control.BRIGHTNESS].step == 1
    assert ranges[Control.EXPOSURE_AUTO].choices == {1}


def test_values_are_written_in_order_and_read_back() -> None:
    fake = FakeKernel()
    with fake.open(DEVICE) as device:
        device.write([(Control.FOCUS_AUTO, 0), (Control.FOCUS_ABSOLUTE, 25)])
        assert device.value(Control.FOCUS_ABSOLUTE) == 25
        with pytest.raises(CameraError, match="zoom absolute"):
            device.value(Control.ZOOM_ABSOLUTE)
    assert fake.writes == [(Control.FOCUS_AUTO, 0), (Control.FOCUS_ABSOLUTE, 25)]


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EBUSY, "another program"),
        (errno.EACCES, "remove that key"),
        (errno.ERANGE, "chot camera controls"),
        (errno.EIO, "unplug"),
    ],
)
def test_a_refusal_names_the_control_and_what_to_do(number: int, hint: str) -> None:
    fake = FakeKernel()
    fake.failing[kernel.S_CTRL] = number
    with fake.open(DEVICE) as device, pytest.raises(CameraError, match="gain to 10") as raised:
        device.write([(Control.GAIN, 10)])
    assert hint in raised.value.hint
    assert not isinstance(raised.value, CameraLostError)


@pytest.mark.parametrize(
    ("number", "call"),
    [
        (kernel.QUERYCAP, lambda device: device.nameplate()),
        (kernel.QUERYCTRL, lambda device: device.ranges()),
        (kernel.G_CTRL, lambda device: device.value(Control.GAIN)),
        (kernel.S_CTRL, lambda device: device.write([(Control.GAIN, 10)])),
    ],
)
def test_a_camera_unplugged_meanwhile_is_lost(
    number: int, call: Callable[[ControlDevice], object]
) -> None:
    fake = FakeKernel()
    fake.failing[number] = errno.ENODEV
    with fake.open(DEVICE) as device, pytest.raises(CameraLostError):
        call(device)


def test_the_device_is_given_back() -> None:
    fake = FakeKernel()
    with fake.open(DEVICE) as device:
        device.ranges()
    (descriptor,) = fake.descriptors
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)


def test_what_is_no_video_device_is_said(tmp_path: Path) -> None:
    with (
        control_device.KernelControls(DEVICE) as device,
        pytest.raises(CameraError, match="no video device"),
    ):
        device.nameplate()
    with control_device.KernelControls(DEVICE) as device:
        assert device.ranges() == {}
    with pytest.raises(CameraLostError, match="cannot be opened"):
        control_device.KernelControls(tmp_path / "absent")
