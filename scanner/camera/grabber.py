"""The capture thread: drains one camera into a mailbox and brings it back when it is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Camera, Frame
from scanner.errors import CameraError, CameraExhaustedError

Delays = Callable[[], Iterator[float]]
"""Gives, for each loss, the seconds to wait before each try to open again. Never ends."""


class GrabStatistics(msgspec.Struct, frozen=True, gc=False):
    """What one capture thread has done so far."""

    up: bool = False
    """Whether the camera is open and has delivered a frame since."""
    exhausted: bool = False
    """Whether a finite source came to its end; nothing more will come."""
    frames: int = 0
    reopens: int = 0
    last_error: str = ""
    last_frame_ns: int = 0


def backoff(draw: random.Random, first_s: float = 0.25, ceiling_s: float = 10.0) -> Iterator[float]:
    """Yield delays in seconds that double up to a ceiling, each drawn from its upper half."""
    bound_s = first_s
    while True:
        yield draw.uniform(bound_s / 2, bound_s)
        bound_s = min(bound_s * 2, ceiling_s)


class Grabber:
    """Runs in a thread of its own (`run`), until told to stop or its source is exhausted.

    :param changed: called from the capture thread with each change of `up` and each new error.
    """

    def __init__(
        self,
        camera: Camera,
        mailbox: Mailbox[Frame],
        delays: Delays,
        changed: Callable[[GrabStatistics], None],
    ) -> None:
        self._camera = camera
        self._mailbox = mailbox
        self._delays = delays
        self._changed = changed
        self._stopping = threading.Event()
        self.statistics = GrabStatistics()
        """Replaced, never altered: safe to read from any thread."""

    def stop(self) -> None:
        """Ask the thread to end. It does once its current `read` or wait returns."""
        self._stopping.set()

    def run(self) -> None:
        """Grab until stopped or exhausted. Lost and missing cameras are tried again for ever.

        :raises Exception: whatever a camera raises that is not a `CameraError`: a fault of ours.
        """
        try:
            self._grab()
        finally:
            self.statistics = msgspec.structs.replace(self.statistics, up=False)
            self._camera.close()
            self._mailbox.close()

    def _grab(self) -> None:
        delays = self._delays()
        while not self._stopping.is_set():
            frames_before = self.statistics.frames
            try:
                self._camera.open()
                self._drain()
            except CameraExhaustedError:
                self._note(up=False, exhausted=True)
                return
            except CameraError as error:
                self._camera.close()
                if self.statistics.frames > frames_before:
                    delays = self._delays()  # it worked in between: be quick again
                self._note(up=False, last_error=str(error), reopens=self.statistics.reopens + 1)
                self._stopping.wait(next(delays))

    def _drain(self) -> None:
        while not self._stopping.is_set():
            frame = self._camera.read()
            was_up = self.statistics.up
            self.statistics = msgspec.structs.replace(
                self.statistics,
                up=True,
                frames=self.statistics.frames + 1,
                last_frame_ns=frame.captured_ns,
            )
            if not was_up:
                self._changed(self.statistics)
            self._mailbox.put(frame)

    def _note(self, **changes: Any) -> None:
        self.statistics = msgspec.structs.replace(self.statistics, **changes)
        self._changed(self.statistics)
