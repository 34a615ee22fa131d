"""The head is signed anew at its interval, and a failure shows without ending the hub."""

from __future__ import annotations

import asyncio

import pytest

from admission.instant import Instant
from hub.errors import PublishError
from hub.metrics import HubMetrics
from hub.vouching import Vouching
from tests.worlds import ManualClock


async def test_a_failure_shows_and_the_next_success_clears_it() -> None:
    clock, metrics = ManualClock(), HubMetrics()
    answers = iter(["disk full", "", ""])
    turns: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def revouch(now: Instant) -> None:
        loop.call_soon_threadsafe(turns.put_nowait, now.wall_ns)
        if answer := next(answers, ""):
            raise PublishError(answer)

    vouching = Vouching(revouch, clock, metrics, interval_s=0.001)
    assert vouching.problem
    with pytest.raises(PublishError):
        await vouching.once()
    assert vouching.problem == "disk full"
    task = asyncio.create_task(vouching.run())
    async with asyncio.timeout(10):
        for _ in range(3):
            assert await turns.get() == clock.wall_ns
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert vouching.problem == ""
    shown = metrics.exposition().decode()
    assert "chot_hub_head_failures_total 1.0" in shown
    assert "chot_hub_head_vouched_timestamp_seconds 1.6320996e+09" in shown


async def test_a_failure_while_running_is_retried() -> None:
    failed, recovered = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def revouch(_: Instant) -> None:
        if not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise PublishError("read-only file system")
        loop.call_soon_threadsafe(recovered.set)

    vouching = Vouching(revouch, ManualClock(), HubMetrics(), interval_s=0.001)
    task = asyncio.create_task(vouching.run())
    async with asyncio.timeout(10):
        await recovered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
