"""Protects what the hub reads of sealed entries: whole with its key, and never a guess without."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from admission.instant import ClockTrust, Instant
from admission.wire import pack_passage
from hub.entry_reading import EntryReading
from hub.intake import Arrival, Intake
from hub.seal_sessions import NoSealKeys
from hub.store.entries import JournalKey
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, a_passage
from tests.hub.sealed import SEAL_KEY, Keys, sealed

KEY = JournalKey("gate-1", JOURNAL)
NOW = Instant(1_632_100_000_000_000_000, 5, "hub-boot", ClockTrust.RTC)
WRITTEN = [
    msgspec.structs.replace(
        a_passage(number), wall_ns=1_632_099_600_000_000_000, monotonic_ns=0, officer=number
    )
    for number in range(3)
]


def test_who_has_the_key_reads_the_whole_entry_and_who_has_not_reads_what_is_open(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        entries = sealed(WRITTEN)
        async with open_store(tmp_path / "hub.db") as store:
            await Intake(store).receive(Arrival(KEY, entries, {1}), NOW)
            with_key = EntryReading(store, Keys(SEAL_KEY))
            without = EntryReading(store, NoSealKeys())
            for entry, written in zip(entries[1:], WRITTEN, strict=True):
                read = await with_key.passage(KEY, entry.sequence, entry.packed)
                assert read is not None
                assert (read.passage, read.sealed) == (written, False)
                read = await without.passage(KEY, entry.sequence, entry.packed)
                assert read is not None
                assert read.sealed
                bare = msgspec.structs.replace(written, person=None, officer=None, code_digest=b"")
                assert read.passage == bare
            assert await with_key.passage(KEY, 1, entries[0].packed) is None
            assert await with_key.passage(KEY, 9, b"\xc1") is None
            old = await without.passage(KEY, 9, pack_passage(WRITTEN[0]))
            assert old is not None
            assert (old.passage, old.sealed) == (WRITTEN[0], False)

    asyncio.run(work())
