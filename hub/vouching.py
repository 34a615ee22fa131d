"""Signing the head anew every few seconds, so that gates can tell a quiet hub from a dead one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from admission.instant import Instant
from admission.ports import Clock
from hub.errors import HubError
from hub.metrics import HubMetrics


class Vouching:
    """Calls `revouch` at an interval. A failure is retried at the next turn and shows in `problem`.

    :param revouch: signs and writes the head for a moment; runs in a thread, because it waits for
        the medium.
    """

    def __init__(
        self,
        revouch: Callable[[Instant], object],
        clock: Clock,
        metrics: HubMetrics,
        *,
        interval_s: float,
    ) -> None:
        self._revouch = revouch
        self._clock = clock
        self._metrics = metrics
        self._interval_s = interval_s
        self.problem = "the head was not vouched for yet"
        """What went wrong the last time, empty if nothing did."""

    async def once(self) -> None:
        """Vouch now.

        :raises HubError: if that failed.
        """
        now = self._clock.now()
        try:
            await asyncio.to_thread(self._revouch, now)
        except HubError as error:
            self.problem = str(error)
            self._metrics.head_failed()
            raise
        self.problem = ""
        self._metrics.head_vouched(now.wall_ns)

    async def run(self) -> None:
        """Vouch at every interval until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self.once()
            except HubError:
                # Not lost: `problem` turns the health check red and the counter rises. Uploads must
                # go on being taken while a full disk keeps the head from being written.
                continue
