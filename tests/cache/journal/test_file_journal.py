"""The journal of a device: lanes, one writer, and what each lane is told."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from admission.journal_record import pack_passage_record, pack_public
from admission.wire import MAX_PASSAGE_BYTES
from cache.journal.errors import (
    EntryTooLarge,
    JournalClosed,
    JournalLocked,
    JournalOverflow,
    JournalTimeout,
    JournalUnavailable,
)
from cache.journal.file_journal import FileJournal, JournalSettings
from cache.journal.medium import Medium
from cache.journal.verification import verify
from tests.cache.journal.entries import all_entries, an_entry
from tests.cache.journal.media import GatedMedium

PATIENT = JournalSettings(timeout_s=20.0)


@asynccontextmanager
async def opened(
    directory: Path, medium: Medium | None = None, settings: JournalSettings = PATIENT
) -> AsyncIterator[FileJournal]:
    journal = await FileJournal.open(
        directory, monotonic_ns=lambda: 0, random_bytes=os.urandom, medium=medium, settings=settings
    )
    try:
        yield journal
    finally:
        if isinstance(medium, GatedMedium):
            medium.gate.set()
        await journal.close()


def unsealed(number: int) -> bytes:
    """Return an entry's record where no recipient was known."""
    return pack_passage_record(pack_public(an_entry(number)), b"")


async def reached(medium: GatedMedium) -> None:
    """Return once the writer waits at the gate."""
    assert await asyncio.to_thread(medium.reached.wait, 20)


async def one_at_the_gate(journal: FileJournal, medium: GatedMedium) -> asyncio.Task[int]:
    """Return the append on which the writer has begun, held up in its sync."""
    await journal.append(an_entry(1))  # the file is begun, so the next sync is the entry's
    medium.hold()
    task = asyncio.create_task(journal.append(an_entry(2)))
    await asyncio.wait_for(reached(medium), 20)
    return task


async def test_lanes_share_one_sync_and_are_acknowledged_in_order(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        first = await one_at_the_gate(journal, medium)
        syncs = medium.syncs
        done: list[int] = []

        async def lane(number: int) -> None:
            done.append(await journal.append(an_entry(number)))

        lanes = [asyncio.create_task(lane(number)) for number in range(3, 67)]
        await asyncio.sleep(0)
        assert journal.last_sequence == 1  # nothing counts before its sync
        medium.gate.set()
        await asyncio.gather(first, *lanes)
        assert done == list(range(3, 67))
        assert medium.syncs == syncs + 1
        entries = await all_entries(None, tmp_path, 66)
        assert [entry.packed for entry in entries] == [unsealed(n) for n in range(1, 67)]


async def test_a_reopened_journal_continues(tmp_path: Path) -> None:
    async with opened(tmp_path / "new" / "folder") as journal:
        assert await journal.append(an_entry()) == 1
        name = journal.journal_id
    async with opened(tmp_path / "new" / "folder") as journal:
        assert (journal.journal_id, journal.last_sequence) == (name, 1)
        assert await journal.append(an_entry()) == 2
    assert verify(tmp_path / "new" / "folder").sound


async def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal") as journal:
        await journal.append(an_entry())
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "journal").iterdir())


async def test_two_daemons_cannot_share_a_folder(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(JournalLocked) as caught:
            async with opened(tmp_path):
                pass
        assert caught.value.hint
    async with opened(tmp_path):
        pass  # closing lets go of it


async def test_a_full_disk_holds_the_lane_and_space_lets_it_go_on(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        await journal.append(an_entry(1))
        medium.refusal = OSError(errno.ENOSPC, "No space left on device")
        results = await asyncio.gather(
            *(journal.append(an_entry(n)) for n in range(8)), return_exceptions=True
        )
        assert all(isinstance(result, JournalUnavailable) for result in results)
        assert len({id(result) for result in results}) == 8
        assert "space" in journal.statistics().last_error
        assert journal.last_sequence == 1
        medium.refusal = None
        assert await journal.append(an_entry(2)) == 2
        assert journal.statistics().last_error == ""
    assert verify(tmp_path).sound
    assert len(await all_entries(None, tmp_path, 2)) == 2


async def test_a_disk_that_is_full_at_the_start_keeps_no_gate_from_starting(tmp_path: Path) -> None:
    medium = GatedMedium()
    medium.refusal = OSError(errno.ENOSPC, "No space left on device")
    async with opened(tmp_path, medium) as journal:
        with pytest.raises(JournalUnavailable):
            await journal.append(an_entry())
        medium.refusal = None
        assert await journal.append(an_entry()) == 1


async def test_an_entry_that_only_waited_is_taken_back_at_its_bound(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        begun = await one_at_the_gate(journal, medium)
        with pytest.raises(JournalTimeout) as caught:
            await journal.append(an_entry(99), timeout_s=0.01)
        assert not caught.value.in_doubt
        medium.gate.set()
        assert await begun == 2
        assert await journal.append(an_entry(3)) == 3
    packed = [entry.packed for entry in await all_entries(None, tmp_path, 3)]
    assert unsealed(99) not in packed


async def test_an_entry_that_was_begun_is_in_doubt_at_its_bound(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        await journal.append(an_entry(1))
        medium.hold()
        task = asyncio.create_task(journal.append(an_entry(2), timeout_s=0.2))
        await asyncio.wait_for(reached(medium), 20)
        with pytest.raises(JournalTimeout) as caught:
            await task
        assert caught.value.in_doubt
        statistics = journal.statistics()
        assert (statistics.timeouts, statistics.in_doubt) == (1, 1)
        assert (
            "not durable within its bound" in statistics.last_error
        )  # else a hang would look sound
        medium.gate.set()
        assert await journal.append(an_entry(3)) == 3  # it did become durable, as entry 2
        assert journal.statistics().last_error == ""
    assert len(await all_entries(None, tmp_path, 3)) == 3


async def test_a_cancelled_lane_takes_its_waiting_entry_along(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        begun = await one_at_the_gate(journal, medium)
        waiting = asyncio.create_task(journal.append(an_entry(99)))
        await asyncio.sleep(0)
        assert journal.statistics().waiting == 1
        waiting.cancel()
        await asyncio.wait([waiting])
        assert journal.statistics().waiting == 0
        medium.gate.set()
        assert await begun == 2
        assert await journal.append(an_entry(3)) == 3


async def test_a_queue_that_is_full_says_so_at_once(tmp_path: Path) -> None:
    medium = GatedMedium()
    settings = JournalSettings(timeout_s=20.0, queue_entries=2)
    async with opened(tmp_path, medium, settings) as journal:
        begun = await one_at_the_gate(journal, medium)
        waiting = [asyncio.create_task(journal.append(an_entry(n))) for n in (3, 4)]
        await asyncio.sleep(0)
        with pytest.raises(JournalOverflow):
            await journal.append(an_entry(5))
        assert journal.statistics().overflows == 1
        medium.gate.set()
        assert await asyncio.gather(begun, *waiting) == [2, 3, 4]


async def test_closing_makes_durable_what_waits(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        tasks = [await one_at_the_gate(journal, medium)]
        tasks += [asyncio.create_task(journal.append(an_entry(n))) for n in range(3, 9)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(journal.close())
        await asyncio.sleep(0)
        with pytest.raises(JournalClosed):
            await journal.append(an_entry(9))
        medium.gate.set()
        await closing
        assert [task.result() for task in tasks] == list(range(2, 9))
        await journal.close()


async def test_closing_ends_in_bounded_time_when_the_medium_hangs(tmp_path: Path) -> None:
    medium = GatedMedium()
    settings = JournalSettings(timeout_s=20.0, close_timeout_s=0.05)
    async with opened(tmp_path, medium, settings) as journal:
        begun = await one_at_the_gate(journal, medium)
        with pytest.raises(JournalTimeout):
            await journal.close()
        medium.gate.set()
        assert await begun == 2


async def test_a_fault_of_our_own_in_the_writer_is_told_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        await journal.append(an_entry(1))
        monkeypatch.setattr(medium, "write", lambda file, offset, data: 1 / 0)
        with pytest.raises(JournalUnavailable) as caught:
            await journal.append(an_entry(2))
        assert caught.value.in_doubt
        monkeypatch.undo()
        assert await journal.append(an_entry(3)) == 2
    assert verify(tmp_path).sound


async def test_an_entry_too_long_for_the_wire_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        with pytest.raises(EntryTooLarge):
            await journal.append(an_entry(1, lane="x" * MAX_PASSAGE_BYTES))
        assert await journal.append(an_entry(1)) == 1


async def test_waiters_learn_of_growth(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        waiters = [asyncio.create_task(journal.wait_beyond(n)) for n in (0, 1)]
        await journal.append(an_entry(1))
        await asyncio.wait_for(waiters[0], 20)
        assert not waiters[1].done()
        await journal.append(an_entry(2))
        await asyncio.wait_for(waiters[1], 20)


async def test_a_folder_that_cannot_be_used_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(JournalUnavailable) as caught:
        async with opened(tmp_path / "file" / "journal"):
            pass
    assert caught.value.hint
