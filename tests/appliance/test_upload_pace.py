"""A backlog takes its share and no more, and waits while a lane serves somebody."""

from __future__ import annotations

import asyncio

import pytest

from appliance.upload_pace import BUSY_NS, BUSY_SHARE, QUIET_SHARE, REST_S, YIELD_S, Pace

MS = 1_000_000


class Course:
    """A pace over a clock that sleeping and working move."""

    def __init__(self) -> None:
        self.now_ns = 1
        self.serves_until_ns = 0
        self.slept_s = 0.0
        self.pace = Pace(
            lambda: self.now_ns,
            serving=lambda: self.now_ns < self.serves_until_ns,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.now_ns += int(seconds * 1e9)

    async def work(self, milliseconds: int) -> None:
        async with self.pace.turn():
            self.now_ns += milliseconds * MS

    async def rest(self) -> float:
        before_s = self.slept_s
        await self.pace.rest()
        return self.slept_s - before_s


async def test_it_rests_until_its_share_is_kept() -> None:
    course = Course()
    await course.work(3)
    await course.work(6)
    assert 0.009 / (0.009 + await course.rest()) == pytest.approx(QUIET_SHARE)
    assert await course.rest() == 0, "work is paid for once"


async def test_a_medium_that_stalled_holds_it_up_no_longer_than_the_bound() -> None:
    course = Course()
    await course.work(60_000)
    assert await course.rest() == pytest.approx(REST_S)


async def test_pieces_of_two_uploads_at_a_time_all_count() -> None:
    course = Course()
    async with course.pace.turn():
        course.now_ns += 4 * MS
        await course.work(3)
    assert 0.01 / (0.01 + await course.rest()) == pytest.approx(QUIET_SHARE)


async def test_after_people_came_the_share_is_small_for_a_while() -> None:
    course = Course()
    course.pace.served()
    await course.work(10)
    assert 0.01 / (0.01 + await course.rest()) == pytest.approx(BUSY_SHARE)
    course.now_ns += BUSY_NS
    await course.work(10)
    assert 0.01 / (0.01 + await course.rest()) == pytest.approx(QUIET_SHARE)


async def test_it_begins_nothing_while_a_lane_serves() -> None:
    course = Course()
    course.serves_until_ns = course.now_ns + 40 * MS
    await course.work(1)
    assert 0.04 <= course.slept_s < 0.05
    assert course.pace.busy


async def test_lanes_that_never_pause_hold_it_up_no_longer_than_the_bound() -> None:
    course = Course()
    course.serves_until_ns = 1 << 60
    await course.work(1)
    assert course.slept_s == pytest.approx(YIELD_S, abs=0.01)


async def test_it_rests_no_more_once_somebody_waits_for_the_end() -> None:
    """A rest under way ends, too: a demonstration that is interrupted has less than a second."""
    forever = asyncio.Event()

    async def sleep(_: float) -> None:
        await forever.wait()

    pace = Pace(lambda: 0, sleep=sleep)
    resting = asyncio.create_task(pace.rest())
    await asyncio.sleep(0)
    pace.hurry()
    await asyncio.wait_for(resting, 5)
    await asyncio.wait_for(pace.rest(), 5)
