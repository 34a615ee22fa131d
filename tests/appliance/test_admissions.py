"""Protects who is annulled: a board's word counts for admissions of its own lane."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec
import pytest

from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, FollowupKind
from admission.passage import Event, Passage
from admission.verdict import Outcome
from appliance.admissions import ENTRY_MASK, Admissions, Admitted, JournalLookBack
from appliance.event_pace import EventPace
from cache.journal.file_journal import FileJournal
from tests.cache.journal.entries import an_entry
from tests.worlds import ManualClock

LANE = "lane-1"


async def written(folder: Path, *records: Passage | Followup) -> tuple[list[int], int]:
    """Write a journal; return the sequences of its passages, and its last one."""
    journal = await FileJournal.open(
        folder, monotonic_ns=time.monotonic_ns, random_bytes=os.urandom
    )
    sequences = []
    for record in records:
        if isinstance(record, Followup):
            journal.follow(record)
            await journal.flush()
        else:
            sequences.append(await journal.append(record, timeout_s=10))
    last = journal.last_sequence
    await journal.close()
    return sequences, last


async def found(folder: Path, last: int, entry: int, lane: str = LANE) -> Admitted | None:
    return await JournalLookBack(folder, last).find(entry, lane)


async def test_an_admission_of_before_the_start_is_found_by_its_entry(tmp_path: Path) -> None:
    (first, second), last = await written(tmp_path, an_entry(1), an_entry(2))
    one = await found(tmp_path, last, second)
    assert one is not None
    assert (one.sequence, one.ended) == (second, False)
    again = await found(tmp_path, last, first)
    assert again is not None
    assert again.sequence == first


@pytest.mark.parametrize(
    "changes",
    [
        {"lane": "another"},
        {"outcome": Outcome.REFUSE},
        {"outcome": Outcome.REFER},
        {"event": Event.ENQUIRY},
        {"event": Event.CORRECTION},
    ],
)
async def test_what_admitted_nobody_here_is_none(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    entry = msgspec.structs.replace(an_entry(1), **changes)
    (sequence,), last = await written(tmp_path, entry)
    assert await found(tmp_path, last, sequence) is None


async def test_an_officers_admission_is_one(tmp_path: Path) -> None:
    entry = msgspec.structs.replace(an_entry(1), event=Event.OVERRIDE, about=1)
    (sequence,), last = await written(tmp_path, entry)
    assert await found(tmp_path, last, sequence) is not None


@pytest.mark.parametrize("kind", FollowupKind)
async def test_of_whom_it_is_known_whether_they_passed_nothing_more_is_believed(
    tmp_path: Path, kind: FollowupKind
) -> None:
    (sequence,), _ = await written(tmp_path, an_entry(1))
    _, last = await written(tmp_path, Followup(kind, sequence))
    one = await found(tmp_path, last, sequence)
    assert one is not None
    assert one.ended is (kind in {FollowupKind.PASSED, FollowupKind.NOT_PASSED})


async def test_numbers_that_are_no_entry_are_none(tmp_path: Path) -> None:
    _, last = await written(tmp_path, an_entry(1))
    for entry in (0, last + 1, ENTRY_MASK, last + 5_000):
        assert await found(tmp_path, last, entry) is None
    assert await found(tmp_path / "nowhere", 10, 5) is None


async def test_what_is_long_ago_is_not_looked_for(tmp_path: Path) -> None:
    (sequence,), last = await written(tmp_path, an_entry(1))
    assert await found(tmp_path, last + 4_000, sequence) is not None
    assert await found(tmp_path, last + 5_000, sequence) is None


class Nowhere:
    """A journal in which nothing is found, and how often it was looked into."""

    def __init__(self) -> None:
        self.looked = 0

    async def find(self, entry: int, lane: str) -> Admitted | None:
        self.looked += 1
        await asyncio.sleep(0)
        return None


async def test_a_board_that_makes_numbers_up_does_not_keep_the_disk_busy() -> None:
    clock, journal = ManualClock(), Nowhere()
    admissions = Admissions(LANE, journal, clock.now, EventPace(burst=3))
    for entry in range(1, 100):
        assert await admissions.find(entry) is None
    assert journal.looked == 3


async def test_own_admissions_are_known_by_their_last_32_bits_and_bounded() -> None:
    clock, journal = ManualClock(), Nowhere()
    admissions = Admissions(LANE, journal, clock.now, EventPace(burst=1))
    sequence = (7 << 32) | 5
    admissions.admitted(an_entry(1), sequence)
    one = await admissions.find(5)
    assert one is not None
    assert one.sequence == sequence
    for later in range(100, 400):
        admissions.admitted(an_entry(1), later)
    assert await admissions.find(5) is None
    assert await admissions.find(0) is None


def test_how_long_ago_it_was_is_told_by_the_clock_that_both_have() -> None:
    entry = Admitted(1, None, an_entry().direction, 10, 20, "boot-1", ClockTrust.SYNCHRONISED)
    assert entry.age_ns(Instant(99, 25, "boot-1", ClockTrust.UNKNOWN)) == 5
    assert entry.age_ns(Instant(99, 3, "boot-2", ClockTrust.SYNCHRONISED)) == 89
    assert entry.age_ns(Instant(99, 3, "boot-2", ClockTrust.UNKNOWN)) == 0
    assert entry.age_ns(Instant(1, 3, "boot-2", ClockTrust.SYNCHRONISED)) == 0
