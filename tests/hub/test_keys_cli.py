"""Protects `chot hub keys`: what it shows, moves, replaces, and what it never prints."""

from __future__ import annotations

import stat
from pathlib import Path

from hub.errors import DataFolderError, HubError
from hub.folder import DataFolder
from hub.keys import HEAD, ROOT, TRUST_ROLES, key_file, load_keys, read_key
from hub.trust_repository import TrustRepository
from tests.hub.commands import run
from tests.hub.rotating import of


def test_what_was_published_by_an_earlier_version_is_given_a_root(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    succeed("init", "--data", folder.root)
    secret = folder.hash_key.read_bytes()
    for name in ("root.json", *map(key_file, TRUST_ROLES)):
        (folder.keys / name).unlink()
    for path in (folder.replica / "metadata").iterdir():
        path.unlink()
    assert "chot hub init" in fail("keys", "--data", folder.root)
    succeed("init", "--data", folder.root)
    assert folder.hash_key.read_bytes() == secret
    assert folder.root_file.exists()
    assert TrustRepository(folder.replica, load_keys(folder.keys)).root() is not None


def succeed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.replace("\n", " ")


def fail(*arguments: object) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, HubError), result.output
    return f"{result.exception} {result.exception.hint}"


def test_the_command_shows_moves_and_replaces(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    stick = tmp_path / "root.key"
    succeed("init", "--data", folder.root)
    for command in (("keys", "--data", folder.root), ("keys", "show", "--data", folder.root)):
        shown = succeed(*command)
        assert str(folder.root_file) in shown
        assert str(folder.hash_key) in shown
        assert "root metadata counts until" in shown
        assert "kept here" in shown
    first = folder.root_file.read_bytes()
    succeed("keys", "offline", "--data", folder.root, stick)
    assert "kept elsewhere" in succeed("keys", "--data", folder.root)
    assert "--root-key" in fail("keys", "rotate", "--data", folder.root, "snapshot")
    succeed("keys", "--data", folder.root, "rotate", "snapshot", "--root-key", stick)
    assert folder.root_file.read_bytes() != first
    assert str(folder.root_file) in succeed(
        "keys", "rotate", "--data", folder.root, ROOT, "--root-key", stick
    )
    secrets = [stick, *folder.keys.glob("*.key")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert run("keys").exit_code == 2
    assert run("keys", "rotate", "--data", folder.root, "hash").exit_code == 2


def test_a_root_key_that_counts_no_longer_replaces_nothing_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    folder, stick, older = DataFolder(tmp_path / "hub"), tmp_path / "stick", tmp_path / "older"
    succeed("init", "--data", folder.root, "--root-key", stick)
    older.write_bytes(stick.read_bytes())
    succeed("keys", "rotate", "--data", folder.root, ROOT, "--root-key", stick)
    before = {path: path.read_bytes() for path in folder.keys.iterdir()}
    failed = fail("keys", "rotate", "--data", folder.root, "snapshot", "--root-key", older)
    assert "not the key that signs roots" in failed
    assert {path: path.read_bytes() for path in folder.keys.iterdir()} == before


def test_init_may_move_the_root_key_out_at_once(tmp_path: Path) -> None:
    succeed("init", "--data", tmp_path / "hub", "--root-key", tmp_path / "stick")
    assert read_key(tmp_path / "stick")
    assert load_keys(tmp_path / "hub" / "keys").root is None


def test_keys_are_not_replaced_under_a_hub_that_serves(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    succeed("init", "--data", folder.root)
    with folder.served():
        for command in (("rotate", HEAD), ("offline", tmp_path / "stick")):
            result = run("keys", command[0], "--data", folder.root, command[1])
            assert isinstance(result.exception, DataFolderError)
        succeed("init", "--data", folder.root)
        succeed("keys", "--data", folder.root)


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    said = succeed("init", "--data", folder.root) + succeed("keys", "--data", folder.root)
    said += succeed("keys", "rotate", "--data", folder.root, HEAD)
    keys = load_keys(folder.keys)
    for role in (*TRUST_ROLES, HEAD):
        secret = of(keys, role)
        assert secret.hex() not in said
    assert keys.hash_key.hex() not in said
    assert "PRIVATE" not in said
