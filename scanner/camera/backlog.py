"""All frames of a camera, for whoever may not lose one: captured on a thread, kept in memory.

Reading at a gate wants the newest frame only (`mailbox`); a recording wants them all, and what is
done to each takes longer than the camera waits.
"""

from __future__ import annotations

import threading
from collections import deque

from scanner.camera.port import Camera, Frame
from scanner.errors import CameraExhaustedError


class Backlog:
    """A queue of frames with a bound in bytes. A frame that has no room is dropped and counted."""

    def __init__(self, max_bytes: int) -> None:
        self._ready = threading.Condition()
        self._frames: deque[Frame] = deque()
        self._room_bytes = max_bytes
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many frames wait."""
        return len(self._frames)

    def put(self, frame: Frame) -> None:
        """Add a frame, unless the queue is full or closed."""
        with self._ready:
            size = _size_bytes(frame)
            if self._closed:
                return
            if size > self._room_bytes:
                self.dropped += 1
                return
            self._room_bytes -= size
            self._frames.append(frame)
            self._ready.notify()

    def take(self, timeout_s: float) -> Frame | None:
        """Return the oldest frame; None if there is none within `timeout_s`, or none will come."""
        with self._ready:
            self._ready.wait_for(lambda: bool(self._frames) or self._closed, timeout_s)
            if not self._frames:
                return None
            frame = self._frames.popleft()
            self._room_bytes += _size_bytes(frame)
            return frame

    def close(self) -> None:
        """Take nothing more. What waits can still be taken."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    @property
    def over(self) -> bool:
        """Whether nothing waits and nothing will come."""
        with self._ready:
            return self._closed and not self._frames


class Pump:
    """Moves an open camera's frames into a backlog, on a thread of its own, until told to stop.

    The camera is closed at the end, and the backlog too.
    """

    def __init__(self, camera: Camera, backlog: Backlog) -> None:
        self._camera = camera
        self._backlog = backlog
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recording-capture", daemon=True)
        self.failure: BaseException | None = None
        """What ended the capture, unless it was told to stop or the camera's frames were over."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End the capture; return whether the thread ended within `timeout_s`.

        One that did not is stuck in a driver; it is a daemon and ends with the process.
        """
        self._stopping.set()
        self._backlog.close()
        if self._thread.ident is None:
            self._camera.close()
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def _run(self) -> None:
        try:
            while not self.stopped:
                self._backlog.put(self._camera.read())
        except CameraExhaustedError:
            pass
        except BaseException as error:  # noqa: BLE001 - a thread's edge: its death is reported
            self.failure = error
        finally:
            self._camera.close()
            self._backlog.close()


def _size_bytes(frame: Frame) -> int:
    return len(frame.data) if isinstance(frame.data, bytes) else frame.data.nbytes
