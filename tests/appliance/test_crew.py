"""A crew ends whole: nobody is left behind, and a failure is never swallowed."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from appliance.crew import Crew


async def forever(ended: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def test_dismissal_ends_every_task() -> None:
    ended: list[str] = []
    async with Crew() as crew:
        crew.add("one", forever(ended, "one"))
        crew.add("two", forever(ended, "two"))
        asyncio.get_running_loop().call_soon(crew.dismiss)
    assert sorted(ended) == ["one", "two"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_dismiss(number: signal.Signals) -> None:
    ended: list[str] = []
    async with Crew() as crew:
        crew.add("one", forever(ended, "one"))
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
    assert ended == ["one"]


async def test_one_failure_ends_all_and_is_raised() -> None:
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    with pytest.RaisesGroup(ValueError):
        async with Crew() as crew:
            crew.add("one", forever(ended, "one"))
            crew.add("two", fail())
    assert ended == ["one"]


async def test_a_failure_in_the_body_ends_the_tasks() -> None:
    ended: list[str] = []
    with pytest.RaisesGroup(KeyError):
        async with Crew() as crew:
            crew.add("one", forever(ended, "one"))
            await asyncio.sleep(0)
            raise KeyError("body")
    assert ended == ["one"]
