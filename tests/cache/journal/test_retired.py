"""A journal whose true end is unknown is ended: no sequence is given out twice under one id."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cache.journal.file_journal import FileJournal
from cache.journal.local.database import LocalDatabase
from cache.journal.outbox import Outbox, watermarks
from cache.journal.reader import JournalReader
from cache.journal.recovery import Recovery, recover
from cache.journal.retired import retired_journals
from cache.journal.verification import FaultKind, verify
from tests.cache.journal.entries import JOURNAL, a_writer, an_entry, drafts
from tests.cache.journal.simulated_disk import PowerCut, SimulatedDisk

DIRECTORY = Path("journal")
OTHER = bytes(16)
RETIRED = DIRECTORY / JOURNAL.hex()


def written(groups: int = 6) -> SimulatedDisk:
    """Three files of two entries each."""
    disk = SimulatedDisk()
    writer = a_writer(disk, DIRECTORY, rotate_bytes=300)
    for _ in range(groups):
        writer.append_group(drafts([b"e" * 100]))
    return disk


def newest(disk: SimulatedDisk) -> Path:
    return max(DIRECTORY / name for name in disk.names(DIRECTORY) if name.endswith(".journal"))


def is_new(recovery: Recovery) -> bool:
    return (recovery.position.journal, recovery.position.last_sequence) == (OTHER, 0)


@pytest.mark.parametrize("content", [b"", b"\0" * 700, b"x" * 700], ids=["empty", "zeros", "noise"])
def test_after_a_newest_file_of_nothing_readable_a_new_journal_begins(content: bytes) -> None:
    disk = written()
    path = newest(disk)
    disk.overwrite(path, content)
    recovery = recover(disk, DIRECTORY, OTHER)
    assert is_new(recovery)
    assert (recovery.damaged_files, recovery.retired_journals) == (1, 1)
    assert disk.content(RETIRED / path.with_suffix(".damaged").name) == content
    (old,) = retired_journals(DIRECTORY, disk)
    assert (old.directory, old.journal_id, old.last_sequence) == (RETIRED, JOURNAL, 4)


def test_after_a_newest_file_was_deleted_the_watermark_tells() -> None:
    disk = written()
    disk.remove(newest(disk))
    assert recover(disk, DIRECTORY, OTHER, {JOURNAL: 4, OTHER: 9}).position.last_sequence == 4
    assert is_new(recover(disk, DIRECTORY, OTHER, {JOURNAL: 5}))
    assert retired_journals(DIRECTORY, disk)[0].last_sequence == 4


def test_a_file_put_back_later_brings_no_ended_journal_to_life() -> None:
    disk = written()
    path, content = newest(disk), disk.content(newest(disk))
    disk.overwrite(path, b"")
    recover(disk, DIRECTORY, OTHER)
    disk.create(path)
    disk.overwrite(path, content)
    assert is_new(recover(disk, DIRECTORY, OTHER))
    assert retired_journals(DIRECTORY, disk)[0].last_sequence == 6


def test_a_shorter_copy_put_back_later_displaces_nothing() -> None:
    disk = written()
    kept = newest(disk)
    first = min(DIRECTORY / name for name in disk.names(DIRECTORY) if name.endswith(".journal"))
    copy = disk.content(first)[:200]
    disk.overwrite(kept, b"noise" * 100)
    recover(disk, DIRECTORY, OTHER)
    before = disk.content(RETIRED / first.name)
    disk.create(first)
    disk.overwrite(first, copy)
    recover(disk, DIRECTORY, bytes([1]) * 16)
    assert disk.content(RETIRED / first.name) == before
    assert copy in [disk.content(RETIRED / name) for name in disk.names(RETIRED)]


def test_a_journal_of_nothing_readable_begins_anew_and_keeps_the_evidence() -> None:
    disk = written(1)
    disk.overwrite(newest(disk), b"noise")
    assert is_new(recover(disk, DIRECTORY, OTHER))
    assert disk.content(DIRECTORY / f"{1:019d}.{OTHER.hex()}.damaged") == b"noise"


def test_verification_tells_of_a_retired_journal() -> None:
    disk = written()
    path = newest(disk)
    disk.overwrite(path, b"")
    recover(disk, DIRECTORY, OTHER)
    faults = [(fault.kind, fault.file, fault.sequence) for fault in verify(DIRECTORY, disk).faults]
    damaged = f"{JOURNAL.hex()}/{path.with_suffix('.damaged').name}"
    assert faults == [(FaultKind.FILE, JOURNAL.hex(), 5), (FaultKind.FILE, damaged, 0)]


def test_no_power_cut_while_ending_lets_the_old_journal_go_on() -> None:
    """Whatever was moved already and whatever was not."""
    whole = written()
    whole.overwrite(newest(whole), b"")
    before = len(whole.operations)
    recover(whole, DIRECTORY, OTHER)
    steps = len(whole.operations) - before
    assert steps > 6
    for seed in range(20 * steps):
        disk = written()
        disk.overwrite(newest(disk), b"")
        disk.before = cut_at(len(disk.operations) + seed % steps + 1)
        with contextlib.suppress(PowerCut):
            recover(disk, DIRECTORY, OTHER)
        assert is_new(recover(disk.cut(Random(seed)), DIRECTORY, OTHER)), seed


def cut_at(operation: int) -> Callable[[str, int], None]:
    def before(_: str, count: int) -> None:
        if count >= operation:
            raise PowerCut

    return before


async def opened(state: Path) -> FileJournal:
    database = await LocalDatabase.open(state / "journal.sqlite")
    acknowledged = await watermarks(database)
    await database.close()
    return await FileJournal.open(
        state / "journal",
        monotonic_ns=lambda: 0,
        random_bytes=os.urandom,
        acknowledged=acknowledged,
    )


async def run(state: Path, entries: int, acknowledged: int) -> bytes:
    """One run of a gate whose hub acknowledges some entries; return the journal's id."""
    journal = await opened(state)
    database = await LocalDatabase.open(state / "journal.sqlite")
    outbox = await Outbox.open(database, journal)
    for number in range(1, entries + 1):
        await journal.append(an_entry(number))
    await outbox.acknowledge(acknowledged)
    await database.close()
    await journal.close()
    return journal.journal_id


@pytest.mark.parametrize("harm", ["garbage", "deleted", "emptied"])
async def test_a_gate_uploads_what_is_left_beside_its_new_journal(
    tmp_path: Path, harm: str
) -> None:
    first = await run(tmp_path, 4, 2)
    assert await run(tmp_path, 4, 7) == first
    path = max((tmp_path / "journal").glob("*.journal"))
    if harm == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"garbage" * 99 if harm == "garbage" else b"")
    async with contextlib.AsyncExitStack() as stack:
        journal = await opened(tmp_path)
        stack.push_async_callback(journal.close)
        assert (journal.journal_id != first, journal.last_sequence) == (True, 0)
        assert journal.statistics().retired_journals == 1
        assert journal.statistics().damaged_files == (harm != "deleted")
        assert await journal.append(an_entry(1)) == 1
        (old,) = retired_journals(tmp_path / "journal")
        database = await LocalDatabase.open(tmp_path / "journal.sqlite")
        stack.push_async_callback(database.close)
        outbox = await Outbox.open(database, old, ended=True)
        assert (old.journal_id, old.last_sequence, outbox.pending) == (first, 4, 0)
        (entry,) = await JournalReader(old.directory).read(3, 4, max_entries=9, max_bytes=9_999)
        assert (entry.sequence, bool(entry.packed)) == (4, True)
    again = await opened(tmp_path)
    stack.push_async_callback(again.close)
    async with stack:
        assert (again.journal_id, again.last_sequence) == (journal.journal_id, 1)
