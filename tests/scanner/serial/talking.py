"""A running source, what it delivered, and how tests wait for both ends of the cable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from admission.backoff import Backoff
from admission.reading import Reading
from scanner.serial.profiles import PROFILES
from scanner.serial.source import SerialSource
from tests.worlds import ManualClock

BRISK = Backoff(first_s=0.002, ceiling_s=0.01)


class Talk:
    """One end of the cable: a source of a profile, and its readings."""

    def __init__(self, path: str, profile: str, **options: Any) -> None:
        self.readings: list[Reading] = []
        self.clock = ManualClock()
        self.source = SerialSource(
            path,
            "serial-1",
            self.readings.append,
            monotonic_ns=lambda: self.clock.monotonic_ns,
            draw=lambda: 0.5,
            profile=PROFILES[profile],
            backoff=BRISK,
            **options,
        )

    @property
    def texts(self) -> list[str]:
        return [reading.text for reading in self.readings]


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something has happened at either end."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - two ends of a cable share no event
            await asyncio.sleep(0)


@asynccontextmanager
async def talking(path: str, profile: str, **options: Any) -> AsyncIterator[Talk]:
    talk = Talk(path, profile, **options)
    task = asyncio.create_task(talk.source.run())
    try:
        yield talk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
