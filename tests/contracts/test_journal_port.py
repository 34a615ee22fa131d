"""The Journal port's contract: one suite for the files and for the journal in memory."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from admission.ports import Journal
from admission.wire import unpack_passage
from cache.journal.file_journal import FileJournal, JournalSettings
from tests.cache.journal.entries import all_entries, an_entry
from tests.cache.journal.media import GatedMedium
from tests.doors import MemoryJournal


class World(msgspec.Struct):
    """One journal, how to break and mend it, and what it holds."""

    journal: Journal
    breaks: Callable[[bool], None]
    stored: Callable[[], Awaitable[list[Passage]]]


@asynccontextmanager
async def in_files(folder: Path) -> AsyncIterator[World]:
    medium = GatedMedium()
    journal = await FileJournal.open(
        folder,
        monotonic_ns=lambda: 0,
        random_bytes=os.urandom,
        medium=medium,
        settings=JournalSettings(timeout_s=20.0, rotate_bytes=2_000),
    )

    def breaks(broken: bool) -> None:
        medium.refusal = OSError(errno.EIO, "Input/output error") if broken else None

    async def stored() -> list[Passage]:
        entries = await all_entries(None, folder, journal.last_sequence)
        return [unpack_passage(entry.packed) for entry in entries]

    try:
        yield World(journal, breaks, stored)
    finally:
        await journal.close()


@asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[World]:
    journal = MemoryJournal()

    def breaks(broken: bool) -> None:
        journal.broken = broken

    async def stored() -> list[Passage]:
        return journal.entries

    yield World(journal, breaks, stored)


@pytest.fixture(params=[in_files, in_memory], ids=["files", "memory"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with request.param(tmp_path) as world:
        yield world


async def test_sequences_count_from_one_without_gaps(world: World) -> None:
    assert [await world.journal.append(an_entry(n)) for n in range(1, 31)] == list(range(1, 31))


async def test_what_was_acknowledged_stands_there_as_it_was_given(world: World) -> None:
    given = [an_entry(n) for n in range(20)]
    sequences = await asyncio.gather(*(world.journal.append(entry) for entry in given))
    stored = await world.stored()
    assert sorted(sequences) == list(range(1, 21))
    assert [stored[sequence - 1] for sequence in sequences] == given


async def test_lanes_are_numbered_in_the_order_in_which_they_came(world: World) -> None:
    tasks = [asyncio.create_task(world.journal.append(an_entry(n))) for n in range(40)]
    assert await asyncio.gather(*tasks) == list(range(1, 41))


async def test_an_entry_that_could_not_be_kept_raises_and_takes_no_number(world: World) -> None:
    assert await world.journal.append(an_entry(1)) == 1
    world.breaks(True)
    for _ in range(3):
        with pytest.raises(Exception, match=r".*"):
            await world.journal.append(an_entry(99))
    world.breaks(False)
    assert await world.journal.append(an_entry(2)) == 2
    assert await world.stored() == [an_entry(1), an_entry(2)]


async def test_an_entry_that_policy_vouches_for_raises_all_the_same(world: World) -> None:
    world.breaks(True)
    with pytest.raises(Exception, match=r".*"):
        await world.journal.append(an_entry(1), timeout_s=0.01, unsecured=True)


async def test_what_followed_never_raises_nor_waits(world: World) -> None:
    sequence = await world.journal.append(an_entry(1))
    world.journal.follow(Followup(FollowupKind.ACTUATED, sequence, 12))
    world.breaks(True)
    world.journal.follow(Followup(FollowupKind.PASSED, sequence, 900))
