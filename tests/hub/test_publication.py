"""Protects the process that publishes people: from what lies where the hub was started."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import PublishError
from hub.publication import publishing_in_another_process


async def test_a_folder_named_hub_where_it_was_started_does_not_stand_in_for_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "__init__.py").touch()
    (tmp_path / "hub" / "__main__.py").write_text("raise SystemExit('error: the wrong program')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PublishError) as failed:
        await publishing_in_another_process(tmp_path / "data")()
    assert "wrong program" not in str(failed.value)
    assert "data" in str(failed.value)


async def test_a_child_that_fails_without_our_words_is_told_of_by_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho Traceback >&2; echo 'No module named x' >&2; exit 7\n")
    program.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(PublishError, match=r"published: No module named x \(ended with status 7\)"):
        await publishing_in_another_process(tmp_path)()
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(PublishError, match=r"published: ended by signal 9$"):
        await publishing_in_another_process(tmp_path)()
