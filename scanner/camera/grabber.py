"""The capture threads: drain one camera into a mailbox and bring it back when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from admission.backoff import Backoff
from scanner.camera.mailbox import Mailbox
from scanner.camera.opening import Call, Opening
from scanner.camera.port import Camera, Frame, Renewable
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError

HUNG_MAX = 3
"""So many threads may hang in a camera's driver before none is added."""
_WATCH_S = 0.25
_UNPLUGGED = "the camera was unplugged"


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

    It watches over the thread of each opening. One that hangs in its driver is given up, if the
    camera is `Renewable`, and the camera is opened anew by its name: after a replugging that is
    another device, which the hung one does not hold.

    :param draw: a random number in [0, 1) for each delay of `backoff`.
    :param changed: called from a capture thread with each change of `up` and each new error.
    :param read_limit_ns: how long a camera may take for a frame, or for being closed...
    :param open_limit_ns: ...and for being opened, before it counts as hung.
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
        read_limit_ns: int = 5_000_000_000,
        open_limit_ns: int = 20_000_000_000,
    ) -> None:
        self._camera = camera
        self._mailbox = mailbox
        self._monotonic_ns = monotonic_ns
        self._backoff = backoff
        self._draw = draw
        self._changed = changed
        self._limit_ns = {
            Call.OPEN: open_limit_ns,
            Call.READ: read_limit_ns,
            Call.CLOSE: read_limit_ns,
        }
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._turn = threading.Lock()
        self._opening: Opening | None = None
        self._hung: list[Opening] = []
        self.statistics = GrabStatistics()
        """Replaced, never altered: safe to read from any thread."""

    def stop(self) -> None:
        """Ask the thread to end. It does once its current `read` or wait returns."""
        self._stopping.set()
        self._woken.set()

    def plugged(self) -> None:
        """End the pause before the next try, and begin the pauses anew: the camera was announced.

        It may not be ready yet: what follows are quick tries again. Safe from any thread.
        """
        self._woken.set()

    def unplugged(self) -> None:
        """Count the camera as lost at once, and take no frame of its present opening any more.

        Its driver may go on handing out an old frame, or say nothing for long. Safe from any
        thread; without an opening it does nothing.
        """
        with self._turn:
            if self._opening is not None:
                self._opening = None
                self.statistics = msgspec.structs.replace(
                    self.statistics, up=False, last_error=_UNPLUGGED
                )

    def run(self) -> None:
        """Grab until stopped or exhausted. Lost and missing cameras are tried again for ever.

        :raises Exception: whatever a camera raises that is not a `CameraError`: a fault of ours.
        """
        try:
            self._grab()
        finally:
            self._note(up=False)
            self._mailbox.close()
            for opening in self._hung:
                opening.wait(None)

    def _grab(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            frames_before = self.statistics.frames
            error = self._open_and_drain()
            if isinstance(error, CameraExhaustedError):
                self._tell(up=False, exhausted=True)
                return
            if not isinstance(error, CameraError):
                if error is not None:
                    raise error
                continue
            if self.statistics.frames > frames_before:
                failures = 0  # it worked in between: be quick again
            failures += 1
            self._tell(up=False, last_error=str(error), reopens=self.statistics.reopens + 1)
            if not self._stopping.is_set() and self._woken.wait(
                self._backoff.delay_s(failures, self._draw())
            ):
                failures = 0
            self._await_hung()

    def _open_and_drain(self) -> BaseException | None:
        """Return what ended one opening: an error of its own, or that it hangs."""
        opening = Opening(
            self._camera,
            self._take,
            self._lose,
            lambda: not self._stopping.is_set(),
            self._monotonic_ns,
        )
        with self._turn:
            self._opening = opening
        opening.start()
        while not opening.wait(_WATCH_S):
            call, waited_ns = opening.waiting()
            replaced = self._given_up(opening) and self._woken.is_set()
            if self._stopping.is_set() or (waited_ns <= self._limit_ns[call] and not replaced):
                continue
            if isinstance(self._camera, Renewable):
                with self._turn:
                    self._opening = None
                self._hung.append(opening)
                self._camera = self._camera.renewed()
                msg = f"the camera's driver does not return from '{call}'"
                return CameraLostError(msg, hint="unplug the camera and plug it in again")
        with self._turn:
            unplugged = self._given_up(opening)
            self._opening = None
        return CameraLostError(_UNPLUGGED) if unplugged else opening.error

    def _given_up(self, opening: Opening) -> bool:
        return opening is not self._opening

    def _await_hung(self) -> None:
        """Wait while too many threads hang, as each may hold memory and the device."""
        while not self._stopping.is_set():
            self._hung = [opening for opening in self._hung if not opening.wait(0)]
            if len(self._hung) < HUNG_MAX:
                return
            self._stopping.wait(_WATCH_S)

    def _take(self, opening: Opening, frame: Frame) -> bool:
        """Pass on a frame, unless it comes from an opening that was given up."""
        with self._turn:
            if self._given_up(opening):
                return False
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
        return True

    def _lose(self, opening: Opening, error: BaseException) -> None:
        """Tell that a camera that delivered was lost, while it is still being closed."""
        with self._turn:
            if self._given_up(opening) or not self.statistics.up:
                return
            if not isinstance(error, CameraError) or isinstance(error, CameraExhaustedError):
                return
            self.statistics = msgspec.structs.replace(
                self.statistics, up=False, last_error=str(error)
            )
        self._changed(self.statistics)

    def _tell(self, **changes: Any) -> None:
        self._note(**changes)
        self._changed(self.statistics)

    def _note(self, **changes: Any) -> None:
        with self._turn:
            self.statistics = msgspec.structs.replace(self.statistics, **changes)
