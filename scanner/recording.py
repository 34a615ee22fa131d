"""Recordings: frames in a folder with their stamps, for whoever looks into a fault.

A recording is a folder of frame files and `stamps.csv` (see `stamps`). Frame files hold the bytes
of `Frame.data` unchanged.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from scanner.camera.port import Encoding, Frame
from scanner.errors import RecordingError
from scanner.stamps import ALL_CLEAR, STAMPS_FILE, Stamp, header, line

MAX_FRAME_BYTES = 64 << 20
_SUFFIX = {Encoding.MJPEG: ".jpg", Encoding.PICTURE: ".picture"}
_FREE_ASKED_EVERY = 16
"""Frames between two looks at the medium."""


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Recorder:
    """Writes frames into a new folder until a bound is reached, as a context manager.

    The folder and its files are for the owner's eyes only: they show faces, unless somebody
    blurred them (`privacy`). Writing blocks, so it belongs on a thread of its own, never on the
    loop. The recording is whole after each frame, however its writing ends.

    :param min_free_bytes: what the medium keeps for others.
    :param free_bytes: returns what is free on the medium that holds a folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_frames: int = 9_000,
        max_bytes: int = 2_000_000_000,
        min_free_bytes: int = 200_000_000,
        free_bytes: Callable[[Path], int] = _free_bytes,
    ) -> None:
        self._folder = folder
        self._max_frames = max_frames
        self._room_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._free_bytes = free_bytes
        self.frames = 0
        """Frames written so far..."""
        self.bytes = 0
        """...and their bytes."""
        self.full = ""
        """Which bound was reached, for people to read; empty before."""

    def __enter__(self) -> Self:
        """Begin the recording.

        :raises RecordingError: the folder exists, the one above it does not (a typing error makes
            no folders), or it cannot be made, or its medium is full.
        """
        try:
            self._folder.mkdir(mode=0o700)
        except FileExistsError as error:
            msg = f"{self._folder} is there already"
            raise RecordingError(msg, hint="name a new folder") from error
        except FileNotFoundError as error:
            msg = f"{self._folder.parent} is not there"
            raise RecordingError(msg, hint="check the path, or make that folder first") from error
        except OSError as error:
            raise self._failed(error) from error
        try:
            self._stamps = self._private(STAMPS_FILE)
            self._stamps.write(header())
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

    def add(self, frame: Frame, clear: str = ALL_CLEAR) -> bool:
        """Write one frame; return False, and write nothing, once the recording is full.

        :param clear: what of it was not blurred, as `Stamp.clear` has it.
        :raises RecordingError: the medium is full or fails.
        """
        data = frame.data if isinstance(frame.data, bytes) else frame.data.tobytes()
        try:
            self.full = self.full or self._reached(len(data))
            if self.full:
                return False
            name = f"{self.frames:06d}{_SUFFIX.get(frame.encoding, '.' + frame.encoding.value)}"
            with self._private(name) as file:
                _write_whole(file, data)
            row = line(
                Stamp(
                    name,
                    frame.captured_ns,
                    frame.sequence,
                    frame.encoding,
                    frame.width_px,
                    frame.height_px,
                    clear,
                )
            )
            _write_whole(self._stamps, row)
        except OSError as error:
            raise self._failed(error) from error
        self.frames += 1
        self.bytes += len(data)
        self._room_bytes -= len(data)
        return True

    def _reached(self, size_bytes: int) -> str:
        if self.frames >= self._max_frames:
            return f"{self._max_frames} frames"
        if size_bytes > min(self._room_bytes, MAX_FRAME_BYTES):
            return f"{(self.bytes + self._room_bytes) // 1_000_000} MB"
        if (
            self.frames % _FREE_ASKED_EVERY == 0
            and self._free_bytes(self._folder) - size_bytes < self._min_free_bytes
        ):
            return f"the medium has no more than {self._min_free_bytes // 1_000_000} MB left"
        return ""

    def _private(self, name: str) -> FileIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return FileIO(os.open(self._folder / name, flags, 0o600), "wb")

    def _failed(self, error: OSError) -> RecordingError:
        msg = f"the recording {self._folder} cannot be written: {error.strerror}"
        return RecordingError(msg, hint="name a new folder on a medium with room")


def _write_whole(file: FileIO, data: bytes) -> None:
    """Write all or nothing: half a row would make the whole recording unreadable."""
    end = file.tell()
    if file.write(data) != len(data):
        file.truncate(end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
