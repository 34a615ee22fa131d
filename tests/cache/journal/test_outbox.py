"""The watermark: forward only, kept over restarts, and dispensable."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from admission.upload import MAX_MARK_BYTES
from cache.journal.errors import LocalStateError
from cache.journal.local.database import LocalDatabase
from cache.journal.outbox import Outbox, watermarks


class FakeJournal:
    def __init__(self, journal_id: bytes = bytes(16), last_sequence: int = 100) -> None:
        self.journal_id = journal_id
        self.last_sequence = last_sequence


@asynccontextmanager
async def opened(path: Path, journal: FakeJournal | None = None) -> AsyncIterator[Outbox]:
    async with database_at(path) as database:
        yield await Outbox.open(database, journal or FakeJournal())


@asynccontextmanager
async def database_at(path: Path) -> AsyncIterator[LocalDatabase]:
    database = await LocalDatabase.open(path)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def test_a_new_outbox_has_everything_pending(path: Path) -> None:
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.pending) == (0, 100)
        assert (outbox.known, outbox.mark) == (False, b"")


async def test_the_watermark_outlives_the_process(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
        assert outbox.known
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.pending) == (40, 60)
        assert outbox.known


async def test_what_the_hub_signed_is_kept_with_it(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40, b"signed")
        await outbox.acknowledge(50)
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.mark) == (50, b"signed")
        with pytest.raises(ValueError, match="mark"):
            await outbox.acknowledge(60, bytes(MAX_MARK_BYTES + 1))


async def test_only_a_signed_mark_sets_it_back(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40, b"signed")
        for through, mark in ((30, b""), (40, b"newer"), (-1, b"newer")):
            with pytest.raises(ValueError, match="set back"):
                await outbox.set_back(through, mark)
        await outbox.set_back(30, b"newer")
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.mark) == (30, b"newer")


async def test_a_row_whose_bits_have_changed_is_not_believed(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE watermark SET acknowledged_through = 90")
    async with opened(path) as outbox:
        assert (outbox.acknowledged_through, outbox.known) == (0, False)
    async with database_at(path) as opened_again:
        assert await watermarks(opened_again) == {}


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


async def test_a_journal_put_back_to_an_older_state_is_sent_again(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
    async with opened(path, FakeJournal(last_sequence=39)) as outbox:
        assert outbox.acknowledged_through == 0


async def test_a_watermark_that_cannot_be_kept_still_counts_until_the_end(path: Path) -> None:
    async with opened(path) as outbox:
        await outbox._database._raw.execute("PRAGMA busy_timeout = 0")
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(LocalStateError):
            await outbox.acknowledge(40)
        assert outbox.acknowledged_through == 40
        blocker.execute("ROLLBACK")
        blocker.close()
        await outbox.acknowledge(41)
    async with opened(path) as outbox:
        assert outbox.acknowledged_through == 41


async def test_watermarks_are_known_before_the_journal_is(path: Path) -> None:
    async with database_at(path) as database:
        assert await watermarks(database) == {}
    async with opened(path) as outbox:
        await outbox.acknowledge(40)
    async with database_at(path) as database:
        assert await watermarks(database) == {bytes(16): 40}
