"""Protects what gates have sealed: every key that it was sealed for is kept, and opens it."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.seal_recipient import read_recipient
from admission.sealing import Sealer, SealSession, key_id, raw_public
from cache.replica.durable import write_durably
from cache.replica.names import SEAL_JOURNAL
from hub import seals as seals_module
from hub.cli import hub
from hub.clock import HubClock
from hub.errors import DocumentError, KeyFileError
from hub.folder import DataFolder
from hub.keys import HubKeys, create_keys, load_keys
from hub.seal_keys import SEAL_KEY, complete_seal_key, load_seal_keys, rotate_seal_key
from hub.seals import Seals
from hub.server import ServeOptions, serving
from hub.store.sqlite import open_store

JOURNAL = bytes(range(16))


def present(keys: HubKeys) -> X25519PrivateKey:
    assert keys.seals.present is not None
    return keys.seals.present


def sealed(keys: HubKeys, text: bytes, journal: bytes = JOURNAL) -> tuple[SealSession, bytes]:
    sealer = Sealer(present(keys).public_key(), os.urandom(32), journal)
    return sealer.session, sealer.seal(text, b"public")


def test_what_was_sealed_for_a_former_key_still_opens(tmp_path: Path) -> None:
    create_keys(tmp_path)
    kept = []
    for text in (b"one", b"two", b"three"):
        kept.append((sealed(load_keys(tmp_path), text), text))
        rotate_seal_key(tmp_path, entropy=os.urandom)
    keys = load_keys(tmp_path)
    assert len(keys.seals.former) == 3
    seals = Seals.of(keys)
    for (session, seal), text in kept:
        opened = seals.session(session, JOURNAL)
        assert opened is not None
        assert opened.open(seal, b"public") == text


def test_what_is_for_nobody_here_opens_not(tmp_path: Path) -> None:
    keys = create_keys(tmp_path / "a")
    stranger = create_keys(tmp_path / "b")
    session, _ = sealed(stranger, b"text")
    assert Seals.of(keys).session(session, JOURNAL) is None
    small = SealSession(key_id(present(keys).public_key()), bytes(32))
    assert Seals.of(keys).session(small, JOURNAL) is None
    assert Seals.of(HubKeys(*(None,) * 5)).session(session, JOURNAL) is None  # type: ignore[arg-type]


def test_sessions_stay_open_and_not_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals_module, "MAX_SESSIONS", 2)
    keys = create_keys(tmp_path)
    seals, sessions = Seals.of(keys), [sealed(keys, b"")[0] for _ in range(3)]
    first = seals.session(sessions[0], JOURNAL)
    assert seals.session(sessions[0], JOURNAL) is first
    assert seals.session(sessions[0], bytes(16)) is not first
    for session in sessions:
        seals.session(session, JOURNAL)
    assert len(seals._sessions) == 2


def test_keys_are_secret_files_and_bad_ones_are_refused(tmp_path: Path) -> None:
    create_keys(tmp_path)
    rotate_seal_key(tmp_path, entropy=os.urandom)
    files = [tmp_path / SEAL_KEY, *tmp_path.glob("seal-*.key")]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 2
    assert "PRIVATE" not in repr(load_keys(tmp_path).seals)
    for path in files:
        whole = path.read_bytes()
        path.chmod(0o640)
        with pytest.raises(KeyFileError, match="readable by others"):
            load_keys(tmp_path)
        path.chmod(0o600)
        path.write_bytes((tmp_path / "head.key").read_bytes())
        with pytest.raises(KeyFileError, match="X25519"):
            load_keys(tmp_path)
        path.write_bytes(whole)


def test_an_older_folder_gets_a_key_and_no_key_is_made_anew(tmp_path: Path) -> None:
    keys = create_keys(tmp_path)
    assert not complete_seal_key(tmp_path)
    (tmp_path / SEAL_KEY).unlink()
    assert load_seal_keys(tmp_path).present is None
    assert complete_seal_key(tmp_path)
    made = present(load_keys(tmp_path))
    assert raw_public(made.public_key()) != raw_public(present(keys).public_key())


@pytest.mark.parametrize("cut_off", [SEAL_KEY, "seal-"])
def test_a_rotation_that_is_cut_off_loses_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_off: str
) -> None:
    keys = create_keys(tmp_path)
    session, _ = sealed(keys, b"")

    def write(path: Path, data: bytes) -> None:
        if path.name.startswith(cut_off):
            raise OSError(errno.EIO, "power")
        write_durably(path, data)

    monkeypatch.setattr("hub.seal_keys.write_durably", write)
    with pytest.raises(KeyFileError):
        rotate_seal_key(tmp_path, entropy=os.urandom)
    assert Seals.of(load_keys(tmp_path)).session(session, JOURNAL) is not None


def run(*arguments: str) -> str:
    done = CliRunner().invoke(hub, [*arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


async def the_document(folder: Path) -> bytes | None:
    async with open_store(folder / "hub.db") as store:
        return await store.document(SEAL_JOURNAL)


def test_gates_learn_the_key_and_its_successor(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    run("init", *data)
    for _ in range(2):
        document = asyncio.run(the_document(tmp_path))
        assert document is not None
        key = present(load_keys(tmp_path / "keys")).public_key()
        assert raw_public(read_recipient(document)) == raw_public(key)
        assert key_id(key).hex() in run("keys", *data)
        run("keys", "rotate", "seal", *data)
    with pytest.raises(DocumentError, match="not to be removed"):
        run("document", "remove", SEAL_JOURNAL, *data)
    (tmp_path / "forged").write_bytes(document)
    with pytest.raises(DocumentError, match="gates know no document"):
        run("document", "put", SEAL_JOURNAL, str(tmp_path / "forged"), *data)


async def test_a_hub_of_before_seals_says_what_is_missing_until_init_makes_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = DataFolder(tmp_path)
    await asyncio.to_thread(run, "init", "--data", str(tmp_path))
    async with open_store(folder.database) as store:
        await store.remove_document(SEAL_JOURNAL)
    (folder.keys / SEAL_KEY).unlink()
    async with serving(folder, ServeOptions(port=0), HubClock()):
        assert "run chot hub init" in caplog.text
    assert await the_document(tmp_path) is None
    caplog.clear()
    await asyncio.to_thread(run, "init", "--data", str(tmp_path))
    assert await the_document(tmp_path) is not None
    async with serving(folder, ServeOptions(port=0), HubClock()):
        assert "run chot hub init" not in caplog.text
