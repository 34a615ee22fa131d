"""Verification: tampering and damage are each found and named; what never counted is no fault."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from admission.passage import chained, genesis
from cache.journal.catalogue import file_at
from cache.journal.errors import JournalUnavailable
from cache.journal.frame import Header, pack_frame, pack_header
from cache.journal.verification import FaultKind, entries_of, verify
from tests.cache.journal.entries import JOURNAL, a_writer, drafts, file_bytes
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")
FRAME_BYTES = 148


def a_disk(entries: int = 12) -> SimulatedDisk:
    disk = SimulatedDisk()
    writer = a_writer(disk, DIRECTORY, rotate_bytes=600)
    for number in range(entries):
        writer.append_group(drafts([bytes([number]) * 100]))
    return disk


def middle(disk: SimulatedDisk) -> Path:
    return sorted(DIRECTORY / name for name in disk.names(DIRECTORY))[1]


def kinds(disk: SimulatedDisk) -> list[FaultKind]:
    return [fault.kind for fault in verify(DIRECTORY, disk).faults]


def test_a_sound_journal_is_sound() -> None:
    report = verify(DIRECTORY, a_disk())
    assert report.sound
    assert (report.journal, report.entries, report.files) == (JOURNAL, 12, 3)


def test_an_empty_folder_is_no_fault() -> None:
    report = verify(DIRECTORY, SimulatedDisk())
    assert (report.sound, report.files, report.first_sequence) == (True, 0, None)


def test_a_deleted_file_is_missed_with_its_entries() -> None:
    disk = a_disk()
    disk.remove(middle(disk))
    (fault,) = verify(DIRECTORY, disk).faults
    assert (fault.kind, fault.sequence, fault.lost) == (FaultKind.MISSING, 5, 4)


def test_a_truncated_file_is_missed_with_its_entries() -> None:
    disk = a_disk()
    disk.overwrite(middle(disk), disk.content(middle(disk))[: -FRAME_BYTES - 10])
    (fault,) = verify(DIRECTORY, disk).faults
    assert (fault.kind, fault.sequence, fault.lost) == (FaultKind.MISSING, 7, 2)


def test_a_file_rewritten_with_a_chain_of_its_own_does_not_join() -> None:
    disk = a_disk()
    chain_hash = b"\1" * 32
    data = pack_header(Header(JOURNAL, 5, chain_hash))
    for sequence in range(5, 9):
        chain_hash = chained(chain_hash, sequence, b"forged")
        data += pack_frame(sequence, chain_hash, b"forged")
    disk.overwrite(middle(disk), data)
    assert kinds(disk) == [FaultKind.CHAIN, FaultKind.CHAIN]  # on both of its sides


def test_a_journal_that_begins_with_another_hash_is_noticed() -> None:
    disk = SimulatedDisk()
    path = file_at(DIRECTORY, 1).path
    disk.create(path)
    disk.overwrite(path, pack_header(Header(JOURNAL, 1, genesis(bytes(16)))))
    assert kinds(disk) == [FaultKind.CHAIN]


def test_a_file_of_another_journal_is_noticed() -> None:
    disk = a_disk()
    disk.overwrite(middle(disk), pack_header(Header(bytes(16), 5, bytes(32))))
    assert FaultKind.OTHER_JOURNAL in kinds(disk)


def test_a_file_that_cannot_be_read_hides_no_other() -> None:
    disk = a_disk()
    hurt, read = middle(disk), disk.read

    def refuse(path: Path, offset: int, limit: int) -> bytes:
        if path == hurt:
            raise OSError(errno.EIO, "injected")
        return read(path, offset, limit)

    disk.read = refuse  # type: ignore[method-assign]
    report = verify(DIRECTORY, disk)
    assert [fault.kind for fault in report.faults] == [FaultKind.FILE, FaultKind.MISSING]
    assert report.entries == 8


def test_a_write_in_progress_is_no_fault() -> None:
    disk = a_disk()
    newest = max(DIRECTORY / name for name in disk.names(DIRECTORY))
    disk.overwrite(newest, disk.content(newest) + b"\x64\0\0\0half")
    report = verify(DIRECTORY, disk)
    assert (report.sound, report.unfinished_bytes) == (True, 8)


def test_a_pruned_beginning_is_no_fault() -> None:
    disk = a_disk()
    disk.remove(file_at(DIRECTORY, 1).path)
    report = verify(DIRECTORY, disk)
    assert (report.sound, report.first_sequence, report.last_sequence) == (True, 5, 12)


@pytest.mark.parametrize("count", [1, 4, 5, 12, 99])
def test_the_last_entries_are_found_over_files(count: int) -> None:
    sequences = [frame.sequence for frame in entries_of(DIRECTORY, count, a_disk())]
    assert sequences == list(range(1, 13))[-count:]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        verify(tmp_path / "missing")


def test_files_on_a_real_disk_are_read(tmp_path: Path) -> None:
    file_at(tmp_path, 1).path.write_bytes(file_bytes([b"one", b"two"])[0])
    assert verify(tmp_path).last_sequence == 2
