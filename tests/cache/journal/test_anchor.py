"""The anchor: read within bounds, not believed when altered, kept though a medium refuses."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.journal.anchor import (
    ANCHOR_NAME,
    MAX_ANCHOR_BYTES,
    Anchor,
    intact_anchor,
    open_anchor,
    read_anchor,
    sign_anchor,
    write_anchor,
)
from cache.journal.anchor_keeper import AnchorKeeper
from cache.journal.errors import AnchorError
from cache.journal.medium import PosixMedium
from cache.journal.recovery import recover
from cache.journal.verification import FaultKind, Keys, verify
from tests.cache.journal.anchored import DEVICE, DIRECTORY, STRANGER, Gate, a_gate
from tests.cache.journal.simulated_disk import PowerCut, SimulatedDisk

PATH = DIRECTORY / ANCHOR_NAME
NEXT_JOURNAL = b"\x55" * 16


def the_anchor(disk: SimulatedDisk) -> Anchor:
    anchor = read_anchor(disk, DIRECTORY)
    assert anchor is not None
    return anchor


def test_an_anchor_says_where_the_journal_stood() -> None:
    gate = a_gate()
    anchor = the_anchor(gate.disk)
    assert (anchor.journal, anchor.head, anchor.head_hash) == tuple(
        msgspec.structs.astuple(gate.position)
    )
    assert anchor.mark == gate.mark
    assert len(gate.disk.content(PATH)) < 4_096  # one page of the medium


@given(data=st.binary(max_size=400))
def test_no_bytes_are_an_anchor_by_chance(data: bytes) -> None:
    with pytest.raises(AnchorError):
        open_anchor(data)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_an_altered_anchor_is_not_believed(place: int, change: int) -> None:
    data = bytearray(ANCHORED)
    data[place % len(data)] ^= change
    with pytest.raises(AnchorError):
        open_anchor(bytes(data))


ANCHORED = a_gate().disk.content(PATH)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"journal": b"short"},
        {"head": -1},
        {"head": 1 << 63},
        {"head_hash": b""},
        {"found_through": 10_000},
        {"mark": bytes(5_000)},
    ],
)
def test_what_is_out_of_bounds_is_no_anchor_whoever_signed_it(changes: dict[str, object]) -> None:
    anchor = msgspec.structs.replace(open_anchor(ANCHORED), **changes)
    with pytest.raises(AnchorError):
        open_anchor(sign_anchor(anchor, DEVICE))


def test_an_endless_file_is_read_within_bounds() -> None:
    disk = a_gate().disk
    disk.overwrite(PATH, bytes(1 << 20))
    read = disk.read
    asked: list[int] = []

    def counted(path: object, offset: int, limit: int) -> bytes:
        asked.append(limit)
        return read(PATH, offset, limit)

    disk.read = counted  # type: ignore[method-assign,assignment]
    assert intact_anchor(disk, DIRECTORY) is None
    assert asked == [MAX_ANCHOR_BYTES + 1]


def test_nothing_is_written_where_nothing_changed() -> None:
    gate = a_gate()
    operations = len(gate.disk.operations)
    gate.keeper.write()
    assert len(gate.disk.operations) == operations


def test_a_mark_of_a_journal_that_ended_is_left_out() -> None:
    gate = a_gate()
    other = Gate(SimulatedDisk(), Random(4), journal=NEXT_JOURNAL)
    other.write(5)
    other.acknowledge(5)
    gate.mark = other.mark
    gate.keeper.write()
    assert the_anchor(gate.disk).mark == b""


async def test_a_medium_that_refuses_is_told_and_tried_again() -> None:
    gate = a_gate()
    gate.write(1)

    def full(operation: str, _: int) -> None:
        if operation == "sync":
            raise OSError(errno.ENOSPC, "injected")

    gate.disk.before = full
    await gate.keeper.close()
    assert gate.keeper.status.last_error
    assert the_anchor(gate.disk).head < gate.position.last_sequence
    gate.disk.before = lambda operation, count: None
    await gate.keeper.close()
    assert not gate.keeper.status.last_error
    assert the_anchor(gate.disk).head == gate.position.last_sequence


async def test_running_it_writes_at_once_and_then_at_intervals() -> None:
    gate = Gate(SimulatedDisk(), Random(0))
    gate.write(3)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        gate.write(1)
        if len(waited) == 3:
            raise asyncio.CancelledError

    keeper = AnchorKeeper(DIRECTORY, lambda: gate.position, DEVICE, medium=gate.disk, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await keeper.run()
    assert waited == [10.0] * 3
    assert keeper.status.writes == 3
    assert the_anchor(gate.disk).head == gate.position.last_sequence - 1


def again(disk: SimulatedDisk) -> Gate:
    """Start the gate once more on the same folder."""
    return Gate(disk, Random(1), journal=NEXT_JOURNAL)


def test_the_next_run_goes_on_from_it() -> None:
    disk = a_gate().disk
    gate = again(disk)
    gate.write(5)
    gate.keeper.write()
    anchor = the_anchor(disk)
    assert (anchor.head, anchor.found_through) == (gate.position.last_sequence, 0)
    assert verify(DIRECTORY, disk, keys=Keys(DEVICE.public_key())).sound


@pytest.mark.parametrize("by", ["damage", "stranger"])
def test_an_anchor_that_is_not_believed_is_kept_as_evidence_and_replaced(by: str) -> None:
    disk = a_gate().disk
    if by == "damage":
        disk.overwrite(PATH, disk.content(PATH)[:-1])
    else:
        anchor = the_anchor(disk)
        device = STRANGER.public_key().public_bytes_raw()
        write_anchor(disk, DIRECTORY, msgspec.structs.replace(anchor, device=device), STRANGER)
    before = verify(DIRECTORY, disk).last_sequence
    gate = again(disk)
    gate.write(2)
    gate.keeper.write()
    assert the_anchor(disk).found_through == before
    faults = verify(DIRECTORY, disk, keys=Keys(DEVICE.public_key())).faults
    assert [(fault.kind, fault.file) for fault in faults] == [
        (FaultKind.FILE, f"{ANCHOR_NAME}.damaged")
    ]
    assert recover(disk, DIRECTORY, NEXT_JOURNAL).damaged_files == 1


def test_a_deleted_newest_file_ends_the_journal_though_no_hub_ever_heard_of_it() -> None:
    disk = a_gate().disk
    newest = max(name for name in disk.names(DIRECTORY) if name.endswith(".journal"))
    disk.remove(DIRECTORY / newest)
    recovery = recover(disk, DIRECTORY, NEXT_JOURNAL)
    assert recovery.position.journal == NEXT_JOURNAL
    assert recovery.retired_journals == 1


def test_a_journal_of_which_only_the_anchor_is_left_is_remembered() -> None:
    disk = a_gate().disk
    for name in disk.names(DIRECTORY):
        if name.endswith(".journal"):
            disk.remove(DIRECTORY / name)
    gate = again(disk)
    gate.write(2)
    gate.keeper.write()
    faults = verify(DIRECTORY, disk, keys=Keys(DEVICE.public_key())).faults
    assert {fault.kind for fault in faults} == {FaultKind.FILE, FaultKind.MISSING}


def test_a_folder_that_was_exchanged_is_not_continued() -> None:
    gate, other = a_gate(), Gate(SimulatedDisk(), Random(9), journal=b"\x77" * 16)
    other.write(9)
    disk = other.disk
    disk.create(PATH)
    disk.overwrite(PATH, gate.disk.content(PATH))
    recovery = recover(disk, DIRECTORY, NEXT_JOURNAL)
    assert recovery.position.journal == NEXT_JOURNAL
    assert recovery.retired_journals == 2


def test_power_cuts_never_leave_an_anchor_that_is_ahead_of_the_files() -> None:
    for seed in range(150):
        rng, disk = Random(seed), SimulatedDisk()
        count = rng.randint(5, 160)

        def cut(_: str, operations: int, count: int = count) -> None:
            if operations >= count:
                raise PowerCut

        disk.before = cut
        with contextlib.suppress(PowerCut):
            gate = Gate(disk, rng)
            for _ in range(40):
                gate.write(1)
                gate.keeper.write()
        after = disk.cut(rng)
        gate = again(after)
        gate.keeper.write()
        report = verify(DIRECTORY, after, keys=Keys(DEVICE.public_key()))
        assert report.sound, (seed, report.faults)
        assert gate.position.journal != NEXT_JOURNAL or not report.entries


def test_it_is_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    write_anchor(PosixMedium(), tmp_path, open_anchor(ANCHORED), DEVICE)
    assert (tmp_path / ANCHOR_NAME).stat().st_mode & 0o777 == 0o600
    assert intact_anchor(PosixMedium(), tmp_path) == open_anchor(ANCHORED)
