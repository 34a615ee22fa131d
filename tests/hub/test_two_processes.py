"""Protects entries from onlookers: a command beside a running hub takes nothing away from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.intake import Arrival, Intake
from hub.store.entries import JournalKey
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, entries_of
from tests.hub.test_entry_reading import NOW

KEY = JournalKey("gate-1", JOURNAL)
ONLOOKER = """
import asyncio, sys
from pathlib import Path
from hub.store.sqlite import open_store

async def look():
    async with open_store(Path(sys.argv[1])) as store:
        print((await store.journals())[0].through, await store.has_people())

asyncio.run(look())
"""


def seen(database: Path) -> str:
    command = [sys.executable, "-P", "-c", ONLOOKER, str(database)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]


async def test_who_only_reads_sees_what_a_crash_left_between_two_files(tmp_path: Path) -> None:
    database, entries = tmp_path / "hub.db", entries_of(6)
    before = tmp_path / "entries.db.before"
    for some in (entries[:2], entries[2:]):
        async with open_store(database) as store:
            arrival = Arrival(KEY, some, {some[0].sequence})
            await Intake(store).receive(arrival, NOW)
        if not before.exists():
            shutil.copy(tmp_path / "entries.db", before)
    before.replace(tmp_path / "entries.db")  # the day's file is committed first
    assert seen(database) == "6"


@pytest.mark.parametrize("threads", ["one", "both"])
async def test_who_looks_and_leaves_takes_no_log_away(tmp_path: Path, threads: str) -> None:
    database, entries = tmp_path / "hub.db", entries_of(6)
    async with open_store(database) as store:
        intake = Intake(store)
        await intake.receive(Arrival(KEY, entries[:2], {1}), NOW)
        if threads == "both":
            await store.journals()  # by the thread that reads, which opens the same files
        assert seen(database) == "2"
        for name in ("entries.db-wal", "hub.db-wal"):
            assert (tmp_path / name).exists(), "somebody else has ended this hub's log"
        await intake.receive(Arrival(KEY, entries[2:], {3}), NOW)
        assert seen(database) == "6"
