"""The capture thread: drains one camera into a mailbox and brings it back when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from admission.backoff import Backoff
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Camera, Frame
from scanner.errors import CameraError, CameraExhaustedError


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
    """When the last frame was handed over, whatever stamp it bears."""


class Grabber:
    """Runs in a thread of its own (`run`), until told to stop or its source is exhausted.

    :param draw: a random number in [0, 1) for each delay of `backoff`.
    :param changed: called from the capture thread with each change of `up` and each new error.
    """

    def __init__(
        self,
        camera: Camera,
        mailbox: Mailbox[Frame],
        *,
        monotonic_ns: Callable[[], int],
        backoff: Backoff,
        draw: Callable[[], float],
        changed: Callable[[GrabStatistics], None],
    ) -> None:
        self._camera = camera
        self._mailbox = mailbox
        self._monotonic_ns = monotonic_ns
        self._backoff = backoff
        self._draw = draw
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
        failures = 0
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
                    failures = 0  # it worked in between: be quick again
                failures += 1
                self._note(up=False, last_error=str(error), reopens=self.statistics.reopens + 1)
                self._stopping.wait(self._backoff.delay_s(failures, self._draw()))

    def _drain(self) -> None:
        while not self._stopping.is_set():
            frame = self._camera.read()
            was_up = self.statistics.up
            self.statistics = msgspec.structs.replace(
                self.statistics,
                up=True,
                frames=self.statistics.frames + 1,
                last_frame_ns=self._monotonic_ns(),
            )
            if not was_up:
                self._changed(self.statistics)
            self._mailbox.put(frame)

    def _note(self, **changes: Any) -> None:
        self.statistics = msgspec.structs.replace(self.statistics, **changes)
        self._changed(self.statistics)
