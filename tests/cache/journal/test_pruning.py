"""Pruning: what may go goes, what must stay stays, and any power cut leaves a provable journal."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.journal_record import PassageRecord, opened, unpack_record
from admission.sealing import Opener, SealSession
from cache.journal.catalogue import list_files, read_file
from cache.journal.errors import JournalUnavailable
from cache.journal.frame import Frame
from cache.journal.pruning import Done, FilePruner, KeptAltered, Limits
from cache.journal.retention import Keeping
from cache.journal.scan import scan
from cache.journal.verification import FaultKind, Keys, Report, verify
from cache.journal.witness import stated_mark
from tests.cache.journal.anchored import BORN_NS, DAY_NS, DEVICE, DIRECTORY, HUB, SEAL, Gate, a_gate
from tests.cache.journal.entries import JOURNAL
from tests.cache.journal.simulated_disk import PowerCut, SimulatedDisk

KEYS = Keys(DEVICE.public_key(), (HUB.public_key(),))
MONTH = Keeping(scan_days=10, act_days=1_000, enquiry_days=10)


def day_ms(day: int) -> int:
    """Return a moment at which files are old up to this day, of which there is one for each."""
    return (BORN_NS + (day + 1) * DAY_NS) // 1_000_000


def prune(gate: Gate, keeping: Keeping, day: int | None, *, release: bool = False) -> Done:
    """Go over the files once, with a new pruner: it remembers nothing of earlier passes."""
    files = FilePruner(DIRECTORY, gate.keeper, keeping, gate.medium)
    limit_ms = None if day is None else day_ms(day)
    done = Done()
    for _ in files.steps(Limits(stated_mark(gate.mark), limit_ms, release), done):
        pass
    return done


def left(disk: SimulatedDisk) -> dict[int, bytes]:
    found = {}
    for file in list_files(disk, DIRECTORY):
        for finding in scan(read_file(disk, file), file.first_sequence):
            if isinstance(finding, Frame):
                found[finding.sequence] = finding.packed
    return found


def checked(disk: SimulatedDisk) -> Report:
    return verify(DIRECTORY, disk, keys=KEYS)


def test_what_is_old_and_held_by_the_hub_is_removed_by_whole_files() -> None:
    gate = a_gate()
    files = list_files(gate.disk, DIRECTORY)
    before = left(gate.disk)
    done = prune(gate, Keeping(10, 10, 10), 12)
    after = left(gate.disk)
    assert done.removed_files == 2
    assert (done.rewritten_files, done.pruned) == (0, len(before) - len(after))
    assert min(after) == files[2].first_sequence
    assert checked(gate.disk).sound


def test_what_the_hub_does_not_hold_stays_for_ever() -> None:
    gate = a_gate()
    before = left(gate.disk)
    prune(gate, Keeping(0, 0, 0), 10_000)
    after = left(gate.disk)
    assert before.keys() - after.keys() <= set(range(1, gate.held + 1))
    assert after.keys() >= set(range(gate.held + 1, max(before) + 1))
    assert checked(gate.disk).sound


def test_the_newest_file_is_never_touched() -> None:
    gate = a_gate()
    gate.acknowledge(gate.position.last_sequence)
    newest = list_files(gate.disk, DIRECTORY)[-1]
    prune(gate, Keeping(0, 0, 0), 10_000)
    assert list_files(gate.disk, DIRECTORY) == [newest]
    assert checked(gate.disk).sound


def test_without_a_certain_date_nothing_grows_old() -> None:
    gate = a_gate()
    assert prune(gate, Keeping(0, 0, 0), None) == Done()


@settings(max_examples=20)
@given(seed=st.integers(0, 50), days=st.lists(st.integers(5, 40), max_size=3))
def test_what_is_kept_longer_stays_with_what_followed_and_its_seals_open(
    seed: int, days: list[int]
) -> None:
    gate = a_gate(seed)
    gate.acknowledge(gate.position.last_sequence)
    newest = list_files(gate.disk, DIRECTORY)[-1].first_sequence
    before = left(gate.disk)
    for day in sorted(days):
        prune(gate, MONTH, day)
        assert checked(gate.disk).sound
    after = left(gate.disk)
    assert after.items() <= before.items()
    kept = {s for s in before if s in gate.acts or gate.followups.get(s) in gate.acts}
    assert after.keys() >= kept
    if days and max(days) == 40:
        old_scans = {s for s in gate.scans if s < newest}
        assert after.keys().isdisjoint(old_scans)
        gone = {s for s, about in gate.followups.items() if about in old_scans and s < newest}
        assert after.keys().isdisjoint(gone)
    assert all_open(after)


def all_open(entries: dict[int, bytes]) -> bool:
    opener, session = Opener(SEAL), None
    for sequence in sorted(entries):
        record = unpack_record(entries[sequence])
        if isinstance(record, SealSession):
            session = opener.begin(record, JOURNAL)
        elif isinstance(record, PassageRecord):
            assert opened(record, session).person == sequence
    return True


def test_after_its_own_time_what_was_kept_longer_goes_too() -> None:
    gate = a_gate()
    prune(gate, MONTH, 30)
    assert set(left(gate.disk)) & gate.acts
    prune(gate, MONTH, 2_000)
    assert not set(left(gate.disk)) & gate.acts & set(range(1, gate.held - 20))
    assert checked(gate.disk).sound


def test_room_is_made_oldest_first_and_file_by_file() -> None:
    gate = a_gate()
    files = list_files(gate.disk, DIRECTORY)
    for removed in (1, 2):
        done = prune(gate, Keeping(), None, release=True)
        assert done.removed_files == 1
        assert list_files(gate.disk, DIRECTORY) == files[removed:]
        assert checked(gate.disk).sound


def test_what_each_step_gave_back_is_told() -> None:
    gate = a_gate()
    sizes = [sum(len(gate.disk.content(f.path)) for f in list_files(gate.disk, DIRECTORY))]
    freed: list[int] = []
    files = FilePruner(DIRECTORY, gate.keeper, MONTH, gate.medium, freed=freed.append)
    for _ in files.steps(Limits(stated_mark(gate.mark), day_ms(30)), Done()):
        pass
    sizes.append(sum(len(gate.disk.content(f.path)) for f in list_files(gate.disk, DIRECTORY)))
    assert sum(freed) == sizes[0] - sizes[1] > 0


def test_nothing_is_removed_where_the_anchor_cannot_be_written() -> None:
    gate = a_gate()
    before = left(gate.disk)

    def full(operation: str, _: int) -> None:
        if operation == "write":
            raise OSError(errno.ENOSPC, "injected")

    gate.disk.before = full
    with pytest.raises(JournalUnavailable):
        prune(gate, Keeping(0, 0, 0), 10_000)
    assert left(gate.disk) == before


def test_a_damaged_file_is_not_rewritten_but_goes_with_its_time() -> None:
    gate = a_gate()
    first = list_files(gate.disk, DIRECTORY)[0]
    data = bytearray(gate.disk.content(first.path))
    data[400] ^= 1
    gate.disk.overwrite(first.path, bytes(data))
    prune(gate, MONTH, 30)
    assert gate.disk.content(first.path) == bytes(data)
    assert FaultKind.UNREADABLE in {fault.kind for fault in checked(gate.disk).faults}
    prune(gate, MONTH, 2_000)
    assert first not in list_files(gate.disk, DIRECTORY)
    assert checked(gate.disk).sound


@pytest.mark.parametrize("way", ["delete", "alter"])
def test_tampering_with_what_was_kept_is_found_and_stops_pruning(way: str) -> None:
    gate = a_gate()
    prune(gate, MONTH, 30)
    kept = list_files(gate.disk, DIRECTORY)[0]
    assert checked(gate.disk).pruned
    if way == "delete":
        gate.disk.remove(kept.path)
    else:
        gate.disk.overwrite(kept.path, gate.disk.content(kept.path)[:-48])
    assert FaultKind.PRUNED in {fault.kind for fault in checked(gate.disk).faults}
    with pytest.raises(KeptAltered):
        prune(gate, MONTH, 2_000)


@pytest.mark.parametrize("moment", range(1, 12))
def test_pruning_while_a_journal_is_verified_is_no_tampering(moment: int) -> None:
    gate = a_gate()
    read, reads = gate.disk.read, iter(range(1, 1_000))

    def reading(path: Path, offset: int, limit: int) -> bytes:
        if next(reads) == moment:
            prune(gate, MONTH, 30)
        return read(path, offset, limit)

    gate.disk.read = reading  # type: ignore[method-assign]
    assert checked(gate.disk).sound


@pytest.mark.parametrize("seeds", [range(120), pytest.param(range(4_000), marks=pytest.mark.slow)])
def test_any_power_cut_and_any_failure_leave_a_journal_that_is_sound(seeds: range) -> None:
    for seed in seeds:
        rng = Random(seed)
        gate = a_gate(seed % 7, entries=40)
        whole, start = left(gate.disk), len(gate.disk.operations)
        stop = start + rng.randint(1, 60)

        def before(_: str, count: int, stop: int = stop, rng: Random = rng) -> None:
            if count >= stop:
                raise PowerCut
            if rng.random() < 0.05:
                raise OSError(errno.EIO, "injected")

        gate.disk.before = before
        with contextlib.suppress(PowerCut):
            for day in (12, 14, 16, 40, 2_000):
                with contextlib.suppress(OSError, JournalUnavailable):
                    prune(gate, MONTH, day)
        after = Gate(gate.disk.cut(rng), rng, journal=b"\x99" * 16)
        assert after.position.journal == JOURNAL, seed
        report = checked(after.disk)
        assert report.sound, (seed, report.faults)
        found = left(after.disk)
        assert found.items() <= whole.items()
        assert found.keys() >= set(range(gate.held + 1, max(whole) + 1))
        after.mark = gate.mark
        prune(after, MONTH, 2_000)
        assert checked(after.disk).sound, seed
