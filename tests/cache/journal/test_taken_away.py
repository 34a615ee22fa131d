"""A file that somebody takes away under a running writer: what is durable is also found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cache.journal.catalogue import file_at
from cache.journal.errors import JournalUnavailable
from cache.journal.medium import PosixMedium
from cache.journal.verification import entries_of, verify
from tests.cache.journal.entries import a_writer, drafts


@pytest.mark.parametrize("how", ["removed", "moved", "exchanged"])
def test_nothing_goes_into_a_file_that_somebody_took_away(tmp_path: Path, how: str) -> None:
    """It can be written to, and synced, and what was said to be durable would be nowhere."""
    medium = PosixMedium()
    writer = a_writer(medium, tmp_path)
    writer.append_group(drafts([b"one"]))
    path = file_at(tmp_path, 1).path
    if how == "removed":
        path.unlink()
    elif how == "moved":
        path.rename(tmp_path / "elsewhere")
    else:
        shutil.copy(path, tmp_path / "copy")
        (tmp_path / "copy").replace(path)
    writer.append_group(drafts([b"two"]))
    assert [frame.packed for frame in entries_of(tmp_path, 1, medium)] == [b"two"]
    assert verify(tmp_path).first_sequence == (1 if how == "exchanged" else 2)


def test_without_its_folder_a_journal_takes_nothing(tmp_path: Path) -> None:
    writer = a_writer(PosixMedium(), tmp_path)
    writer.append_group(drafts([b"one"]))
    shutil.rmtree(tmp_path)
    with pytest.raises(JournalUnavailable):
        writer.append_group(drafts([b"two"]))


def test_a_folder_behind_a_symbolic_link_is_no_other_folder(tmp_path: Path) -> None:
    """A state folder often is one: every group would else begin a file of its own."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    writer = a_writer(PosixMedium(), tmp_path / "link")
    for body in (b"one", b"two", b"three"):
        writer.append_group(drafts([body]))
    assert verify(tmp_path / "real").files == 1


def test_where_there_is_no_proc_the_files_themselves_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_proc(_: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("cache.journal.medium.os.readlink", no_proc)
    writer = a_writer(PosixMedium(), tmp_path)
    writer.append_group(drafts([b"one"]))
    writer.append_group(drafts([b"two"]))
    assert verify(tmp_path).files == 1
    file_at(tmp_path, 1).path.unlink()
    writer.append_group(drafts([b"three"]))
    assert [frame.packed for frame in entries_of(tmp_path, 1, PosixMedium())] == [b"three"]
