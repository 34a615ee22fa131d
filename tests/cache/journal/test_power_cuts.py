"""Power cuts: whatever the medium did with unsynced writes, no acknowledged entry is lost.

Every operation on the disk is a place where power can go, several times with other sectors kept,
dropped and torn. The positive control (a disk that lies about syncs) must lose entries, or this
test would prove nothing.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cache.journal.errors import JournalDamaged, JournalUnavailable
from cache.journal.recovery import recover
from cache.journal.verification import FaultKind, verify
from tests.cache.journal.entries import JOURNAL, a_writer, all_entries, drafts
from tests.cache.journal.simulated_disk import PowerCut, SimulatedDisk

DIRECTORY = Path("journal")
ROTATE_BYTES = 3_000
GROUPS = 24
CUTS = 400


class Ledger:
    """What the journal vouched for. A sequence that is given out twice is a loss too."""

    def __init__(self) -> None:
        self.acknowledged: dict[int, bytes] = {}
        self.reused = False

    def note(self, first: int, group: list[bytes]) -> None:
        fresh = dict(enumerate(group, start=first))
        self.reused |= bool(fresh.keys() & self.acknowledged.keys())
        self.acknowledged |= fresh


def work(disk: SimulatedDisk, rng: Random, ledger: Ledger, groups: int) -> None:
    writer = a_writer(disk, DIRECTORY, rotate_bytes=ROTATE_BYTES)
    for _ in range(groups):
        group = [rng.randbytes(rng.randint(1, 700)) for _ in range(rng.randint(1, 4))]
        with contextlib.suppress(JournalUnavailable):
            ledger.note(writer.append_group(drafts(group)).last_sequence - len(group) + 1, group)


def operations_of_a_whole_run() -> int:
    disk = SimulatedDisk()
    work(disk, Random(0), Ledger(), GROUPS)
    return len(disk.operations)


async def survived(
    seed: int, operation: int, *, honest: bool = True, fault_rate: float = 0.0
) -> bool:
    """Cut the power at one operation, perhaps again while recovering; tell whether all is there."""
    rng, ledger = Random(seed), Ledger()
    disk = SimulatedDisk(honest=honest)
    cuts = [operation, *(rng.randint(1, 8) for _ in range(rng.randint(0, 2)))]
    try:
        for last in cuts:

            def before(_: str, count: int, last: int = last) -> None:
                if count >= last:
                    raise PowerCut
                if rng.random() < fault_rate:
                    raise OSError(rng.choice((errno.EIO, errno.ENOSPC)), "injected")

            disk.before = before
            with contextlib.suppress(PowerCut, OSError):
                work(disk, rng, ledger, GROUPS)
            disk = disk.cut(rng)
        work(disk, rng, ledger, 3)
        return await holds(disk, ledger)
    except JournalDamaged:
        return False


async def holds(disk: SimulatedDisk, ledger: Ledger) -> bool:
    position = recover(disk, DIRECTORY, JOURNAL).position
    entries = await all_entries(disk, DIRECTORY, position.last_sequence)
    found = {entry.sequence: entry.packed for entry in entries}
    # A torn group may leave a gap before an entry of its own that survived: never acknowledged.
    innocent = all(
        fault.kind is FaultKind.UNREADABLE
        and ledger.acknowledged.keys().isdisjoint(
            range(fault.sequence, fault.sequence + fault.lost)
        )
        for fault in verify(DIRECTORY, disk).faults
    )
    return innocent and not ledger.reused and ledger.acknowledged.items() <= found.items()


async def test_no_acknowledged_entry_is_lost_in_any_cut() -> None:
    operations = operations_of_a_whole_run()
    for seed in range(CUTS):
        operation = seed % operations + 1
        assert await survived(seed, operation), (seed, operation)


async def test_no_acknowledged_entry_is_lost_when_the_medium_fails_before_the_cut() -> None:
    operations = operations_of_a_whole_run()
    for seed in range(CUTS // 2):
        operation = Random(seed).randint(1, operations)
        assert await survived(seed, operation, fault_rate=0.15), (seed, operation)


@pytest.mark.parametrize("failure", [PowerCut(), OSError(errno.EIO, "injected")])
async def test_what_a_dead_process_left_in_the_page_cache_is_secured_before_it_counts(
    failure: BaseException,
) -> None:
    """The process dies, not the machine: its unsynced frame can be read, and then power goes."""
    for seed in range(20):
        disk, ledger = SimulatedDisk(), Ledger()
        work(disk, Random(seed), ledger, 2)
        syncs = iter(range(100))

        def before(name: str, _: int, syncs: Iterator[int] = syncs) -> None:
            if name == "truncate" or (name == "sync" and next(syncs) == 1):
                raise failure

        disk.before = before
        with contextlib.suppress(PowerCut):
            work(disk, Random(seed), ledger, 1)
        disk.before = lambda name, count: None
        work(disk, Random(seed), ledger, 1)
        disk = disk.cut(Random(seed))
        assert await holds(disk, ledger)
        assert verify(DIRECTORY, disk).sound


async def test_positive_control_a_disk_without_syncs_does_lose() -> None:
    operations = operations_of_a_whole_run()
    kept = [await survived(seed, seed % operations + 1, honest=False) for seed in range(CUTS // 4)]
    assert kept.count(False) > len(kept) // 4


@pytest.mark.parametrize("skipped", ["sync", "sync_directory"])
async def test_positive_control_each_kind_of_sync_is_needed(
    skipped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimulatedDisk, skipped, lambda self, where: None)
    operations = operations_of_a_whole_run()
    kept = [await survived(seed, seed % operations + 1) for seed in range(CUTS // 4)]
    assert False in kept
