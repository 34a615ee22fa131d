"""A medium that refuses, stalls or is full: what lanes are told, and what then stands in the files.

Protects that no entry that was acknowledged is lost, and that none which its lane gave up is found
without a note that it came late.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import pytest

from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from cache.journal.errors import (
    JournalFull,
    JournalOverflow,
    JournalTimeout,
    JournalUnavailable,
)
from cache.journal.file_journal import FileJournal
from cache.journal.verification import verify
from tests.cache.journal.entries import all_entries, an_entry, sealed_for
from tests.cache.journal.media import GatedMedium
from tests.cache.journal.unruly import HUB, LIMIT_S, opened, secured

Held = list[Passage | Followup]
Appended = asyncio.Task[int]


async def fill(journal: FileJournal) -> None:
    for number in range(1, 1_000):
        await journal.append(an_entry(number))


async def held_in(folder: Path, journal: FileJournal) -> Held:
    entries = await all_entries(None, folder, journal.last_sequence)
    return sealed_for(HUB, journal.journal_id, entries)


async def begun(journal: FileJournal, medium: GatedMedium, number: int, **how: bool) -> Appended:
    """Return an append on which the writer has begun, held up in its sync, and which gave up."""
    medium.hold()
    task = asyncio.create_task(journal.append(an_entry(number), timeout_s=0.1, **how))
    assert await asyncio.to_thread(medium.reached.wait, LIMIT_S)
    return task


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
async def test_a_medium_that_refuses_holds_and_keeps_what_policy_vouches_for(
    tmp_path: Path, number: int
) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        first = await journal.append(an_entry(1))
        medium.refusal = OSError(number, os.strerror(number))
        with pytest.raises(JournalUnavailable) as caught:
            await journal.append(an_entry(2))
        assert isinstance(caught.value, JournalFull) is (number == errno.ENOSPC)
        assert caught.value.hint
        with pytest.raises(JournalUnavailable) as kept:
            await journal.append(an_entry(3), unsecured=True)
        assert kept.value.in_doubt
        statistics = journal.statistics()
        assert (statistics.unsecured, statistics.unsecured_waiting) == (1, 1)
        medium.refusal = None
        await secured(journal)  # nobody else appends: it is tried again by itself
        third = journal.last_sequence - 1
        held = await held_in(tmp_path, journal)
        assert held[:2] == [an_entry(1), an_entry(3)]
        assert isinstance(late := held[2], Followup)
        assert (late.kind, late.about) == (FollowupKind.UNSECURED, third)
        assert third > first
        assert journal.statistics().unsecured_waiting == 0
    assert verify(tmp_path).sound


async def test_more_kept_entries_than_a_group_holds_are_tried_again_after_pauses(
    tmp_path: Path,
) -> None:
    """Otherwise a full disk at a busy gate would cost a core, and the loop a report each try."""
    medium = GatedMedium()
    async with opened(tmp_path, medium, group_entries=4) as journal:
        await journal.append(an_entry(1))
        medium.refusal = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        appends = (
            journal.append(an_entry(number), timeout_s=0.1, unsecured=True)
            for number in range(2, 14)
        )
        assert all(await asyncio.gather(*appends, return_exceptions=True))
        assert journal.statistics().unsecured_waiting == 12
        medium.reached.clear()
        begun_s = time.monotonic()
        for _ in range(6):  # a try syncs twice at most
            assert await asyncio.to_thread(medium.reached.wait, LIMIT_S)
            medium.reached.clear()
        assert time.monotonic() - begun_s > 0.25  # two pauses at least, and they double
        medium.refusal = None
        await secured(journal)
        assert journal.statistics().entries == 13


async def test_a_stall_is_noted_behind_the_entry_that_came_too_late(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        await journal.append(an_entry(1))
        late = await begun(journal, medium, 2)
        waiting = asyncio.create_task(journal.append(an_entry(3), timeout_s=0.05))
        with pytest.raises(JournalTimeout) as taken_back:
            await waiting
        with pytest.raises(JournalTimeout) as in_doubt:
            await late
        assert (taken_back.value.in_doubt, in_doubt.value.in_doubt) == (False, True)
        medium.gate.set()
        await journal.append(an_entry(4))
        await journal.flush()
        held = await held_in(tmp_path, journal)
        passages = [one for one in held if isinstance(one, Passage)]
        assert passages == [an_entry(1), an_entry(2), an_entry(4)]
        (note,) = (one for one in held if isinstance(one, Followup))
        assert (note.kind, note.about) == (FollowupKind.WITHHELD, 3)  # behind session and first
        assert note.after_ms >= 100
        assert journal.statistics().withheld == 1


async def test_in_a_stall_policy_lets_the_gate_go_on_and_nothing_is_taken_back(
    tmp_path: Path,
) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        await journal.append(an_entry(1))
        late = await begun(journal, medium, 2, unsecured=True)
        for task in (late, journal.append(an_entry(3), timeout_s=0.01, unsecured=True)):
            with pytest.raises(JournalTimeout) as caught:
                await task
            assert caught.value.in_doubt
        assert journal.statistics().unsecured_waiting == 2
        medium.gate.set()
        await secured(journal)
        held = await held_in(tmp_path, journal)
        assert held[:3] == [an_entry(1), an_entry(2), an_entry(3)]
        notes = [one for one in held if isinstance(one, Followup)]
        assert [(n.kind, n.about) for n in notes] == [
            (FollowupKind.UNSECURED, 3),
            (FollowupKind.UNSECURED, 4),
        ]
        assert journal.statistics().withheld == 0


async def test_memory_for_what_is_not_durable_is_bounded(tmp_path: Path) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium, queue_entries=3) as journal:
        await journal.append(an_entry(1))
        medium.refusal = OSError(errno.EIO, "Input/output error")
        for number in range(2, 5):
            with pytest.raises(JournalUnavailable):
                await journal.append(an_entry(number), unsecured=True)
        with pytest.raises(JournalOverflow) as caught:
            await journal.append(an_entry(5), unsecured=True)
        assert not caught.value.in_doubt
        for _ in range(5):
            journal.follow(Followup(FollowupKind.ACTUATED, 1, 5))
        assert journal.statistics().followups_lost == 2
        medium.refusal = None
        await secured(journal)
        held = await held_in(tmp_path, journal)
        assert [one for one in held if isinstance(one, Passage)] == [
            an_entry(number) for number in range(1, 5)
        ]


async def test_what_a_medium_never_took_is_counted_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    medium = GatedMedium()
    async with opened(tmp_path, medium) as journal:
        await journal.append(an_entry(1))
        medium.refusal = OSError(errno.EIO, "Input/output error")
        with pytest.raises(JournalUnavailable):
            await journal.append(an_entry(2), unsecured=True)
        journal.follow(Followup(FollowupKind.PASSED, 1, 5))
        await journal.close()
        statistics = journal.statistics()
        assert (statistics.unsecured_lost, statistics.followups_lost) == (1, 1)
        assert "1 entries were lost" in caplog.text
        journal.follow(Followup(FollowupKind.PASSED, 1, 5))
        assert journal.statistics().followups_lost == 2


async def test_what_followed_is_written_within_a_second_though_nobody_comes(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, GatedMedium()) as journal:
        sequence = await journal.append(an_entry(1))
        journal.follow(Followup(FollowupKind.ACTUATED, sequence, 12))
        assert journal.last_sequence == sequence
        await asyncio.wait_for(journal.wait_beyond(sequence), LIMIT_S)
        assert journal.statistics().followups == 1


async def test_a_full_budget_holds_the_lane_until_pruning_gives_back(tmp_path: Path) -> None:
    async with opened(tmp_path, GatedMedium(), rotate_bytes=2_000, budget_bytes=4_000) as journal:
        with pytest.raises(JournalFull) as caught:
            await fill(journal)
        assert not caught.value.in_doubt
        statistics = journal.statistics()
        assert statistics.used_bytes <= statistics.budget_bytes == 4_000
        assert statistics.free_bytes > 0
        journal.freed(2_000)
        assert await journal.append(an_entry(100)) > 3
