"""Dropping entries after their time: days as a whole, and never by a clock that is off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from admission.ports import Clock
from hub.access import log
from hub.days import day_of
from hub.errors import HubError
from hub.metrics import HubMetrics
from hub.store.entries import Day, EntryStore

INTERVAL_S = 600.0


class Retention:
    """Drops the days that are older than is kept, at an interval.

    :param keep_days: says how many days before today are kept; asked each time.
    :param clock_problem: says why the hub's clock is not believed, empty if it is: what is dropped
        never comes back.
    """

    def __init__(
        self,
        store: EntryStore,
        clock: Clock,
        metrics: HubMetrics,
        *,
        keep_days: Callable[[], int],
        clock_problem: Callable[[], str] = str,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._keep_days = keep_days
        self._clock_problem = clock_problem
        self._interval_s = interval_s
        self.problem = ""
        """What went wrong the last time, empty if nothing did."""

    async def once(self) -> Sequence[Day]:
        """Drop what is due; return the days that went.

        :raises HubError: if that failed; what went is gone, the rest goes another time.
        """
        if self._clock_problem():
            return []
        try:
            oldest = first_kept(day_of(self._clock.now().wall_ns), self._keep_days())
            dropped = await self._store.drop_days(oldest)
        except HubError as error:
            self.problem = f"entries past their time are not dropped: {error}"
            raise
        self.problem = ""
        if dropped:
            entries = sum(day.entries for day in dropped)
            self._metrics.entries_dropped(entries)
            log.info({"event": "retention", "days": len(dropped), "entries": entries})
        return dropped

    async def run(self) -> None:
        """Drop at every interval until cancelled."""
        while True:
            try:
                await self.once()
            except HubError as error:
                log.error({"event": "retention", "error": str(error), "hint": error.hint})
            await asyncio.sleep(self._interval_s)


def first_kept(today: int, keep_days: int) -> int:
    """Return the oldest day that is kept: today, and so many whole days before it."""
    return today - keep_days
