"""A recording played as a camera: every frame of it, in order, by its own stamps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scanner.camera.port import Frame
from scanner.errors import CameraExhaustedError, CameraLostError
from scanner.recording import MAX_FRAME_BYTES
from scanner.stamps import Stamp, read_stamps


class RecordedCamera:
    """Plays a recording behind the Camera port, every frame of it, in order.

    Frames are stamped with their recorded intervals, counted from the opening, and handed on at
    once: whatever goes by the stamps decides the same in every run. None is skipped.
    """

    def __init__(self, folder: Path, monotonic_ns: Callable[[], int]) -> None:
        self._folder = folder
        self._monotonic_ns = monotonic_ns
        self._stamps: list[Stamp] = []
        self._next = 0
        self._opened_ns = 0
        self._is_open = False

    def open(self) -> None:
        """Read the stamps and start from the first frame.

        :raises CameraError: the folder holds no recording, or a malformed or oversized one.
        """
        self._stamps = read_stamps(self._folder)
        self._next = 0
        self._opened_ns = self._monotonic_ns()
        self._is_open = True

    def read(self) -> Frame:
        """Return the next frame.

        :raises CameraExhaustedError: the recording is over.
        :raises CameraLostError: the recording is not open, or a frame's file is missing,
            unreadable or oversized.
        """
        if not self._is_open:
            raise CameraLostError("the recording is not open")
        if self._next == len(self._stamps):
            raise CameraExhaustedError("the recording is over")
        stamp = self._stamps[self._next]
        data = self._bytes_of(stamp)
        first = self._stamps[0]
        self._next += 1
        return Frame(
            data=data,
            encoding=stamp.encoding,
            width_px=stamp.width_px,
            height_px=stamp.height_px,
            captured_ns=self._opened_ns + stamp.captured_ns - first.captured_ns,
            sequence=stamp.sequence - first.sequence,
            label=stamp.file,
        )

    def close(self) -> None:
        """Close the recording. Closing a closed one does nothing."""
        self._is_open = False

    def _bytes_of(self, stamp: Stamp) -> bytes:
        path = self._folder / stamp.file
        try:
            if not path.is_file():
                raise _unreadable(path, "is not there")
            with path.open("rb") as file:
                data = file.read(MAX_FRAME_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, f"cannot be read: {error.strerror}") from error
        if len(data) > MAX_FRAME_BYTES:
            raise _unreadable(path, "is oversized")
        return data


def _unreadable(path: Path, why: str) -> CameraLostError:
    msg = f"a frame of the recording, {path}, {why}"
    return CameraLostError(msg, hint="copy the whole folder of the recording anew")
