"""Recovery: the chain continues after the last intact entry, whatever the files look like."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from admission.passage import genesis
from cache.journal.anchor import ANCHOR_NAME
from cache.journal.catalogue import file_at, list_files
from cache.journal.found import found
from cache.journal.frame import HEADER_BYTES, MAX_FRAME_BYTES
from cache.journal.medium import PosixMedium
from cache.journal.recovery import recover
from cache.journal.scan import MAX_FILE_BYTES
from cache.journal.segment_file import SegmentWriter
from cache.journal.verification import FaultKind, entries_of, verify
from tests.cache.journal.anchored import a_gate
from tests.cache.journal.entries import JOURNAL, a_writer, drafts
from tests.cache.journal.folders import not_ours
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")
OTHER = bytes(16)


def written(groups: int, rotate_bytes: int = 1 << 20) -> SimulatedDisk:
    disk = SimulatedDisk()
    continued(disk, groups, rotate_bytes).close()
    return disk


def continued(disk: SimulatedDisk, groups: int, rotate_bytes: int = 1 << 20) -> SegmentWriter:
    writer = a_writer(disk, DIRECTORY, rotate_bytes=rotate_bytes)
    for _ in range(groups):
        writer.append_group(drafts([b"e" * 100]))
    return writer


def files(disk: SimulatedDisk) -> list[Path]:
    return sorted(DIRECTORY / name for name in disk.names(DIRECTORY))


def flip(disk: SimulatedDisk, path: Path, place: int) -> None:
    data = bytearray(disk.content(path))
    data[place] ^= 1
    disk.overwrite(path, bytes(data))


def test_an_empty_folder_begins_a_journal() -> None:
    recovery = recover(SimulatedDisk(), DIRECTORY, JOURNAL)
    assert recovery.position.last_sequence == 0
    assert recovery.position.chain_hash == genesis(JOURNAL)


def test_a_journal_keeps_its_id() -> None:
    assert recover(written(1), DIRECTORY, OTHER).position.journal == JOURNAL
    assert recover(written(0), DIRECTORY, OTHER).position.journal == OTHER


@pytest.mark.parametrize("cut", [1, 50, 147])
def test_a_torn_tail_does_not_count_and_the_chain_continues_before_it(cut: int) -> None:
    disk = written(3)
    (path,) = files(disk)
    disk.overwrite(path, disk.content(path)[:-cut])
    recovery = recover(disk, DIRECTORY, JOURNAL)
    assert recovery.position.last_sequence == 2
    assert recovery.torn_bytes == 148 - cut
    continued(disk, 2)
    report = verify(DIRECTORY, disk)
    assert (report.sound, report.entries, report.last_sequence) == (True, 4, 4)
    assert report.unfinished_bytes == 148 - cut


def test_space_set_aside_is_no_torn_write_and_is_given_back() -> None:
    disk = SimulatedDisk()
    continued(disk, 3)  # and the process dies: nobody closes the file
    (path,) = files(disk)
    assert len(disk.content(path)) == 1 << 20
    recovery = recover(disk, DIRECTORY, JOURNAL)
    assert (recovery.position.last_sequence, recovery.torn_bytes) == (3, 0)
    assert len(disk.content(path)) == recovery.used_bytes == HEADER_BYTES + 3 * 148
    assert verify(DIRECTORY, disk).sound


def test_a_torn_write_into_space_set_aside_is_kept_as_it_is() -> None:
    disk = SimulatedDisk()
    continued(disk, 3)
    (path,) = files(disk)
    torn = disk.content(path)[: HEADER_BYTES + 3 * 148 - 10]
    disk.overwrite(path, torn.ljust(1 << 20, b"\0"))
    recovery = recover(disk, DIRECTORY, JOURNAL)
    assert (recovery.position.last_sequence, recovery.torn_bytes) == (2, 138)
    assert disk.content(path) == torn


def test_entries_after_a_damaged_one_are_kept() -> None:
    disk = written(5)
    (path,) = files(disk)
    flip(disk, path, HEADER_BYTES + 2 * 148 + 60)
    recovery = recover(disk, DIRECTORY, JOURNAL)
    assert recovery.position.last_sequence == 5
    assert [damage.sequence for damage in recovery.damages] == [3]
    continued(disk, 1)
    faults = verify(DIRECTORY, disk).faults
    assert [(fault.kind, fault.sequence, fault.lost) for fault in faults] == [
        (FaultKind.UNREADABLE, 3, 1)
    ]


def test_a_damaged_header_costs_no_entry() -> None:
    disk = written(6, rotate_bytes=300)
    newest = files(disk)[-1]
    flip(disk, newest, 20)
    recovery = recover(disk, DIRECTORY, OTHER)
    assert (recovery.position.journal, recovery.position.last_sequence) == (JOURNAL, 6)
    continued(disk, 1)
    assert [fault.kind for fault in verify(DIRECTORY, disk).faults] == [FaultKind.HEADER]


def test_an_older_file_without_a_header_is_counted() -> None:
    disk = written(6, rotate_bytes=300)
    disk.overwrite(files(disk)[0], b"\0" * 700)
    recovery = recover(disk, DIRECTORY, OTHER)
    assert (recovery.position.journal, recovery.damaged_files) == (JOURNAL, 1)
    assert recover(written(6, rotate_bytes=300), DIRECTORY, OTHER).damaged_files == 0


def test_without_any_header_nobody_guesses_which_journal_it_is() -> None:
    """The gate starts all the same, with a new journal beside what is kept as evidence."""
    disk = written(1)
    flip(disk, files(disk)[0], 20)
    recovery = recover(disk, DIRECTORY, OTHER)
    assert (recovery.position.journal, recovery.damaged_files) == (OTHER, 1)
    assert [path.suffix for path in files(disk)] == [".damaged"]


def test_without_any_header_the_anchor_says_which_journal_it_is() -> None:
    disk = a_gate(entries=5).disk
    for path in files(disk):
        if path.suffix == ".journal":
            flip(disk, path, 20)
    recovery = recover(disk, DIRECTORY, OTHER)
    assert (recovery.position.journal, recovery.retired_journals) == (OTHER, 1)
    assert not list_files(disk, DIRECTORY)
    assert ANCHOR_NAME in disk.names(DIRECTORY / JOURNAL.hex())


def test_a_file_longer_than_any_of_ours_is_set_aside() -> None:
    disk = written(1)
    disk.overwrite(files(disk)[0], bytes(MAX_FILE_BYTES + 1))
    assert recover(disk, DIRECTORY, OTHER).damaged_files == 1


def test_leftovers_of_a_file_never_finished_are_removed() -> None:
    disk = written(1)
    disk.create(DIRECTORY / "0000000000000000002.part")
    disk.create(DIRECTORY / "notes.txt")
    recover(disk, DIRECTORY, JOURNAL)
    assert [path.suffix for path in files(disk)] == [".journal", ".txt"]


def test_a_group_is_never_longer_than_what_a_file_may_hold() -> None:
    assert 4_096 * MAX_FRAME_BYTES < MAX_FILE_BYTES


def test_an_older_file_that_cannot_be_read_keeps_no_gate_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = a_gate()
    gate.write(40)  # the anchor's head stands some files back now
    disk, newest = gate.disk, list_files(gate.disk, DIRECTORY)[-1].path

    def read(path: Path, offset: int, limit: int) -> bytes:
        if path.suffix == newest.suffix and path != newest:
            raise OSError(errno.EIO, "the medium reports an error")
        return disk.content(path)[offset : offset + limit]

    monkeypatch.setattr(disk, "read", read)
    recovery = recover(disk, DIRECTORY, OTHER)
    assert recovery.position == gate.position


@pytest.mark.parametrize("kind", ["pipe", "link", "loop", "folder", "device"])
def test_what_is_no_file_keeps_no_gate_from_starting(tmp_path: Path, kind: str) -> None:
    """A pipe in the newest file's place would otherwise be waited for without end."""
    medium = PosixMedium()
    writer = a_writer(medium, tmp_path)
    writer.append_group(drafts([b"entry"]))
    writer.close()
    not_ours(file_at(tmp_path, 99).path, kind)
    recovery = recover(medium, tmp_path, OTHER)
    assert recovery.position.journal == OTHER
    assert recovery.damaged_files == 1
    not_ours(file_at(tmp_path, 1).path, kind)
    report = verify(tmp_path, medium)
    assert {fault.kind for fault in report.faults} == {FaultKind.FILE}
    assert entries_of(tmp_path, 9, medium) == []
    assert found(medium, tmp_path, OTHER).through == 0
