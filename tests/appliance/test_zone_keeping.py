"""Protects the start: the zone comes back from the journal, or the gate serves without it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from admission.people import Count
from admission.reset import DailyReset
from admission.site import Direction
from admission.zone import Zone
from appliance.zone_keeping import recalled_zone
from cache.journal.file_journal import FileJournal
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import ZonePlan
from cache.journal.local.projector import Projector
from tests.cache.journal.entries import an_entry
from tests.worlds import VIETNAM, ManualClock

PLAN = ZonePlan("site-1", DailyReset(4 * 60, VIETNAM), VIETNAM)


async def filled(folder: Path, clock: ManualClock) -> Ended:
    """Write four entries down, an hour ago and in a former boot; return the journal."""
    journal = await FileJournal.open(
        folder, monotonic_ns=lambda: clock.monotonic_ns, random_bytes=os.urandom, acknowledged={}
    )
    at_ns = clock.wall_ns - 3600 * 10**9
    for person, direction in ((1, Direction.IN), (2, Direction.IN), (2, Direction.OUT)):
        await journal.append(
            msgspec.structs.replace(
                an_entry(person),
                token=person,
                wall_ns=at_ns,
                direction=direction,
                worker=person == 1,
            )
        )
    await journal.append(msgspec.structs.replace(an_entry(3), wall_ns=at_ns - 86_400 * 10**9))
    await journal.close()
    return Ended(journal.journal_id, journal.last_sequence)


class Ended:
    """A journal that is not open any more."""

    def __init__(self, journal_id: bytes, last_sequence: int) -> None:
        self.journal_id = journal_id
        self.last_sequence = last_sequence

    async def wait_beyond(self, sequence: int) -> None:
        if self.last_sequence <= sequence:
            await asyncio.Event().wait()  # none will come


async def recall(
    folder: Path, journal: Ended, clock: ManualClock, *, project: bool = False
) -> Zone:
    database = await LocalDatabase.open(folder.parent / "journal.sqlite")
    try:
        if project:
            projector = Projector(journal, folder, database, PLAN, monotonic_ns=lambda: 0)
            await projector.catch_up()
        return await recalled_zone(folder, journal, database, PLAN, clock=clock)
    finally:
        await database.close()


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize("project", [False, True])
async def test_who_is_inside_is_known_after_a_restart(tmp_path: Path, project: bool) -> None:
    clock = ManualClock()
    journal = await filled(tmp_path / "journal", clock)
    clock.boot_id = "boot-2"
    zone = await recall(tmp_path / "journal", journal, clock, project=project)
    assert zone.count(clock.now()) == Count(1, 1)
    presence = zone.presence_of(1, Direction.IN, clock.now())
    assert presence.passed_ago_ns == 3600 * 10**9


async def test_what_the_database_tells_is_not_read_from_the_journal(tmp_path: Path) -> None:
    clock = ManualClock()
    journal = await filled(tmp_path / "journal", clock)
    clock.boot_id = "boot-2"
    await recall(tmp_path / "journal", journal, clock, project=True)
    empty(tmp_path / "journal")
    zone = await recall(tmp_path / "journal", journal, clock)
    assert zone.count(clock.now()) == Count(1, 1)


async def test_a_journal_that_cannot_be_read_leaves_an_empty_zone_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    zone = await recall(tmp_path / "absent", Ended(bytes(16), 9), clock)
    assert zone.count(clock.now()) == Count(0, 0)
    assert "who is inside is not known" in caplog.text
