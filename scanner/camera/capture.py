"""USB and CSI cameras by V4L2, through OpenCV, without OpenCV's colour conversion.

Frames come as the camera wrote them (MJPEG or YUYV), so that a frame nobody looks at is never
decoded. The order of the settings matters, as read in OpenCV's cap_v4l.cpp: format, size and number
of buffers each restart the stream, which sets the rate anew to a rounded one: so the rate follows
them. Exposure and focus follow the format, past OpenCV (`control_device`).

OpenCV copies a raw frame out after it has given the buffer back to the driver, into an array of its
own for each `read`: what is handed on is never written again, and is whole as long as the driver
has other buffers to fill first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import cv2
import msgspec
from numpy.typing import NDArray

from scanner.camera.control_device import ControlDevice, KernelControls
from scanner.camera.controls import AS_IT_IS, ControlSettings, plan
from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraLostError

_ENCODINGS = {
    "MJPG": Encoding.MJPEG,
    "JPEG": Encoding.MJPEG,
    "YUYV": Encoding.YUYV,
    "GREY": Encoding.GRAY,
}
_FROZEN_AFTER_NS = 2_000_000_000
_IN_A_ROW_MAX = 240
"""So many frames without content, or with one stamp, are no accident, however quickly they come."""
_STAMP_AGE_MAX_NS = 1_000_000_000


class CaptureMode(msgspec.Struct, frozen=True):
    """What is asked of the camera. The driver may answer with the nearest that it has."""

    fourcc: str = "MJPG"
    """MJPG, YUYV or GREY."""
    width_px: int = 1280
    height_px: int = 720
    fps: int = 30
    buffers: int = 4
    """Below 3 the driver may overwrite a frame while OpenCV copies it out."""


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used here."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802 - OpenCV's name
    def set(self, propId: int, value: float) -> bool: ...  # noqa: D102, N803
    def get(self, propId: int) -> float: ...  # noqa: D102, N803
    def read(self) -> tuple[bool, Any]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


def _open_v4l2(device: str) -> Capture:
    capture: Capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    return capture


class V4L2Camera:
    """A camera of the Linux kernel behind the `Camera` port.

    :param device: `/dev/videoN`, or better its stable name under `/dev/v4l/by-id`.
    :param monotonic_ns: the clock of `Frame.captured_ns`; the driver's own stamp is used where it
        is of the same clock, as with USB cameras.
    """

    def __init__(
        self,
        device: Path,
        monotonic_ns: Callable[[], int],
        mode: CaptureMode | None = None,
        open_capture: Callable[[str], Capture] = _open_v4l2,
        *,
        controls: ControlSettings = AS_IT_IS,
        open_controls: Callable[[Path], ControlDevice] = KernelControls,
    ) -> None:
        self._device = device
        self._monotonic_ns = monotonic_ns
        self._mode = mode or CaptureMode()
        self._open_capture = open_capture
        self._controls = controls
        self._open_controls = open_controls
        self._capture: Capture | None = None
        self._encoding = Encoding.MJPEG
        self._size_px = (0, 0)
        self._sequence = 0
        self._stamp_ms = -1.0
        self._stamp_changed_ns = 0
        self._repeats = 0
        self._captured_ns = 0

    def open(self) -> None:
        """Open the device and set its mode. See `Camera.open`."""
        self.close()
        _judge_device(self._device)
        try:
            capture = self._open_capture(str(self._device))
        except cv2.error as error:
            raise self._refused(error) from error
        try:
            self._set_mode(capture)
            self._set_controls()
        except BaseException as error:
            _release(capture)
            if isinstance(error, cv2.error):
                raise self._refused(error) from error
            raise
        self._capture = capture
        self._sequence = 0
        self._stamp_ms = -1.0
        self._stamp_changed_ns = self._monotonic_ns()
        self._repeats = 0

    def read(self) -> Frame:
        """Return the next frame. See `Camera.read`."""
        if self._capture is None:
            msg = f"{self._device} is not open"
            raise CameraLostError(msg)
        began_ns = self._monotonic_ns()
        for _ in range(_IN_A_ROW_MAX):
            try:
                answered, data = self._capture.read()
                stamp_ms = self._capture.get(cv2.CAP_PROP_POS_MSEC) if answered else 0.0
            except cv2.error as error:
                what = f"no longer answers: {error}"
                raise self._lost(what) from error
            if not answered:
                raise self._lost("no longer answers")
            # A driver may complete a buffer without content, as cameras do while they start.
            if data is not None and data.size:
                frame = self._frame_of(data, self._stamp(stamp_ms))
                self._sequence += 1
                return frame
            if self._monotonic_ns() - began_ns > _FROZEN_AFTER_NS:
                break
        raise self._lost("gives frames without content")

    def close(self) -> None:
        """Give the device back. See `Camera.close`."""
        if self._capture is not None:
            _release(self._capture)
            self._capture = None

    def renewed(self) -> V4L2Camera:
        """Return the same camera anew. See `Renewable`."""
        return V4L2Camera(
            self._device,
            self._monotonic_ns,
            self._mode,
            self._open_capture,
            controls=self._controls,
            open_controls=self._open_controls,
        )

    def _lost(self, what: str) -> CameraLostError:
        msg = f"{self._device} {what}"
        return CameraLostError(msg, hint="check its cable and its power")

    def _refused(self, error: cv2.error) -> CameraError:
        msg = f"{self._device} cannot be set: {error}"
        return CameraError(msg, hint="unplug the camera and plug it in again")

    def _set_mode(self, capture: Capture) -> None:
        if not capture.isOpened():
            raise self._not_opened()
        mode = self._mode
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*mode.fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.height_px)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, mode.buffers)
        capture.set(cv2.CAP_PROP_FPS, mode.fps)
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        answered = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
        fourcc = answered.decode("ascii", "replace")
        if fourcc not in _ENCODINGS:
            msg = f"{self._device} gives frames as {fourcc!r}, which is not read here"
            raise CameraError(
                msg,
                hint="choose a mode with MJPG, YUYV or GREY (`v4l2-ctl --list-formats` shows them)",
            )
        self._encoding = _ENCODINGS[fourcc]
        self._size_px = (
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )

    def _not_opened(self) -> CameraError:
        """Return why OpenCV would not open the device, which it does not tell itself."""
        with self._open_controls(self._device) as device:
            if not device.nameplate().captures:
                msg = f"{self._device} gives no pictures"
                return CameraError(
                    msg, hint="it is the camera's metadata device: name its other /dev/video number"
                )
        msg = f"{self._device} cannot be opened for capture"
        return CameraError(msg, hint="another program may hold it: end that")

    def _set_controls(self) -> None:
        if self._controls != AS_IT_IS:
            with self._open_controls(self._device) as device:
                device.write(plan(self._controls, device.ranges()))

    def _stamp(self, stamp_ms: float) -> int:
        """Return when the frame was captured: by the driver, if its clock is ours and goes on."""
        now_ns = self._monotonic_ns()
        if stamp_ms != self._stamp_ms:
            self._stamp_ms, self._stamp_changed_ns, self._repeats = stamp_ms, now_ns, 0
        elif stamp_ms > 0:
            self._repeats += 1
            silent_ns = now_ns - self._stamp_changed_ns
            if silent_ns > _FROZEN_AFTER_NS or self._repeats >= _IN_A_ROW_MAX:
                # After an unplugging OpenCV may hand out the last frame again as if it were new.
                raise self._lost("repeats one frame")
        stamp_ns = int(stamp_ms * 1e6)
        fitting = 0 <= now_ns - stamp_ns <= _STAMP_AGE_MAX_NS
        self._captured_ns = max(self._captured_ns, stamp_ns if fitting else now_ns)
        return self._captured_ns

    def _frame_of(self, data: NDArray[Any], captured_ns: int) -> Frame:
        width, height = self._size_px
        # Some OpenCV versions hand out YUYV flat, some shaped: flat suits both, and luma checks
        # its length. A frame cut short in transit is luma's to refuse, too.
        return Frame(data.reshape(-1), self._encoding, width, height, captured_ns, self._sequence)


def _release(capture: Capture) -> None:
    # What cannot be given back any more is gone already; whoever closes has nothing to do about it.
    with suppress(cv2.error):
        capture.release()


def _judge_device(device: Path) -> None:
    try:
        mode = device.stat().st_mode
    except OSError as error:
        msg = f"{device} is not there"
        raise CameraError(
            msg,
            hint="is the camera plugged in? `ls /dev/v4l/by-id /dev/video*` shows what is",
        ) from error
    if not stat.S_ISCHR(mode):
        msg = f"{device} is not a device"
        raise CameraError(msg, hint="name a camera such as /dev/video0")
    if not os.access(device, os.R_OK | os.W_OK):
        msg = f"no permission on {device}"
        raise CameraError(
            msg,
            hint="join the group video: `sudo usermod -aG video $USER`, then log in anew",
        )
