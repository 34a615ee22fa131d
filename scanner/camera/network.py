"""Network cameras by RTSP, through OpenCV's FFmpeg, over TCP.

A network camera is a second best at a gate: its encoder and the network add 100 ms and more, and
its compression blurs small modules. Frames come decoded, as only a decoder can drop any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote, urlsplit

import cv2
import msgspec

from scanner.camera.capture import Capture
from scanner.camera.luma import DEFAULT_LIMITS, PictureLimits
from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraLostError


class Credentials(msgspec.Struct, frozen=True):
    """Who asks a network camera. Neither is ever shown."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"


class NetworkTimes(msgspec.Struct, frozen=True):
    """How long a network camera may take."""

    open_s: float = 5.0
    read_s: float = 2.0


OpenNetwork = Callable[[str, Sequence[int]], Capture]


def _open_ffmpeg(address: str, parameters: Sequence[int]) -> Capture:
    capture: Capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, list(parameters))
    return capture


class NetworkCamera:
    """An RTSP camera behind the `Camera` port: the newest frame that has come, in colour.

    :param address: `rtsp://HOST[:PORT]/PATH`, without user and password.
    :param monotonic_ns: the clock of `Frame.captured_ns`, which is when a frame came: a stream's
        own stamps count from a moment of the camera's.
    """

    def __init__(
        self,
        address: str,
        monotonic_ns: Callable[[], int],
        *,
        credentials: Credentials | None = None,
        times: NetworkTimes | None = None,
        limits: PictureLimits = DEFAULT_LIMITS,
        open_capture: OpenNetwork = _open_ffmpeg,
    ) -> None:
        self._address = address
        self._monotonic_ns = monotonic_ns
        self._credentials = credentials
        self._times = times or NetworkTimes()
        self._limits = limits
        self._open_capture = open_capture
        self._capture: Capture | None = None
        self._sequence = 0

    def open(self) -> None:
        """Ask the camera for its stream. See `Camera.open`."""
        self.close()
        try:
            capture = self._open_capture(
                _with(self._credentials, self._address),
                [
                    *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(self._times.open_s * 1000)),
                    *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(self._times.read_s * 1000)),
                    # Each further thread of a decoder holds back one more frame.
                    *(cv2.CAP_PROP_N_THREADS, 1),
                ],
            )
        except cv2.error:
            raise self._refused() from None  # its text may hold the address with the password
        if not capture.isOpened():
            capture.release()
            raise self._refused()
        self._capture = capture
        self._sequence = 0

    def read(self) -> Frame:
        """Return the next frame. See `Camera.read`."""
        if self._capture is None:
            msg = f"{self._address} is not open"
            raise CameraLostError(msg)
        try:
            answered, pixels = self._capture.read()
        except cv2.error:
            answered, pixels = False, None
        if not answered or pixels is None:
            msg = f"{self._address} sends no further frame"
            raise CameraLostError(msg, hint="check the camera's power and the network")
        height, width = pixels.shape[:2]
        if width * height > self._limits.max_pixels:
            msg = f"{self._address} sends {width} x {height} pixels"
            raise CameraLostError(msg, hint="choose its smaller stream")
        frame = Frame(pixels, Encoding.BGR, width, height, self._monotonic_ns(), self._sequence)
        self._sequence += 1
        return frame

    def close(self) -> None:
        """End the stream. See `Camera.close`."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def renewed(self) -> NetworkCamera:
        """Return the same camera anew. See `Renewable`."""
        return NetworkCamera(
            self._address,
            self._monotonic_ns,
            credentials=self._credentials,
            times=self._times,
            limits=self._limits,
            open_capture=self._open_capture,
        )

    def _refused(self) -> CameraError:
        msg = f"{self._address} gives no stream"
        return CameraError(
            msg,
            hint="can it be reached, is the path right, and do user and password fit?"
            " A player such as VLC tells more",
        )


def _with(credentials: Credentials | None, address: str) -> str:
    if credentials is None:
        return address
    user, password = (quote(part, safe="") for part in (credentials.user, credentials.password))
    parts = urlsplit(address)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc}").geturl()
