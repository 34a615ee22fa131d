"""Who hears of a board: of its events, and of whether it lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware_bridge.link.messages import BoardEvent

EventListener = Callable[[BoardEvent], "asyncio.Future[None] | None"]
"""Called with each event. The board keeps it until the future that is returned is done, however it
ended; with None in its place, it is confirmed at once."""
AliveListener = Callable[[bool], None]
