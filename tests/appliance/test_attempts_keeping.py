"""Protects numbers from being guessed: a restart gives nobody new tries."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from admission.attempts import Attempts
from admission.credential import CredentialKind
from admission.instant import ClockTrust
from admission.passage import Event, Passage
from admission.verdict import Outcome, Reason
from appliance.attempts_keeping import recalled_attempts
from cache.journal.file_journal import FileJournal
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projector import Projector
from tests.cache.journal.entries import an_entry
from tests.cache.journal.local.history import PLAN
from tests.worlds import ManualClock


def a_try(clock: ManualClock, lane: str = "gate-1", **changes: object) -> Passage:
    now = clock.now()
    stated = {
        "kind": CredentialKind.TYPED_CODE,
        "outcome": Outcome.REFUSE,
        "reasons": (Reason.NO_RECORD,),
        "wall_ns": now.wall_ns,
        "monotonic_ns": now.monotonic_ns,
        "boot_id": now.boot_id,
        "clock_trust": now.trust,
    }
    return msgspec.structs.replace(an_entry(1, lane=lane), **{**stated, **changes})


async def run(
    folder: Path, clock: ManualClock, tries: list[Passage], *, project: bool
) -> dict[str, Attempts]:
    """Write tries down; return what a start finds then."""
    journal = await FileJournal.open(
        folder / "journal", monotonic_ns=lambda: 0, random_bytes=os.urandom
    )
    database = await LocalDatabase.open(folder / "journal.sqlite")
    try:
        for entry in tries:
            await journal.append(entry, timeout_s=20)
        if project:
            projector = Projector(
                journal, folder / "journal", database, PLAN, monotonic_ns=lambda: 0
            )
            await projector.catch_up()
        return await recalled_attempts(folder / "journal", journal, database, clock=clock)
    finally:
        await database.close()
        await journal.close()


@pytest.mark.parametrize("project", [False, True])
async def test_a_lane_that_was_held_off_still_is(tmp_path: Path, project: bool) -> None:
    clock = ManualClock()
    await run(tmp_path, clock, [a_try(clock)] * 3, project=True)
    lanes = await run(tmp_path, clock, [a_try(clock)] * 2, project=project)
    assert lanes["gate-1"].held_off(clock.monotonic_ns)
    assert set(lanes) == {"gate-1"}


async def test_another_boot_counts_by_the_date(tmp_path: Path) -> None:
    clock = ManualClock()
    tries = [a_try(clock)] * 5
    clock.boot_id, clock.monotonic_ns = "boot-2", 10**9
    clock.wall_ns += 20 * 10**9
    lanes = await run(tmp_path, clock, tries, project=True)
    assert lanes["gate-1"].held_for_ns(clock.monotonic_ns) == 10 * 10**9
    clock.trust = ClockTrust.UNKNOWN
    assert await run(tmp_path, clock, [], project=True) == {}


async def test_other_entries_are_no_tries(tmp_path: Path) -> None:
    clock = ManualClock()
    others = [
        a_try(clock, kind=CredentialKind.PERSONAL_QR),
        a_try(clock, reasons=(Reason.REVOKED,)),
        a_try(clock, event=Event.OVERRIDE),
    ]
    assert await run(tmp_path, clock, others * 5, project=True) == {}


async def test_a_journal_that_cannot_be_read_stops_no_lane(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        journal_id = bytes(16)
        last_sequence = 9

    database = await LocalDatabase.open(tmp_path / "journal.sqlite")
    try:
        found = await recalled_attempts(
            tmp_path / "absent", Broken(), database, clock=ManualClock()
        )
    finally:
        await database.close()
    assert found == {}
    assert "wrong numbers" in caplog.text
