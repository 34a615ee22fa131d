"""The segment writer: order of operations, rotation, and every way in which a disk can refuse."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cache.journal.errors import JournalUnavailable
from cache.journal.recovery import recover
from cache.journal.segment_file import SegmentWriter
from cache.journal.verification import entries_of, verify
from tests.cache.journal.entries import JOURNAL
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")


def opened(disk: SimulatedDisk, rotate_bytes: int = 1_000) -> SegmentWriter:
    position = recover(disk, DIRECTORY, JOURNAL).position
    return SegmentWriter(disk, DIRECTORY, position, rotate_bytes=rotate_bytes)


def failing(operation: str, number: int = errno.ENOSPC) -> object:
    def before(name: str, _: int) -> None:
        if name == operation:
            raise OSError(number, "injected")

    return before


def packed_in(disk: SimulatedDisk) -> list[bytes]:
    return [frame.packed for frame in entries_of(DIRECTORY, 10_000, disk)]


def test_a_new_file_is_durable_by_name_before_an_entry_counts() -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    disk.operations.clear()
    writer.append_group([b"one"])
    assert disk.operations == [
        "create",
        "append",
        "sync",
        "rename",
        "sync_directory",
        "append",
        "sync",
    ]


def test_one_group_costs_one_write_and_one_sync() -> None:
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=1 << 20)
    writer.prepare()
    disk.operations.clear()
    assert writer.append_group([b"entry"] * 50).last_sequence == 50
    assert disk.operations == ["append", "sync"]


def test_a_full_file_is_followed_by_one_that_continues_the_chain() -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    for number in range(20):
        writer.append_group([bytes([number]) * 300])
    report = verify(DIRECTORY, disk)
    assert report.sound
    assert (report.first_sequence, report.last_sequence, report.entries) == (1, 20, 20)
    assert report.files == 7  # three entries of 348 bytes go beyond 1,000


def test_short_writes_are_completed() -> None:
    disk = SimulatedDisk()
    disk.short_writes = True
    opened(disk).append_group([b"a" * 500, b"b" * 500])
    assert packed_in(disk) == [b"a" * 500, b"b" * 500]


@pytest.mark.parametrize("operation", ["create", "append", "sync", "rename", "sync_directory"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_whatever_fails_the_chain_goes_on_when_the_medium_is_back(
    operation: str, number: int
) -> None:
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=100)  # every group begins a file: all operations occur
    writer.append_group([b"x" * 200])
    disk.before = failing(operation, number)  # type: ignore[assignment]
    for _ in range(3):
        with pytest.raises(JournalUnavailable) as caught:
            writer.append_group([b"lost"])
        assert caught.value.hint
        assert writer.position.last_sequence == 1
    disk.before = lambda name, count: None
    assert writer.append_group([b"kept"]).last_sequence == 2
    assert packed_in(disk) == [b"x" * 200, b"kept"]
    assert verify(DIRECTORY, disk).sound


@pytest.mark.parametrize(("operation", "in_doubt"), [("create", False), ("sync", True)])
def test_doubt_is_told_from_certainty(operation: str, in_doubt: bool) -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    if in_doubt:
        writer.prepare()
    disk.before = failing(operation)  # type: ignore[assignment]
    with pytest.raises(JournalUnavailable) as caught:
        writer.append_group([b"entry"])
    assert caught.value.in_doubt is in_doubt


def test_refused_attempts_leave_no_litter() -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    writer.append_group([b"one"])
    disk.before = failing("sync")  # type: ignore[assignment]
    for _ in range(50):
        with pytest.raises(JournalUnavailable):
            writer.append_group([b"two"])
    assert len(disk.names(DIRECTORY)) <= 2


def test_nothing_is_written_behind_a_failed_sync() -> None:
    """After a failed sync the page cache shows what the medium may never have got (fsyncgate)."""
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=1 << 20)
    writer.append_group([b"one"])
    (old,) = disk.names(DIRECTORY)
    before = disk.content(DIRECTORY / old)
    disk.before = failing("sync", errno.EIO)  # type: ignore[assignment]
    with pytest.raises(JournalUnavailable):
        writer.append_group([b"two"])
    disk.before = lambda name, count: None
    writer.append_group([b"three"])
    assert disk.content(DIRECTORY / old) == before
    assert len(disk.names(DIRECTORY)) == 2


class FailingMedium(RuleBasedStateMachine):
    """Appends, failures of every operation and restarts, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = SimulatedDisk()
        self.writer = opened(self.disk, rotate_bytes=400)
        self.acknowledged: dict[int, bytes] = {}

    @rule(group=st.lists(st.binary(min_size=1, max_size=120), min_size=1, max_size=4))
    def append(self, group: list[bytes]) -> None:
        try:
            last = self.writer.append_group(group).last_sequence
        except JournalUnavailable:
            return
        fresh = dict(enumerate(group, start=last - len(group) + 1))
        assert not fresh.keys() & self.acknowledged.keys()
        self.acknowledged |= fresh

    @rule(
        operation=st.sampled_from(["create", "append", "sync", "rename", "sync_directory", "none"]),
        truncates=st.booleans(),
    )
    def failures(self, operation: str, truncates: bool) -> None:
        def before(name: str, _: int) -> None:
            if name == operation or (name == "truncate" and not truncates):
                raise OSError(errno.EIO, "injected")

        self.disk.before = before

    @rule()
    def restart(self) -> None:
        self.disk.before = lambda name, count: None
        self.writer = opened(self.disk, rotate_bytes=400)

    @invariant()
    def every_acknowledged_entry_stands_once(self) -> None:
        found = {f.sequence: f.packed for f in entries_of(DIRECTORY, 10_000, self.disk)}
        assert self.acknowledged.items() <= found.items()
        assert verify(DIRECTORY, self.disk).sound


TestFailingMedium = FailingMedium.TestCase
TestFailingMedium.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
