"""The bounds of many waits under one timer: a timer for each would cost more than the wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from cache.journal.ticket import Ticket

_CROWD = 128


class Deadlines:
    """Calls `expired` for every ticket whose receipt is not done at its deadline."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[Ticket], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._watched: list[Ticket] = []
        self._crowd = _CROWD
        self._next = inf
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, ticket: Ticket) -> None:
        """Watch over a ticket until its receipt is done."""
        self._watched.append(ticket)
        if len(self._watched) > self._crowd:  # what is done is let go while it is young
            self._watched = [ticket for ticket in self._watched if not ticket.receipt.done()]
            self._crowd = 2 * len(self._watched) + _CROWD
        if ticket.deadline < self._next:
            self._arm(ticket.deadline)

    def close(self) -> None:
        """End the timer. Nothing expires any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, deadline: float) -> None:
        self.close()
        self._next = deadline
        self._timer = self._loop.call_at(deadline, self._sweep)

    def _sweep(self) -> None:
        self._timer, self._next = None, inf
        due = self._loop.time()
        open_ones = [ticket for ticket in self._watched if not ticket.receipt.done()]
        self._watched = [ticket for ticket in open_ones if ticket.deadline > due]
        for ticket in open_ones:
            if ticket.deadline <= due:
                self._expired(ticket)
        if self._watched:
            self._arm(min(ticket.deadline for ticket in self._watched))
