"""Ending with the process that started us, which holds the other end of standard input."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading

_STANDARD_INPUT = 0


def stop_at_end_of_input(stop: asyncio.Event, *, descriptor: int = _STANDARD_INPUT) -> None:
    """Set `stop` once the descriptor reaches its end. Call it in the loop that waits for the event.

    A daemon thread reads, because a loop can't watch every kind of descriptor (a file, /dev/null).
    """
    loop = asyncio.get_running_loop()

    def drain() -> None:
        with contextlib.suppress(OSError):  # a closed descriptor is an end as well
            while os.read(descriptor, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop ended first
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=drain, name="parent", daemon=True).start()
