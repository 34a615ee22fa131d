"""Threads reach the loop through one bounded queue: order kept, overflow counted, no blocking."""

from __future__ import annotations

import asyncio
import threading

from appliance.inbox import Inbox
from tests.worlds import a_reading


async def text_of(inbox: Inbox) -> str:
    reading = await asyncio.wait_for(inbox.next(), 5)
    assert reading is not None
    return reading.text


async def test_readings_from_threads_arrive_in_their_order() -> None:
    inbox = Inbox(asyncio.get_running_loop(), capacity=2_000)

    def offer(name: str) -> None:
        for i in range(500):
            assert inbox.offer(a_reading(f"{name}-{i}"))

    threads = [threading.Thread(target=offer, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    seen = [await text_of(inbox) for _ in range(1_000)]
    for thread in threads:
        thread.join()
    for name in "ab":
        assert [t for t in seen if t.startswith(name)] == [f"{name}-{i}" for i in range(500)]


async def test_overflow_turns_the_newest_away_and_counts_it() -> None:
    inbox = Inbox(asyncio.get_running_loop(), capacity=3)
    taken = [inbox.offer(a_reading(str(i))) for i in range(5)]
    assert taken == [True, True, True, False, False]
    assert inbox.statistics().overflowed == 2
    assert inbox.statistics().waiting == 3
    assert [await text_of(inbox) for _ in range(3)] == ["0", "1", "2"]
    assert inbox.offer(a_reading("5"))


async def test_a_waiting_taker_is_woken() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    taker = asyncio.create_task(text_of(inbox))
    await asyncio.sleep(0)
    inbox.offer(a_reading("late"))
    assert await taker == "late"


async def test_closed_turns_all_away_even_after_the_loop_has_ended() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    inbox.close()
    assert not inbox.offer(a_reading("x"))
    assert inbox.statistics().overflowed == 1


async def test_what_waits_when_it_closes_is_still_served() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    inbox.offer(a_reading("last"))
    inbox.close()
    assert await text_of(inbox) == "last"
    assert await inbox.next() is None


async def test_closing_wakes_a_waiting_taker() -> None:
    inbox = Inbox(asyncio.get_running_loop())
    taker = asyncio.create_task(inbox.next())
    await asyncio.sleep(0)
    inbox.close()
    assert await asyncio.wait_for(taker, 5) is None
