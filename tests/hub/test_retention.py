"""Protects people from being kept longer than was said, and entries from a wrong clock."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import hub
from hub.days import name_of
from hub.errors import DataFolderError, StoreError
from hub.folder import DEFAULT_KEEP_DAYS, DataFolder
from hub.metrics import HubMetrics
from hub.retention import Retention
from hub.store.entries import Offer
from hub.store.sqlite import open_store
from tests.contracts.test_hub_entries import DAY_NS, KEY, TODAY, record
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.metrics = HubMetrics()
        self.clock_problem = ""
        self.keep_days = 21
        self.retention = Retention(
            self.store,
            self.clock,
            self.metrics,
            keep_days=lambda: self.keep_days,
            clock_problem=lambda: self.clock_problem,
        )
        self.today = self.clock.now().wall_ns // DAY_NS

    async def fill(self, *ages: int) -> None:
        records = [record(s, self.today - age) for s, age in enumerate(ages, start=1)]
        await self.store.add_entries([Offer(KEY, records)])

    async def ages(self) -> list[int]:
        return [self.today - day.day for day in await self.store.days()]


async def test_what_is_older_than_is_kept_goes_and_nothing_else() -> None:
    world = World()
    await world.fill(40, 22, 21, 1, 0)
    assert [world.today - day.day for day in await world.retention.once()] == [40, 22]
    assert await world.ages() == [21, 1, 0]
    assert "chot_hub_entries_dropped_total 2.0" in world.metrics.exposition().decode()
    world.keep_days = 1
    await world.retention.once()
    assert await world.ages() == [1, 0]


async def test_nothing_goes_by_a_clock_that_is_not_believed() -> None:
    world = World()
    await world.fill(40, 0)
    world.clock_problem = "the clock is 61 days ahead of the head that is published"
    assert await world.retention.once() == []
    assert await world.ages() == [40, 0]
    assert not world.retention.problem, "whoever watches the clock says so"


async def test_a_failure_shows_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    asked = asyncio.Event()

    async def broken(_: int) -> None:
        asked.set()
        raise StoreError("disk failed")

    monkeypatch.setattr(world.store, "drop_days", broken)
    task = asyncio.create_task(world.retention.run())
    await asked.wait()
    await asyncio.sleep(0)
    assert "disk failed" in world.retention.problem
    assert not task.done(), "it goes on"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    await world.retention.once()
    assert not world.retention.problem


def test_the_folder_says_how_long_entries_are_kept(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.keep_days == DEFAULT_KEEP_DAYS
    folder.keep(30)
    assert DataFolder(tmp_path).keep_days == 30
    (tmp_path / "keep-days").write_text("soon")
    with pytest.raises(DataFolderError):
        assert folder.keep_days


def test_a_person_sees_when_a_day_goes(tmp_path: Path) -> None:
    root = tmp_path / "hub"

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(hub, [*arguments, "--data", str(root)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    async def fill() -> None:
        async with open_store(DataFolder(root).database) as store:
            await store.add_entries([Offer(KEY, [record(1), record(2), record(3, 99_999)])])

    said("init")
    asyncio.run(fill())
    shown = said("retention", "--keep-days", "30")
    assert "kept for 30 days" in shown
    (today,) = (line for line in shown.splitlines() if name_of(TODAY) in line)
    assert [part.strip() for part in today.split("│")[1:3]] == [name_of(TODAY), "2"]
    assert "now" in today
    assert name_of(99_999 + 31) in shown
    assert "kept for 30 days" in said("retention"), "it is kept in the folder"
    assert json.loads((root / "keep-days").read_text()) == 30
