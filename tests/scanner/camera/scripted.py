"""A camera that does what a script says, for tests of what runs cameras."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from scanner.camera.port import Frame
from scanner.errors import CameraExhaustedError, CameraLostError

Step = Frame | BaseException


class ScriptedCamera:
    """Plays one list of steps per opening: frames are returned, errors raised.

    An opening whose first step is in `refuse` fails in `open`. After the last opening's steps the
    camera is exhausted, or with `hold=True` blocks in `read` until `release` is set, as a stuck
    driver does.
    """

    def __init__(self, *openings: Iterable[Step] | BaseException, hold: bool = False) -> None:
        self._openings = list(openings)
        self._steps: list[Step] | None = None
        self._hold = hold
        self.release = threading.Event()
        self.held = threading.Event()
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        self.opened += 1
        opening = self._openings.pop(0) if self._openings else []
        if isinstance(opening, BaseException):
            raise opening
        self._steps = list(opening)

    def read(self) -> Frame:
        if self._steps is None:
            raise CameraLostError("not open")
        if not self._steps:
            if self._hold and not self._openings:
                self.held.set()
                assert self.release.wait(30), "nobody released the camera"
            raise CameraExhaustedError("the script is over")
        step = self._steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1
        self._steps = None


class StreamedCamera:
    """Plays steps one by one as they are read: a stream may have no end."""

    def __init__(self, steps: Iterator[Step]) -> None:
        self._steps = steps
        self.closed = 0

    def open(self) -> None: ...

    def read(self) -> Frame:
        step = next(self._steps, None)
        if step is None:
            raise CameraExhaustedError("the script is over")
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1
