"""Protects the start: the zone comes back from the journal, or the gate serves without it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from admission.people import Count
from admission.reset import DailyReset
from admission.site import Direction
from appliance.zone_keeping import recalled_zone
from cache.journal.file_journal import FileJournal
from tests.cache.journal.entries import an_entry
from tests.worlds import VIETNAM, ManualClock

RESET = DailyReset(4 * 60, VIETNAM)


async def filled(folder: Path, clock: ManualClock) -> int:
    """Write four entries down, an hour ago and in a former boot; return the last sequence."""
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
    last = journal.last_sequence
    await journal.close()
    return last


async def test_who_is_inside_is_known_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    through = await filled(tmp_path / "journal", clock)
    clock.boot_id = "boot-2"
    zone = await recalled_zone(
        tmp_path / "journal", through=through, reset=RESET, site="site-1", clock=clock
    )
    assert zone.count(clock.now()) == Count(1, 1)
    presence = zone.presence_of(1, Direction.IN, clock.now())
    assert presence.passed_ago_ns == 3600 * 10**9


async def test_a_journal_that_cannot_be_read_leaves_an_empty_zone_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    zone = await recalled_zone(
        tmp_path / "absent", through=9, reset=RESET, site="site-1", clock=clock
    )
    assert zone.count(clock.now()) == Count(0, 0)
    assert "who is inside is not known" in caplog.text
