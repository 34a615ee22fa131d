"""Protects the start: the newest entries and no others, however long the journal, and damaged."""

from __future__ import annotations

import errno
from pathlib import Path

import msgspec
import pytest

from admission.instant import ClockTrust
from admission.wire import pack_passage
from cache.journal.errors import JournalUnavailable
from cache.journal.local.zone_records import of_zone
from cache.journal.medium import Medium
from cache.journal.recent import Recent, recent_records
from tests.cache.journal.entries import a_writer, an_entry, drafts
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")
COUNT = 30
MS = 1_000_000
FIRST_NS = an_entry(0).wall_ns


def a_disk(trust: ClockTrust = ClockTrust.SYNCHRONISED) -> SimulatedDisk:
    """Return a journal of 30 entries in files of a few."""
    disk = SimulatedDisk()
    writer = a_writer(disk, DIRECTORY, rotate_bytes=900)
    for number in range(1, COUNT + 1):
        at_ns = FIRST_NS + number * MS
        entry = msgspec.structs.replace(an_entry(number), wall_ns=at_ns, clock_trust=trust)
        writer.append_group(drafts([pack_passage(entry)]))
    return disk


def sequences(
    medium: Medium, *, since_ns: int | None = None, max_entries: int = 100, through: int = COUNT
) -> list[int]:
    return [n for n, _ in recent(medium, since_ns, max_entries, through).records]


def recent(
    medium: Medium,
    since_ns: int | None = None,
    max_entries: int = 100,
    through: int = COUNT,
    after: int = 0,
) -> Recent:
    return recent_records(
        DIRECTORY,
        after=after,
        through=through,
        since_ns=since_ns,
        max_entries=max_entries,
        wanted=lambda packed: of_zone(packed, "site-1"),
        medium=medium,
    )


@pytest.mark.parametrize("after", [0, 1, 12, 29, COUNT])
def test_what_is_known_already_is_not_read_again(after: int) -> None:
    disk = CountingReads(a_disk())
    found = recent(disk, after=after)
    assert [n for n, _ in found.records] == list(range(after + 1, COUNT + 1))
    assert found.complete
    assert len(disk.read_files) <= len(disk.names(DIRECTORY)) * (COUNT - after) / COUNT + 1


def test_it_says_when_the_reset_came_before_what_is_known() -> None:
    assert not recent(a_disk(), FIRST_NS + 25 * MS, after=2).complete
    assert not recent(a_disk(), max_entries=3).complete


class CountingReads(SimulatedDisk):
    """Notes which files are read."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.__dict__ = disk.__dict__
        self.read_files: set[Path] = set()

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        self.read_files.add(path)
        return super().read(path, offset, limit)


def test_all_of_a_short_journal() -> None:
    assert sequences(a_disk()) == list(range(1, COUNT + 1))
    assert sequences(SimulatedDisk()) == []


@pytest.mark.parametrize("bound", [1, 7, 29])
def test_never_more_than_the_bound_and_those_are_the_newest(bound: int) -> None:
    assert sequences(a_disk(), max_entries=bound) == list(range(COUNT + 1 - bound, COUNT + 1))


def test_old_files_are_not_opened() -> None:
    disk = CountingReads(a_disk())
    found = sequences(disk, since_ns=FIRST_NS + 25 * MS)
    assert found[0] <= 25 < found[-1] == COUNT
    assert len(disk.read_files) < len(disk.names(DIRECTORY)) / 2


def test_dates_that_nobody_vouches_for_end_no_search() -> None:
    assert len(sequences(a_disk(ClockTrust.UNKNOWN), since_ns=FIRST_NS + 10**9)) == COUNT


def test_nothing_beyond_the_durable_end() -> None:
    assert sequences(a_disk(), through=12)[-1] == 12


def test_what_is_damaged_is_left_out() -> None:
    disk = a_disk()
    newest = max(disk.names(DIRECTORY))
    path = DIRECTORY / newest
    data = bytearray(disk.read(path, 0, 1 << 20))
    data[200] ^= 0xFF
    disk.overwrite(path, bytes(data))
    found = sequences(disk)
    assert set(found) < set(range(1, COUNT + 1))
    assert found[0] == 1


def test_a_medium_that_fails_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = a_disk()

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(disk, "read", fail)
    with pytest.raises(JournalUnavailable):
        sequences(disk)
