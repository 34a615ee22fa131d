"""Protects the people in front of a gate: its alarm waits for them, and does not drown them."""

from __future__ import annotations

import asyncio

from appliance.alarm import Alarm


class Light:
    def __init__(self, *, works: bool = True) -> None:
        self.shown = 0
        self.works = works
        self.held = asyncio.Event()
        self.held.set()
        self.news = asyncio.Event()

    async def show(self) -> bool:
        self.news.set()
        await self.held.wait()
        self.shown += 1
        return self.works


async def _turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_rings_again_at_once_waits_for_the_next_time() -> None:
    light, alarm = Light(), Alarm(repeat_s=60)
    running = asyncio.create_task(alarm.run(light.show))
    for _ in range(100):
        alarm.ring()
        await _turns()
    assert light.shown == 1
    running.cancel()


async def test_it_rings_again_after_a_while() -> None:
    light, alarm = Light(), Alarm(repeat_s=0)
    running = asyncio.create_task(alarm.run(light.show))
    for expected in (1, 2):
        alarm.ring()
        await asyncio.wait_for(light.news.wait(), 5)
        light.news.clear()
        await _turns()
        assert light.shown == expected
    running.cancel()


async def test_an_alarm_that_never_gets_its_turn_is_given_up_and_counted() -> None:
    light, alarm = Light(), Alarm(wait_s=0, repeat_s=0)
    light.held.clear()
    running = asyncio.create_task(alarm.run(light.show))
    alarm.ring()
    await asyncio.wait_for(light.news.wait(), 5)
    await _turns()
    assert (light.shown, alarm.missed) == (0, 1)
    running.cancel()


async def test_a_board_that_fails_is_counted() -> None:
    light, alarm = Light(works=False), Alarm(repeat_s=60)
    running = asyncio.create_task(alarm.run(light.show))
    alarm.ring()
    await _turns()
    assert (light.shown, alarm.missed) == (1, 1)
    running.cancel()
