"""How one thread sleeps until enough has gathered: a lock in the place of a condition variable."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Wake:
    """Lets one thread sleep until a count is reached; costs others nothing where it does not.

    :param lock: guards what is counted; `reached` and `now` are called with it held.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._gate = threading.Lock()
        self._gate.acquire()
        self._wanted = 0  # the count for which the thread sleeps; 0 = it does not sleep

    def reached(self, count: int) -> None:
        """Wake the thread if it sleeps for no more than `count`."""
        if 0 < self._wanted <= count:
            self.now()

    def now(self) -> None:
        """Wake the thread if it sleeps."""
        if self._wanted:
            self._wanted = 0
            self._gate.release()

    def wait(self, count: Callable[[], int], wanted: int, timeout_s: float) -> None:
        """Sleep until `count` has reached `wanted`, or somebody wakes the thread, or time is up."""
        with self._lock:
            if count() >= wanted:
                return
            self._wanted = wanted
        woken = self._gate.acquire(timeout=timeout_s)
        with self._lock:
            if not woken and not self._wanted:  # woken at the very moment in which time was up
                self._gate.acquire()
            self._wanted = 0
