"""The lane's alarm light: it waits for people in front, and no stuck contact can drown them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

WAIT_S = 5.0
"""How long an alarm waits for its turn. Desk, journal and metrics have been told by then."""
REPEAT_S = 5.0
"""The least time between two: what rings meanwhile is told by the one after."""


class Alarm:
    """Rings at most once in `repeat_s`. For one event loop."""

    def __init__(self, *, wait_s: float = WAIT_S, repeat_s: float = REPEAT_S) -> None:
        self.missed = 0
        """How often nobody saw the light: people were served all the time, or the board failed."""
        self._wait_s = wait_s
        self._repeat_s = repeat_s
        self._due = asyncio.Event()

    def ring(self) -> None:
        """Let the light be shown as soon as it may. Returns at once."""
        self._due.set()

    async def run(self, show: Callable[[], Awaitable[bool]]) -> None:
        """Show it whenever it rings. Ends by cancellation only.

        :param show: returns once the light was shown, or False if it could not be.
        """
        while True:
            await self._due.wait()
            shown = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s):
                    shown = await show()
            self.missed += not shown
            self._due.clear()
            await asyncio.sleep(self._repeat_s)
