"""The watermark: forward only, kept over restarts, and dispensable."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cache.journal.errors import OutboxError
from cache.journal.outbox import Outbox, watermarks


class FakeJournal:
    def __init__(self, journal_id: bytes = bytes(16), last_sequence: int = 100) -> None:
        self.journal_id = journal_id
        self.last_sequence = last_sequence


@asynccontextmanager
async def opened(path: Path, journal: FakeJournal | None = None) -> AsyncIterator[Outbox]:
    outbox = await Outbox.open(path, journal or FakeJournal())
    try:
        yield outbox
    finally:
        await outbox.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


async def test_a_new_outbox_has_everything_pending(path: Path) -> None:
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.pending) == (0, 100)


async def test_the_watermark_outlives_the_process(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.pending) == (40, 60)


async def test_each_journal_has_its_own_watermark(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
    async with opened(path, FakeJournal(b"another journal!")) as outbox:
        assert outbox.acknowledged_through == 0


@pytest.mark.parametrize("through", [39, 101, -1])
async def test_it_goes_neither_back_nor_beyond_the_journal(path: Path, through: int) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
        with pytest.raises(ValueError, match="watermark"):
            await outbox.acknowledge(through)
        assert outbox.acknowledged_through == 40


async def test_waiters_are_woken_when_their_entry_is_acknowledged(path: Path) -> None:
    async with opened(path) as outbox:
        waiting = asyncio.create_task(outbox.wait_acknowledged(50))
        earlier = asyncio.create_task(outbox.wait_acknowledged(49))
        await asyncio.sleep(0)
        await outbox.acknowledge(49)
        await asyncio.wait_for(earlier, 20)
        assert not waiting.done()
        await outbox.acknowledge(50)
        await asyncio.wait_for(waiting, 20)


@pytest.fixture(params=[b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5_000])
def damaged_path(request: pytest.FixtureRequest, path: Path) -> Path:
    path.write_bytes(request.param)
    return path


async def test_a_damaged_file_only_sends_again(damaged_path: Path) -> None:
    async with opened(damaged_path) as outbox:
        assert outbox.acknowledged_through == 0
        await outbox.acknowledge(7)
    async with opened(damaged_path) as outbox:
        assert outbox.acknowledged_through == 7


async def test_a_journal_put_back_to_an_older_state_is_sent_again(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
    async with opened(path, FakeJournal(last_sequence=39)) as outbox:
        assert outbox.acknowledged_through == 0


async def test_a_folder_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OutboxError) as caught:
        await Outbox.open(tmp_path / "missing" / "outbox.sqlite", FakeJournal())
    assert caught.value.hint


async def test_a_watermark_that_cannot_be_kept_still_counts_until_the_end(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox._database.execute("PRAGMA busy_timeout = 0")
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutboxError):
            await outbox.acknowledge(40)
        assert outbox.acknowledged_through == 40
        blocker.execute("ROLLBACK")
        blocker.close()
        await outbox.acknowledge(41)
    async with opened(path) as outbox:
        assert outbox.acknowledged_through == 41


async def test_watermarks_are_known_before_the_journal_is(path: Path) -> None:
    assert await watermarks(path) == {}
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
        assert await watermarks(path) == {bytes(16): 40}


async def test_a_damaged_file_knows_no_watermarks(damaged_path: Path) -> None:
    assert await watermarks(damaged_path) == {}


async def test_no_umask_opens_it_to_others(path: Path) -> None:
    before = os.umask(0)
    try:
        async with opened(path) as outbox:
            await outbox.acknowledge(1)
            assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)
