"""Folders of pictures, and video files, behind the camera port."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import cv2

from scanner.camera.luma import DEFAULT_LIMITS, PictureLimits
from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm", ".pnm"},
)
VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mjpeg"})


def pictures_in(folder: Path) -> list[Path]:
    """Return the picture files under `folder`, by their suffixes, in the order of their paths.

    :raises CameraError: the folder cannot be listed.
    """
    try:
        return sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()
        )
    except OSError as error:
        msg = f"{folder} cannot be listed: {error.strerror}"
        raise CameraError(msg, hint="check its permissions") from error


def read_picture(path: Path, limits: PictureLimits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes of one picture file, not decoded.

    :raises CameraError: missing, no file, no permission, or larger than the limit.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            msg = f"{path} is not a file"
            raise CameraError(msg, hint="name a picture, a folder or a video")
        if state.st_size > limits.max_bytes:
            msg = f"{path} has {state.st_size} bytes, {limits.max_bytes} allowed"
            raise CameraError(
                msg,
                hint="scale the picture down",
            )
        with path.open("rb") as file:
            return file.read(limits.max_bytes)
    except FileNotFoundError as error:
        msg = f"{path} is not there"
        raise CameraError(msg, hint="check the path") from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise CameraError(msg, hint="check its permissions") from error


class FolderCamera:
    """The pictures of a folder as frames, every one, in the order of their paths.

    :param interval_s: the time between two pictures; 0 gives them as fast as they are read.
    :param sleep: waits so many seconds.
    """

    def __init__(
        self,
        folder: Path,
        monotonic_ns: Callable[[], int],
        limits: PictureLimits = DEFAULT_LIMITS,
        *,
        interval_s: float = 0.0,
        sleep: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._monotonic_ns = monotonic_ns
        self._limits = limits
        self._interval_ns = int(interval_s * 1e9)
        self._sleep = sleep
        self._paths: list[Path] | None = None
        self._sequence = 0
        self._due_ns = 0

    def open(self) -> None:
        """List the folder and begin with its first picture. See `Camera.open`."""
        self.close()
        if not self._folder.is_dir():
            msg = f"{self._folder} is not a folder"
            raise CameraError(msg, hint="check the path")
        paths = pictures_in(self._folder)
        if not paths:
            msg = f"{self._folder} holds no pictures"
            raise CameraError(msg, hint="JPEG, PNG, BMP, WebP and PNM files are looked for")
        self._paths = paths
        self._sequence = 0
        self._due_ns = self._monotonic_ns()

    def read(self) -> Frame:
        """Return the next picture, not decoded, once it is due. See `Camera.read`.

        :raises CameraLostError: also if it cannot be read any more, or is larger than the limit;
            the next call goes on with the one after.
        """
        if self._paths is None:
            msg = f"{self._folder} is not open"
            raise CameraLostError(msg)
        if self._sequence == len(self._paths):
            msg = f"{self._folder} has no further picture"
            raise CameraExhaustedError(msg)
        path, sequence = self._paths[self._sequence], self._sequence
        self._sequence += 1
        self._await_due()
        try:
            data = read_picture(path, self._limits)
        except CameraError as error:
            raise CameraLostError(str(error), hint=error.hint) from error
        label = str(path)
        return Frame(data, Encoding.PICTURE, 0, 0, self._monotonic_ns(), sequence, label)

    def close(self) -> None:
        """Forget the pictures. See `Camera.close`."""
        self._paths = None

    def _await_due(self) -> None:
        early_ns = self._due_ns - self._monotonic_ns()
        if early_ns > 0:
            self._sleep(early_ns / 1e9)
        self._due_ns = max(self._due_ns, self._monotonic_ns()) + self._interval_ns


class VideoFileCamera:
    """A video file, frame by frame, as fast as it is read."""

    def __init__(
        self,
        path: Path,
        monotonic_ns: Callable[[], int],
        limits: PictureLimits = DEFAULT_LIMITS,
    ) -> None:
        self._path = path
        self._monotonic_ns = monotonic_ns
        self._limits = limits
        self._capture: cv2.VideoCapture | None = None
        self._sequence = 0

    def open(self) -> None:
        """Open the file at its beginning. See `Camera.open`."""
        self.close()
        if not self._path.is_file():
            msg = f"{self._path} is not there"
            raise CameraError(msg, hint="check the path")
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            capture.release()
            msg = f"{self._path} is no video that can be read"
            raise CameraError(
                msg,
                hint="check that a player shows it",
            )
        width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if width * height > self._limits.max_pixels:
            capture.release()
            msg = (
                f"{self._path} has {width:.0f} x {height:.0f} pixels,"
                f" at most {self._limits.max_pixels / 1e6:.1f} megapixels allowed"
            )
            raise CameraError(
                msg,
                hint="scale the video down",
            )
        self._capture = capture
        self._sequence = 0

    def read(self) -> Frame:
        """Return the next frame in colour, as the video's decoder gives it. See `Camera.read`."""
        if self._capture is None:
            msg = f"{self._path} is not open"
            raise CameraLostError(msg)
        try:
            answered, pixels = self._capture.read()
        except cv2.error as error:
            msg = f"{self._path} cannot be decoded further"
            raise CameraLostError(msg) from error
        if not answered:
            msg = f"{self._path} has no further frame"
            raise CameraExhaustedError(msg)
        height, width = pixels.shape[:2]
        frame = Frame(
            pixels,
            Encoding.BGR,
            width,
            height,
            self._monotonic_ns(),
            self._sequence,
            str(self._path),
        )
        self._sequence += 1
        return frame

    def close(self) -> None:
        """Close the file. See `Camera.close`."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None
