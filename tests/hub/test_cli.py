"""`chot hub`: each command does its work, says what is wrong and what to do, and ends."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from admission.instant import Instant
from appliance.cli.main import main as chot
from cache.replica.names import ALIASES, PERSONS
from hub.__main__ import main as as_module
from hub.clock import HubClock
from hub.errors import HubError, PublishError
from hub.folder import DataFolder
from hub.keys import load_keys
from hub.publish import Publisher
from tests.hub.commands import run, succeed

COMMANDS = ("init", "keys", "synthesize", "publish", "serve")


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.cli.log_to_stderr", lambda: None)  # pytest's own handlers stay


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    succeed("init", "--data", tmp_path / "hub")
    return DataFolder(tmp_path / "hub")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = succeed(command, "--help")
    assert "--data" in result.output
    assert command in succeed("--help").output


def test_init_makes_private_files_and_keeps_them(folder: DataFolder) -> None:
    before = folder.hash_key.read_bytes()
    result = succeed("init", "--data", folder.root)
    assert folder.hash_key.read_bytes() == before
    assert str(folder.root_file) in result.output.replace("\n", "")
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    for secret in (folder.database, folder.hash_key, *folder.keys.glob("*.key")):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_synthetic_population_is_published_and_signed(folder: DataFolder, tmp_path: Path) -> None:
    succeed(
        *("synthesize", "--data", folder.root, "--people", 300, "--seed", 5, "--on", "2021-09-20"),
        *("--samples", tmp_path / "codes.jsonl", "--sample-count", 40),
    )
    lines = (tmp_path / "codes.jsonl").read_bytes().splitlines()
    assert len(lines) == 40
    assert set(msgspec.json.decode(lines[0])) == {"text", "kind", "expected"}
    assert "300 people" in succeed("publish", "--data", folder.root).output
    succeed("synthesize", "--data", folder.root, "--people", 300, "--seed", 5, "--on", "2021-09-20")
    succeed("publish", "--data", folder.root)
    head = Publisher(folder.published, load_keys(folder.keys)).published()
    assert head is not None
    assert head.sequence == 2
    assert (head.datasets[PERSONS].rows, head.datasets[ALIASES].rows) == (300, 600)


def test_somebody_has_to_vouch_for_a_clock_that_leapt(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed("synthesize", "--data", folder.root, "--people", 3)
    succeed("publish", "--data", folder.root)
    present = HubClock.now

    def leapt(clock: HubClock) -> Instant:
        now = present(clock)
        return msgspec.structs.replace(now, wall_ns=now.wall_ns + 61 * 86_400 * 10**9)

    monkeypatch.setattr(HubClock, "now", leapt)
    refused = run("publish", "--data", folder.root)
    assert isinstance(refused.exception, PublishError)
    assert "61 days ahead" in str(refused.exception)
    assert "--accept-clock" in (refused.exception.hint or "")
    succeed("publish", "--data", folder.root, "--accept-clock")
    succeed("publish", "--data", folder.root)


def fail(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    # Whoever runs the command shows it: `chot`, or `python -m hub`.
    assert isinstance(result.exception, HubError), "an error for people, not a traceback"
    return f"{result.exception} {result.exception.hint}"


@pytest.mark.parametrize("command", ["keys", "synthesize", "publish", "serve"])
def test_a_foreign_folder_is_refused_with_a_hint(command: str, tmp_path: Path) -> None:
    assert "chot hub init" in fail(command, "--data", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists(), "a mistyped folder gets no identity of its own"


def test_keys_names_the_files_that_a_gate_needs(folder: DataFolder) -> None:
    shown = succeed("keys", "--data", folder.root).output.replace("\n", "")
    assert str(folder.root_file) in shown
    assert str(folder.hash_key) in shown


def test_one_folder_is_served_by_one_hub(folder: DataFolder) -> None:
    with folder.served():
        assert "already" in fail("serve", "--data", folder.root, "--port", 0)
    with folder.served():
        pass


def shown_by(main: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_an_error_looks_the_same_under_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typo = str(tmp_path / "typo")
    expected = (
        f"error: {typo} is not a hub's folder\n  → make it one: chot hub init --data {typo}\n"
    )
    monkeypatch.setattr("sys.argv", ["hub", "keys", "--data", typo])
    assert shown_by(as_module, capsys) == expected
    monkeypatch.setattr("sys.argv", ["chot", "hub", "keys", "--data", typo])
    assert shown_by(chot, capsys) == expected


def test_publishing_nobody_is_refused_with_a_hint(folder: DataFolder) -> None:
    assert "synthesize" in fail("publish", "--data", folder.root)


def test_an_unwritable_place_is_named(folder: DataFolder, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "samples"
    some = ("--people", "10", "--samples", nowhere)
    assert str(nowhere) in fail("synthesize", "--data", folder.root, *some)
    (tmp_path / "file").write_text("")
    assert "--data" in fail("init", "--data", tmp_path / "file" / "hub")


def test_a_database_that_is_none_is_refused(folder: DataFolder) -> None:
    folder.database.write_bytes(b"not a database at all" * 100)
    assert "SQLite" in fail("publish", "--data", folder.root)


def test_a_newer_database_is_refused(folder: DataFolder) -> None:
    connection = sqlite3.connect(folder.database)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert "update chot" in fail("publish", "--data", folder.root)


def test_an_address_that_cannot_be_listened_on_is_refused(folder: DataFolder) -> None:
    assert run("serve", "--data", folder.root, "--port", 99_999).exit_code == 2
    assert "--host" in fail("serve", "--data", folder.root, "--host", "203.0.113.1", "--port", 0)


def test_an_announcement_that_cannot_be_written_is_refused(folder: DataFolder) -> None:
    nowhere = folder.root / "nowhere" / "announce"
    arguments = ("serve", "--data", folder.root, "--port", 0, "--announce", nowhere)
    assert str(nowhere) in fail(*arguments)
