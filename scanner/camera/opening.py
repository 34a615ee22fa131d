"""One opening of one camera, in a thread that can be given up.

A driver may block for ever, in `open` as in `read`, and no thread can be taken out of it. So each
opening runs in a thread of its own: one that does not come back is left behind, and the camera is
opened anew by another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

from scanner.camera.port import Camera, Frame


class Call(StrEnum):
    """What the thread is waiting for."""

    OPEN = "open"
    READ = "read"
    CLOSE = "close"


class Opening:
    """Opens a camera, hands over its frames until it fails or nobody wants more, and closes it.

    :param hand_over: called in this thread with each frame; False ends the opening.
    :param failed: called in this thread with what ended it, before the camera is closed: a driver
        may take long to close what does not answer.
    :param wanted: asked before each frame.
    """

    def __init__(
        self,
        camera: Camera,
        hand_over: Callable[[Opening, Frame], bool],
        failed: Callable[[Opening, BaseException], None],
        wanted: Callable[[], bool],
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._camera = camera
        self._hand_over = hand_over
        self._failed = failed
        self._wanted = wanted
        self._monotonic_ns = monotonic_ns
        self._call = (Call.OPEN, monotonic_ns())
        self._ended = threading.Event()
        self.error: BaseException | None = None
        """What ended it, once `wait` has returned True; None if nobody wanted more."""

    def start(self) -> None:
        """Start the thread."""
        name = f"{threading.current_thread().name}-opening"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def wait(self, timeout_s: float | None) -> bool:
        """Return whether it has ended, the camera closed, at the latest after `timeout_s`."""
        return self._ended.wait(timeout_s)

    def waiting(self) -> tuple[Call, int]:
        """Return the call that the thread is in, and for how long, in nanoseconds."""
        call, since_ns = self._call
        return call, self._monotonic_ns() - since_ns

    def _run(self) -> None:
        try:
            try:
                self._drain()
            except BaseException as error:
                self.error = error
                self._failed(self, error)
                raise
            finally:
                self._begin(Call.CLOSE)
                self._camera.close()
        except BaseException as error:  # noqa: BLE001 - a thread's edge: whoever waits judges it
            self.error = error
        finally:
            self._ended.set()

    def _drain(self) -> None:
        self._begin(Call.OPEN)
        self._camera.open()
        while self._wanted():
            self._begin(Call.READ)
            if not self._hand_over(self, self._camera.read()):
                break

    def _begin(self, call: Call) -> None:
        self._call = (call, self._monotonic_ns())
