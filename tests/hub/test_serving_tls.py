"""A hub that cannot serve TLS as it was told to says why, and serves nothing instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import HubError
from tests.hub.commands import run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("hub.cli.log_to_stderr", lambda: None)
    monkeypatch.setattr("hub.cli.forbid_core_dumps", lambda: True)
    assert run("init", "--data", tmp_path / "hub").exit_code == 0
    return tmp_path / "hub"


def refused(*arguments: object) -> str:
    result = run("serve", "--port", 0, *arguments)
    assert isinstance(result.exception, HubError), result.output
    return f"{result.exception} {result.exception.hint}"


def test_tls_needs_a_name(root: Path) -> None:
    assert "--name" in refused("--data", root, "--tls")
    unmeant = run("serve", "--port", 0, "--data", root, "--name", "localhost")
    assert (unmeant.exit_code, "plain HTTP" in unmeant.output) == (2, True)


def test_a_folder_of_an_earlier_version_is_completed_by_init(root: Path) -> None:
    (root / "keys" / "ca.key").unlink()
    (root / "keys" / "ca.crt").unlink()
    assert "chot hub init" in refused("--data", root, "--tls", "--name", "localhost")
    assert run("init", "--data", root).exit_code == 0
    made = (root / "keys" / "ca.crt").read_bytes()
    assert run("init", "--data", root).exit_code == 0
    assert (root / "keys" / "ca.crt").read_bytes() == made, "and never replaced"


def test_an_authority_whose_key_is_lost_is_named(root: Path) -> None:
    (root / "keys" / "ca.key").unlink()
    assert "ca.key" in refused("--data", root)


def test_foreign_files_that_are_none_are_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "noise").write_text("noise")
    files = ("--certificate", tmp_path / "noise", "--key", tmp_path / "noise")
    assert "cannot be used for TLS" in refused("--data", root, *files)
    assert run("serve", "--data", root, *files[:2]).exit_code == 2
