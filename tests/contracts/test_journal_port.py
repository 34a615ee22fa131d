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
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from admission.ports import Journal
from cache.journal.file_journal import FileJournal, JournalSettings
from tests.cache.journal.entries import all_entries, an_entry, sealed_for
from tests.cache.journal.media import GatedMedium
from tests.doors import MemoryJournal


class World(msgspec.Struct):
    """One journal, how to break and mend it, and what it holds."""

    journal: Journal
    breaks: Callable[[bool], None]
    ends: Callable[[], Awaitable[None]]
    stored: Callable[[], Awaitable[list[Passage | Followup]]]


@asynccontextmanager
async def in_files(folder: Path) -> AsyncIterator[World]:
    medium, hub = GatedMedium(), X25519PrivateKey.generate()
    public = hub.public_key()
    journal = await FileJournal.open(
        folder,
        monotonic_ns=lambda: 0,
        random_bytes=os.urandom,
        medium=medium,
        settings=JournalSettings(timeout_s=20.0, rotate_bytes=2_000),
        recipient=lambda: public,
    )

    def breaks(broken: bool) -> None:
        medium.refusal = OSError(errno.EIO, "Input/output error") if broken else None

    async def stored() -> list[Passage | Followup]:
        entries = await all_entries(None, folder, journal.last_sequence)
        return sealed_for(hub, journal.journal_id, entries)

    try:
        yield World(journal, breaks, journal.close, stored)
    finally:
        await journal.close()


@asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[World]:
    journal = MemoryJournal()

    def breaks(broken: bool) -> None:
        journal.broken = broken

    async def stored() -> list[Passage | Followup]:
        return [*journal.entries, *journal.followups]

    async def ends() -> None:
        pass

    yield World(journal, breaks, ends, stored)


@pytest.fixture(params=[in_files, in_memory], ids=["files", "memory"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with request.param(tmp_path) as world:
        yield world


async def test_sequences_ascend(world: World) -> None:
    sequences = [await world.journal.append(an_entry(n)) for n in range(1, 31)]
    assert sequences == sorted(set(sequences))
    assert sequences[0] > 0


async def test_what_was_acknowledged_stands_there_as_it_was_given(world: World) -> None:
    given = [an_entry(n) for n in range(20)]
    sequences = await asyncio.gather(*(world.journal.append(entry) for entry in given))
    assert sequences == sorted(set(sequences))
    assert await world.stored() == given


async def test_lanes_are_numbered_in_the_order_in_which_they_came(world: World) -> None:
    tasks = [asyncio.create_task(world.journal.append(an_entry(n))) for n in range(40)]
    sequences = await asyncio.gather(*tasks)
    assert sequences == sorted(set(sequences))


async def test_an_entry_that_could_not_be_kept_raises_and_takes_no_number(world: World) -> None:
    first = await world.journal.append(an_entry(1))
    world.breaks(True)
    for _ in range(3):
        with pytest.raises(Exception, match=r".*"):
            await world.journal.append(an_entry(99))
    world.breaks(False)
    assert await world.journal.append(an_entry(2)) > first
    assert await world.stored() == [an_entry(1), an_entry(2)]


async def test_an_entry_that_policy_vouches_for_raises_all_the_same(world: World) -> None:
    world.breaks(True)
    with pytest.raises(Exception, match=r".*"):
        await world.journal.append(an_entry(1), timeout_s=0.01, unsecured=True)


async def test_what_followed_is_written_behind_its_entry_and_nobody_waits(world: World) -> None:
    sequence = await world.journal.append(an_entry(1))
    followups = [Followup(kind, sequence, 12) for kind in FollowupKind]
    for followup in followups:
        world.journal.follow(followup)
    await world.ends()
    assert await world.stored() == [an_entry(1), *followups]
    world.journal.follow(followups[0])  # also of a journal that has ended: never an error
