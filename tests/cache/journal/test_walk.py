"""Walking over all entries: every one that counts, once, whatever else lies in the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache.journal.catalogue import list_files
from cache.journal.errors import JournalUnavailable
from cache.journal.pruning import Done, FilePruner, Limits
from cache.journal.retention import Keeping
from cache.journal.walk import every_frame, journal_of
from cache.journal.witness import stated_mark
from tests.cache.journal.anchored import DIRECTORY, a_gate
from tests.cache.journal.entries import JOURNAL


def test_every_entry_is_there_once_and_progress_is_told() -> None:
    gate = a_gate()
    lengths: list[int] = []
    sequences = [f.sequence for f in every_frame(DIRECTORY, gate.disk, read=lengths.append)]
    assert sequences == list(range(1, gate.position.last_sequence + 1))
    assert len(lengths) == len(list_files(gate.disk, DIRECTORY))


def test_what_was_pruned_is_passed_over() -> None:
    gate = a_gate()
    files = FilePruner(DIRECTORY, gate.keeper, Keeping(0, 1_000, 0), gate.medium)
    for _ in files.steps(Limits(stated_mark(gate.mark), 1 << 41), Done()):
        pass
    sequences = [frame.sequence for frame in every_frame(DIRECTORY, gate.disk)]
    assert sequences == sorted(set(sequences))
    assert set(sequences) < set(range(1, gate.position.last_sequence + 1))


def test_a_damaged_file_hides_no_other() -> None:
    gate = a_gate()
    first, second, *_ = list_files(gate.disk, DIRECTORY)
    gate.disk.overwrite(first.path, b"")
    assert next(every_frame(DIRECTORY, gate.disk)).sequence == second.first_sequence


def test_the_journal_s_id_is_known_from_any_header() -> None:
    disk = a_gate().disk
    disk.overwrite(list_files(disk, DIRECTORY)[-1].path, b"")
    assert journal_of(DIRECTORY, disk) == JOURNAL


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        next(every_frame(tmp_path / "missing"))
