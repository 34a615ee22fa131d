"""How many uploads may be under way: bounded over all devices, and fairly for each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.errors import TooManyUploadsError

MAX_UPLOADS_AT_ONCE = 64
"""Bodies held in memory at a time: at most this many times 2 MiB, however many gates call."""
MAX_ARRIVING_AT_ONCE = 128
"""Long bodies on their way at a time, each of at most 1 MiB: whose one is, its end only tells."""
MAX_UPLOADS_OF_A_DEVICE = 2
"""A gate sends one batch after the other; the second place is for when its first call hangs."""


class Uploads:
    """Gives out places. One device cannot take those of all the others."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MAX_UPLOADS_AT_ONCE)
        self._arriving = asyncio.Semaphore(MAX_ARRIVING_AT_ONCE)
        self._of_device: Counter[str] = Counter()

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[None]:
        """Hold a place for a long body on its way; wait for one if all are taken."""
        async with self._arriving:
            yield

    @asynccontextmanager
    async def place(self, device: str) -> AsyncIterator[None]:
        """Hold a place for the length of a context; wait for one if all devices' are taken.

        :raises TooManyUploadsError: at once, if this device holds or awaits all that it may have.
        """
        if self._of_device[device] >= MAX_UPLOADS_OF_A_DEVICE:
            raise TooManyUploadsError("this device already has uploads under way")
        self._of_device[device] += 1
        try:
            async with self._places:
                yield
        finally:
            self._of_device[device] -= 1
            if not self._of_device[device]:
                del self._of_device[device]
