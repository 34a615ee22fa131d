"""Recordings: frames in a folder with their stamps, written by a recorder, played as a camera.

A recording is a folder of frame files and `stamps.csv`: one row per frame in order of capture,
`file,captured_ns,sequence,encoding,width_px,height_px`, and that header. Frame files hold the bytes
of `Frame.data` unchanged.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError, RecordingError

STAMPS_FILE = "stamps.csv"
MAX_RECORDED_FRAMES = 1_000_000
MAX_FRAME_BYTES = 64 << 20
_MAX_STAMPS_BYTES = 128 << 20
_SUFFIX = {Encoding.MJPEG: ".jpg", Encoding.PICTURE: ".picture"}


class Stamp(msgspec.Struct, frozen=True):
    """One row of `stamps.csv`: one frame without its pixels."""

    file: str
    captured_ns: int
    sequence: int
    encoding: Encoding
    width_px: int
    height_px: int


_COLUMNS = Stamp.__struct_fields__


class Recorder:
    """Writes frames into a new folder until a bound is reached, as a context manager.

    The folder and its files are for the owner's eyes only: they show faces. Writing blocks, so it
    belongs on the thread that captures or on one of its own, never on the loop.
    """

    def __init__(
        self, folder: Path, *, max_frames: int = 9_000, max_bytes: int = 2_000_000_000
    ) -> None:
        self._folder = folder
        self._max_frames = max_frames
        self._room_bytes = max_bytes
        self.frames = 0
        """Frames written so far."""

    def __enter__(self) -> Self:
        """Begin the recording.

        :raises RecordingError: the folder exists or cannot be made.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True)
            self._stamps = self._private(STAMPS_FILE)
            self._stamps.write(",".join(_COLUMNS).encode() + b"\n")
        except OSError as error:
            raise self._failed(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stamps.close()

    def add(self, frame: Frame) -> bool:
        """Write one frame; return False, and write nothing, once the recording is full.

        :raises RecordingError: the medium is full or fails.
        """
        data = frame.data if isinstance(frame.data, bytes) else frame.data.tobytes()
        if self.frames >= self._max_frames or len(data) > min(self._room_bytes, MAX_FRAME_BYTES):
            return False
        name = f"{self.frames:06d}{_SUFFIX.get(frame.encoding, '.' + frame.encoding.value)}"
        row = (
            f"{name},{frame.captured_ns},{frame.sequence},{frame.encoding.value},"
            f"{frame.width_px},{frame.height_px}\n"
        )
        try:
            with self._private(name) as file:
                file.write(data)
            self._stamps.write(row.encode())
            self._stamps.flush()
        except OSError as error:
            raise self._failed(error) from error
        self.frames += 1
        self._room_bytes -= len(data)
        return True

    def _private(self, name: str) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.fdopen(os.open(self._folder / name, flags, 0o600), "wb")

    def _failed(self, error: OSError) -> RecordingError:
        msg = f"the recording {self._folder} cannot be written: {error}"
        return RecordingError(msg, hint="name a new folder on a medium with room")


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
                raise FileNotFoundError("there is no such file")
            with path.open("rb") as file:
                data = file.read(MAX_FRAME_BYTES + 1)
        except OSError as error:
            msg = f"frame {stamp.file} of the recording cannot be read: {error}"
            raise CameraLostError(msg) from error
        if len(data) > MAX_FRAME_BYTES:
            msg = f"frame {stamp.file} of the recording is oversized"
            raise CameraLostError(msg)
        return data


def is_recording(folder: Path) -> bool:
    """Return whether `folder` claims to hold a recording; `RecordedCamera.open` judges it."""
    return (folder / STAMPS_FILE).is_file()


def read_stamps(folder: Path) -> list[Stamp]:
    """Return the recording's stamps, ascending; file names stay inside the folder.

    :raises CameraError: there are none, or they are malformed, out of order or too many.
    """
    path = folder / STAMPS_FILE
    try:
        if path.stat().st_size > _MAX_STAMPS_BYTES:
            raise _unusable(folder, "its stamps file is oversized")
        with path.open(newline="", encoding="utf-8") as file:
            stamps = msgspec.convert(list(_rows(csv.reader(file))), list[Stamp], strict=False)
    except (OSError, UnicodeDecodeError, csv.Error, msgspec.ValidationError, ValueError) as error:
        raise _unusable(folder, str(error)) from error
    if not 0 < len(stamps) <= MAX_RECORDED_FRAMES:
        raise _unusable(folder, f"it holds {len(stamps)} frames")
    for earlier, later in pairwise(stamps):
        if later.captured_ns < earlier.captured_ns or later.sequence <= earlier.sequence:
            raise _unusable(folder, f"{later.file} was captured before {earlier.file}")
    if any(Path(s.file).name != s.file or s.file in {"", ".", ".."} for s in stamps):
        raise _unusable(folder, "a frame lies outside the folder")
    return stamps


def _rows(reader: Iterable[list[str]]) -> Iterator[dict[str, str]]:
    rows = iter(reader)
    if tuple(next(rows, ())) != _COLUMNS:
        msg = f"its first row is not {','.join(_COLUMNS)}"
        raise ValueError(msg)
    for number, row in enumerate(rows):
        if number == MAX_RECORDED_FRAMES:
            msg = f"it holds more than {MAX_RECORDED_FRAMES} frames"
            raise ValueError(msg)
        yield dict(zip(_COLUMNS, row, strict=True))


def _unusable(folder: Path, why: str) -> CameraError:
    msg = f"{folder} holds no recording that can be played: {why}"
    return CameraError(msg, hint="name a folder that was recorded whole")
