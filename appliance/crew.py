"""The crew: one task group that owns every task's life, from signals to a bounded end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Crew:
    """Tasks that end together. Async context manager.

    They end when one fails, when somebody calls `dismiss`, or on SIGINT, SIGTERM or SIGHUP (the
    terminal is gone).

    Leaving the block waits for `dismiss` first, then cancels the tasks and re-raises what failed.
    """

    def __init__(self) -> None:
        self._dismissed = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._dismissed.set)
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self._dismissed.wait()
        except asyncio.CancelledError as cancelled:
            kind, error, trace = type(cancelled), cancelled, cancelled.__traceback__
        finally:
            for task in self._tasks:
                task.cancel()
            for number in STOP_SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)
            await self._group.__aexit__(kind, error, trace)

    def add(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Give the crew one more task and return it. `name` stands in errors and stack dumps."""
        task = self._group.create_task(work, name=name)
        self._tasks.append(task)
        return task

    def dismiss(self) -> None:
        """End the work: the block is left as soon as the tasks have been cancelled."""
        self._dismissed.set()

    async def dismissed(self) -> None:
        """Return once the crew is asked to end."""
        await self._dismissed.wait()
