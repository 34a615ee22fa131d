"""The pruning task: both clocks are asked, room is made in time, and nothing of it stops a gate."""

from __future__ import annotations

import asyncio
import errno
from random import Random

import msgspec
import pytest

from admission.instant import ClockTrust, Instant
from cache.journal.catalogue import list_files
from cache.journal.disk_budget import Level, Space, disk_status, level_of
from cache.journal.pruner import INTERVAL_S, Pruner
from cache.journal.pruning import FilePruner
from cache.journal.retention import Keeping
from cache.journal.verification import Keys, verify
from tests.cache.journal.anchored import BORN_NS, DAY_NS, DEVICE, DIRECTORY, Gate, a_gate
from tests.cache.journal.entries import JOURNAL
from tests.cache.journal.simulated_disk import SimulatedDisk


class Station:
    """A gate's journal with its pruner; the clock and the disk's space are set by hand."""

    def __init__(self, *, wall_ns: int, trust: ClockTrust = ClockTrust.SYNCHRONISED) -> None:
        self.gate = a_gate()
        self.now = Instant(wall_ns, 0, "boot", trust)
        self.budget = 1 << 40
        self.slept: list[float] = []
        self.pruner = Pruner(
            FilePruner(DIRECTORY, self.gate.keeper, Keeping(), self.gate.medium),
            JOURNAL,
            mark=lambda: self.gate.mark,
            now=lambda: self.now,
            space=self.space,
            sleep=self.sleep,
        )

    def space(self) -> Space:
        disk = self.gate.disk
        used = sum(len(disk.content(file.path)) for file in list_files(disk, DIRECTORY))
        return Space(used, self.budget, 0, 1 << 40)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds == INTERVAL_S:
            raise asyncio.CancelledError

    @property
    def files(self) -> int:
        return len(list_files(self.gate.disk, DIRECTORY))


LATER_NS = BORN_NS + 500 * DAY_NS


async def test_what_both_clocks_call_old_is_pruned_in_small_steps() -> None:
    station = Station(wall_ns=LATER_NS)
    before = station.files
    with pytest.raises(asyncio.CancelledError):
        await station.pruner.run()
    status = station.pruner.status
    assert status.removed_files == before - station.files > 0
    assert status.pruned_entries > 0
    assert (status.waiting_for, status.last_error, status.released_entries) == ("", "", 0)
    assert len(station.slept) > 2 * status.removed_files
    assert verify(DIRECTORY, station.gate.disk, keys=Keys(DEVICE.public_key())).sound


@pytest.mark.parametrize("ahead", ["gate", "hub"])
async def test_one_clock_that_jumped_ahead_prunes_nothing(ahead: str) -> None:
    today_ns = BORN_NS + 15 * DAY_NS
    station = Station(wall_ns=LATER_NS if ahead == "gate" else today_ns)
    station.gate.acknowledge(station.gate.held, wall_ns=today_ns if ahead == "gate" else LATER_NS)
    await station.pruner.prune()
    assert station.pruner.status.removed_files == 0


async def test_a_clock_that_nobody_vouches_for_prunes_nothing_and_says_so() -> None:
    station = Station(wall_ns=LATER_NS, trust=ClockTrust.UNKNOWN)
    await station.pruner.prune()
    assert station.pruner.status.removed_files == 0
    assert "date" in station.pruner.status.waiting_for


async def test_without_a_mark_of_this_journal_nothing_is_pruned() -> None:
    station = Station(wall_ns=LATER_NS)
    other = Gate(SimulatedDisk(), Random(0), journal=b"\x77" * 16)
    other.write(5)
    other.acknowledge(5)
    for mark in (b"", b"garbage", other.mark):
        station.gate.mark = mark
        await station.pruner.prune()
        assert station.pruner.status.removed_files == 0
        assert "hub" in station.pruner.status.waiting_for


async def test_a_nearly_full_disk_lets_go_what_the_hub_holds_until_there_is_room() -> None:
    station = Station(wall_ns=BORN_NS, trust=ClockTrust.UNKNOWN)
    station.budget = station.space().journal * 100 // 96
    await station.pruner.prune()
    status, disk = station.pruner.status, station.pruner.disk
    assert 0 < status.released_entries == status.pruned_entries
    assert disk is not None
    assert disk.level < Level.CRITICAL
    assert station.space().journal * 100 < 85 * station.budget
    assert verify(DIRECTORY, station.gate.disk, keys=Keys(DEVICE.public_key())).sound


async def test_to_a_full_file_system_no_more_is_given_than_it_needs() -> None:
    station = Station(wall_ns=BORN_NS)
    whole = station.space().journal

    def space() -> Space:
        used = station.space().journal
        return Space(used, 0, 950 * whole + used, 1_000 * whole)

    station.pruner = Pruner(
        FilePruner(DIRECTORY, station.gate.keeper, Keeping(), station.gate.medium),
        JOURNAL,
        mark=lambda: station.gate.mark,
        now=lambda: station.now,
        space=lambda: msgspec.structs.replace(space(), used=space().used - whole // 2),
        sleep=station.sleep,
    )
    await station.pruner.prune()
    assert whole // 4 < station.space().journal <= whole // 2


async def test_what_the_hub_does_not_hold_is_not_let_go_however_full_the_disk_is() -> None:
    station = Station(wall_ns=BORN_NS)
    station.budget = 1
    await station.pruner.prune()
    first = list_files(station.gate.disk, DIRECTORY)[0].first_sequence
    assert first <= station.gate.held + 1
    disk = station.pruner.disk
    assert disk is not None
    assert disk.level is Level.CRITICAL


async def test_a_medium_that_refuses_is_told_and_stops_nothing() -> None:
    station = Station(wall_ns=LATER_NS)

    def broken(operation: str, _: int) -> None:
        raise OSError(errno.EIO, "injected")

    station.gate.disk.before = broken
    await station.pruner.prune()
    assert "injected" in station.pruner.status.last_error
    station.gate.disk.before = lambda operation, count: None
    await station.pruner.prune()
    assert station.pruner.status.last_error == ""
    assert station.pruner.status.removed_files > 0


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        (0, Level.FINE),
        (69, Level.FINE),
        (70, Level.NOTICE),
        (84, Level.NOTICE),
        (85, Level.WARNING),
        (94, Level.WARNING),
        (95, Level.CRITICAL),
        (150, Level.CRITICAL),
    ],
)
def test_levels_begin_where_they_say(percent: int, level: Level) -> None:
    assert level_of(percent, 100) is level
    assert disk_status(Space(percent, 100, 0, 100)).level is level
    assert disk_status(Space(0, 100, percent, 100)).level is level


def test_without_a_budget_the_file_system_alone_is_the_bound() -> None:
    assert disk_status(Space(1 << 40, 0, 1, 100)).ok


def test_health_is_told_which_of_both_is_full() -> None:
    status = disk_status(Space(96, 100, 71, 100))
    assert status.why.startswith("the journal takes 96 % of its budget and the file system is 71 %")
    assert status.facts["journal_bytes"] == 96
