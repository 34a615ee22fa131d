"""Protects the daily lists: one for each day that is over, written once and for good."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.daily_heads import DailyHeads, JournalHead, open_daily_heads
from hub.daily_heads import MAX_MISSED, DailyHeadsTask
from hub.errors import HubError
from hub.metrics import HubMetrics
from tests.hub.doors import a_hub
from tests.hub.examined import ExaminedMemory, Gate
from tests.worlds import ManualClock

KEY = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
DAY_S = 86_400


class World:
    def __init__(self, replica: Path) -> None:
        self.replica = replica
        self.store = ExaminedMemory()
        self.clock = ManualClock(datetime(2021, 9, 20, 23, 59, tzinfo=UTC))
        self.gate = Gate("gate-1")
        self.problem = ""
        self.metrics = HubMetrics()
        self.task = self.restarted()

    def restarted(self) -> DailyHeadsTask:
        return DailyHeadsTask(
            self.store,
            self.replica,
            KEY,
            self.clock,
            self.metrics,
            clock_problem=lambda: self.problem,
        )

    def writes(self) -> None:
        self.gate.admits(None, len(self.gate.entries))
        self.store.take(self.gate.key, self.gate.entries)

    def once(self) -> list[str]:
        return asyncio.run(self.task.once())

    def listed(self, day: str) -> DailyHeads:
        data = (self.replica / "journals" / day).read_bytes()
        return open_daily_heads(data, [KEY.public_key()])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_day_is_listed_once_it_is_over_and_never_again(world: World) -> None:
    world.writes()
    assert world.once() == ["2021-09-19"]
    world.clock.advance(61)
    world.writes()
    assert world.once() == ["2021-09-20"]
    before = (world.replica / "journals" / "2021-09-20").read_bytes()
    world.writes()
    assert world.once() == []
    world.task = world.restarted()
    assert world.once() == []
    assert (world.replica / "journals" / "2021-09-20").read_bytes() == before
    entry = world.gate.entries[1]
    heads = world.listed("2021-09-20")
    assert heads.journals == (
        JournalHead("gate-1", world.gate.key.journal, entry.sequence, entry.chain_hash),
    )
    assert heads.made_ns == world.clock.now().wall_ns
    told = world.metrics.exposition().decode()
    assert "chot_hub_daily_list_timestamp_seconds 1.6321824e+09" in told


def test_days_that_were_missed_are_made_up_for(world: World) -> None:
    world.writes()
    world.once()
    world.clock.advance(3 * DAY_S)
    assert world.once() == ["2021-09-20", "2021-09-21", "2021-09-22"]
    world.clock.advance(400 * DAY_S)
    assert len(world.once()) == MAX_MISSED


def test_a_clock_that_is_not_believed_or_was_set_back_lists_nothing(world: World) -> None:
    world.problem = "the clock is 400 days ahead"
    assert world.once() == []
    world.problem = ""
    world.once()
    world.clock.advance(-5 * DAY_S)
    assert world.once() == []


def test_a_medium_that_fails_is_said_and_tried_again(world: World) -> None:
    (world.replica / "journals").write_text("in the way")
    with pytest.raises(HubError, match="daily heads cannot be written"):
        world.once()
    (world.replica / "journals").unlink()
    assert world.once() == ["2021-09-19"]


def test_a_list_is_served_for_good_and_nothing_else_beside_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with a_hub(tmp_path) as hub:
            (tmp_path / "journals").mkdir()
            (tmp_path / "journals" / "2021-09-19").write_bytes(b"list")
            (tmp_path / "journals" / "secret").write_bytes(b"secret")
            for name, status in (("2021-09-19", 200), ("2021-09-18", 404), ("secret", 404)):
                async with hub.session.get(f"{hub.url}/replica/journals/{name}") as answer:
                    assert answer.status == status
                    if status == 200:
                        assert await answer.read() == b"list"
                        assert "immutable" in answer.headers["Cache-Control"]
                    assert isinstance(answer, aiohttp.ClientResponse)

    asyncio.run(work())
