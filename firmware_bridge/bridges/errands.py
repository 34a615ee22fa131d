"""Whoever waits for a board's answer, by the ticket under which its end will be reported."""

from __future__ import annotations

import asyncio

from firmware_bridge.errors import BridgeError
from firmware_bridge.link.messages import Message


class Waiting:
    """Futures by ticket. One whose caller was cancelled is forgotten."""

    def __init__(self) -> None:
        self._futures: dict[int, asyncio.Future[Message | None]] = {}

    def __len__(self) -> int:
        return len(self._futures)

    def add(self, ticket: int) -> asyncio.Future[Message | None]:
        """Return the future that ends with the ticket."""
        ended: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._futures[ticket] = ended
        ended.add_done_callback(lambda _: self._futures.pop(ticket, None))
        return ended

    def settle(self, ticket: int, error: BridgeError | None, answer: Message | None) -> None:
        """End the ticket with its answer, or with an error."""
        ended = self._futures.get(ticket)
        if ended is None or ended.done():
            return
        if error is None:
            ended.set_result(answer)
        else:
            ended.set_exception(error)
