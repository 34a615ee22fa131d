"""The one way from a thread to the loop: a bounded queue of readings, overflow counted."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

import msgspec

from admission.reading import Reading


class InboxStatistics(msgspec.Struct, frozen=True):
    """Counts since the inbox was made."""

    offered: int
    overflowed: int
    waiting: int


class Inbox:
    """Readings of one lane's sources, in order of arrival. Made on the loop that empties it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, capacity: int = 64) -> None:
        self._loop = loop
        self._capacity = capacity
        self._lock = threading.Lock()
        self._waiting: deque[Reading] = deque()
        self._arrived = asyncio.Event()
        self._offered = 0
        self._overflowed = 0
        self._closed = False

    def offer(self, reading: Reading) -> bool:
        """Put a reading in from any thread, without blocking. False if it was full or closed.

        The newest is the one turned away: what waits longer is a person who waits longer, and a
        code that is still held up will be sighted again in the next frame.
        """
        with self._lock:
            self._offered += 1
            if self._closed or len(self._waiting) >= self._capacity:
                self._overflowed += 1
                return False
            self._waiting.append(reading)
            if len(self._waiting) == 1:
                self._loop.call_soon_threadsafe(self._arrived.set)
        return True

    async def next(self) -> Reading | None:
        """Return the oldest reading, waiting for one; None once it is closed and empty."""
        while True:
            with self._lock:
                if self._waiting:
                    return self._waiting.popleft()
                if self._closed:
                    return None
                self._arrived.clear()
            await self._arrived.wait()

    def close(self) -> None:
        """Turn away whatever comes from now on. Call it on the loop; what waits is still served."""
        with self._lock:
            self._closed = True
        self._arrived.set()

    def statistics(self) -> InboxStatistics:
        """Return the counts so far."""
        with self._lock:
            return InboxStatistics(self._offered, self._overflowed, len(self._waiting))
