"""How fast a backlog goes up: a gate that was alone for days serves its lanes first.

Between two pieces of work the upload waits while a lane serves somebody, and rests so long that it
takes no more than its share of one core: a small one while people come, a larger one at night.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

QUIET_SHARE = 0.3
BUSY_SHARE = 0.05
BUSY_NS = 5_000_000_000
"""So long after somebody was served the lanes count as busy."""
YIELD_S = 0.25
"""The longest wait for lanes that serve without a pause."""
LOOK_S = 0.005
REST_S = 5.0
"""The longest rest: work is timed by the wall, and a card that stalled costs no core."""
_NS = 1_000_000_000


class Pace:
    """Paces the uploads of one gate.

    :param serving: whether a lane is serving somebody at this moment.
    :param sleep: `asyncio.sleep` or what a test puts in its place.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        *,
        serving: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.serving = serving
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._served_ns: int | None = None
        self._worked_ns = 0
        self._hurried = asyncio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Do a piece of work, once no lane serves, or after `YIELD_S` at the latest."""
        due_ns = self._monotonic_ns() + int(YIELD_S * _NS)
        while self.serving():
            self._served_ns = self._monotonic_ns()
            if self._served_ns >= due_ns:
                break
            await self._sleep(LOOK_S)
        begun_ns = self._monotonic_ns()
        try:
            yield
        finally:
            self._worked_ns += self._monotonic_ns() - begun_ns

    async def rest(self) -> None:
        """Rest for the pieces of work since the last rest, `REST_S` at most."""
        worked_ns, self._worked_ns = self._worked_ns, 0
        share = BUSY_SHARE if self.busy else QUIET_SHARE
        rest_s = min(REST_S, worked_ns / _NS * (1 - share) / share)
        pause = asyncio.ensure_future(self._sleep(rest_s))
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait((pause, hurried), return_when=asyncio.FIRST_COMPLETED)
            if pause.done():
                pause.result()
        finally:
            pause.cancel()
            hurried.cancel()

    def hurry(self) -> None:
        """Rest no more: the lanes are closed, and somebody waits for what is left."""
        self._hurried.set()

    @property
    def busy(self) -> bool:
        """Whether people are being served these seconds."""
        if self.serving():
            return True
        return self._served_ns is not None and (self._monotonic_ns() - self._served_ns < BUSY_NS)

    def served(self) -> None:
        """Take note that somebody was served: the journal has grown by it."""
        self._served_ns = self._monotonic_ns()
