"""Protects the hub's memory and everybody else's entries from one gate that plays with it."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from hub.errors import TooManyJournalsError
from hub.intake import Arrival, Intake
from hub.store import entries as limits
from hub.store.entries import Decoded, EntryRecord, JournalKey
from hub.store.sqlite.day_file import DayFile
from tests.hub import memory_entries
from tests.hub.gates import entries_of
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

KEY = JournalKey("gate-1", bytes(16))


def test_another_site_in_each_entry_fills_no_memory(tmp_path: Path) -> None:
    file = DayFile.open(tmp_path / "day.db", 18_890, write=True)
    assert file is not None
    tracemalloc.start()
    try:
        for first in range(1, 2_000, 500):
            some = [_of_site(first + place, os.urandom(1_500).hex()) for place in range(500)]
            file.add(1, KEY, some)
            file.commit()
        del some
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        file.close()
    assert kept < 2 << 20, "of 6 MiB of names"


async def test_a_journal_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.MAX_JOURNALS_OF_A_DEVICE > 100, "more than a gate ever begins"
    monkeypatch.setattr(memory_entries, "MAX_JOURNALS_OF_A_DEVICE", 1)
    intake, now = Intake(MemoryStore()), ManualClock().now()
    other = bytes([1] * 16)
    await intake.receive(Arrival(KEY, entries_of(2, KEY.journal), {1}), now)
    with pytest.raises(TooManyJournalsError):
        await intake.receive(Arrival(JournalKey("gate-1", other), entries_of(2, other), {1}), now)


def _of_site(sequence: int, site: str) -> EntryRecord:
    return EntryRecord(sequence, bytes(32), b"entry", Decoded(site, 1, None, "admit"), 1)
