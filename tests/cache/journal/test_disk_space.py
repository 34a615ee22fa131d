"""The disk's space as the system tells it: the journal's folder is counted with what lies in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache.journal.disk_budget import space_of


def test_files_and_folders_of_retired_journals_count(tmp_path: Path) -> None:
    empty = space_of(tmp_path, 5).journal
    (tmp_path / ("0" * 32)).mkdir()
    for path in (tmp_path / "a.journal", tmp_path / ("0" * 32) / "b.journal"):
        path.write_bytes(b"x" * 10_000)
    space = space_of(tmp_path, 5)
    assert space.journal - empty >= 20_000
    assert 0 < space.used <= space.total
    assert space.budget == 5


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        space_of(tmp_path / "missing", 5)
