"""Keys are created once, kept from others, and refused when they are not what they should be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cache.replica.keys import load_hash_key, load_public_keys
from hub.errors import KeyFileError
from hub.keys import (
    HASH_KEY,
    HEAD_KEY,
    HEAD_PUBLIC_KEY,
    ROOT,
    ROOT_FILE,
    TRUST_ROLES,
    complete_keys,
    create_keys,
    key_file,
    load_keys,
)
from hub.seal_keys import SEAL_KEY

TRUST_KEYS = [key_file(role) for role in TRUST_ROLES]


@pytest.fixture
def wide_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_is_created_is_loaded_by_hub_and_gate(tmp_path: Path) -> None:
    created = create_keys(tmp_path / "keys")
    loaded = load_keys(tmp_path / "keys")
    assert loaded.head.private_bytes_raw() == created.head.private_bytes_raw()
    assert loaded.hash_key == created.hash_key == load_hash_key(tmp_path / "keys" / HASH_KEY)
    (public,) = load_public_keys(tmp_path / "keys" / HEAD_PUBLIC_KEY)
    assert public.public_bytes_raw() == created.public_key.public_bytes_raw()


def test_two_hubs_share_no_key(tmp_path: Path) -> None:
    one, two = create_keys(tmp_path / "1"), create_keys(tmp_path / "2")
    assert one.hash_key != two.hash_key
    assert one.head.private_bytes_raw() not in {two.head.private_bytes_raw(), one.hash_key}


@pytest.mark.usefixtures("wide_umask")
def test_secrets_are_the_owners_only_whatever_the_umask(tmp_path: Path) -> None:
    create_keys(tmp_path / "keys")
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()}
    assert modes == dict.fromkeys([HEAD_KEY, HASH_KEY, SEAL_KEY, *TRUST_KEYS], 0o600) | {
        HEAD_PUBLIC_KEY: 0o644
    }
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", [HEAD_KEY, HASH_KEY, HEAD_PUBLIC_KEY, *TRUST_KEYS])
def test_existing_keys_are_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(KeyFileError, match=name):
        create_keys(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"precious"


@pytest.mark.parametrize("name", [HEAD_KEY, HASH_KEY, *TRUST_KEYS])
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_secrets_that_others_may_read_are_refused(tmp_path: Path, name: str, mode: int) -> None:
    create_keys(tmp_path)
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyFileError, match="readable by others") as refusal:
        load_keys(tmp_path)
    assert "chmod 600" in refusal.value.hint


@pytest.mark.parametrize("name", [HEAD_KEY, HASH_KEY, *TRUST_KEYS])
@pytest.mark.parametrize("content", [None, b"", b"noise", b"\xff" * 100, b"0" * 100_000])
def test_missing_and_malformed_keys_are_refused(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    create_keys(tmp_path)
    if content is None and name == key_file(ROOT):
        return  # the root's key may be elsewhere: see below
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(KeyFileError):
        load_keys(tmp_path)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyFileError, match="cannot be written"):
        create_keys(tmp_path / "file" / "keys")


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    keys = create_keys(tmp_path)
    assert keys.hash_key.hex() not in repr(keys)
    assert str(keys.hash_key) not in repr(keys)


def test_the_roots_key_may_be_elsewhere(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (tmp_path / key_file(ROOT)).unlink()
    assert load_keys(tmp_path).root is None


def test_every_role_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = create_keys(tmp_path)
    assert keys.root is not None
    private = (keys.root, keys.targets, keys.snapshot, keys.timestamp, keys.head)
    assert len({key.private_bytes_raw() for key in private}) == 5


def test_a_directory_of_an_earlier_version_gets_the_keys_it_lacks(tmp_path: Path) -> None:
    created = create_keys(tmp_path)
    for name in TRUST_KEYS:
        (tmp_path / name).unlink()
    with pytest.raises(KeyFileError):
        load_keys(tmp_path)
    assert complete_keys(tmp_path)
    completed = load_keys(tmp_path)
    assert completed.head.private_bytes_raw() == created.head.private_bytes_raw()
    assert completed.root is not None
    assert not complete_keys(tmp_path)


def test_a_key_that_is_gone_once_gates_know_it_is_not_made_up_again(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (tmp_path / ROOT_FILE).write_bytes(b"{}")
    (tmp_path / key_file(ROOT)).unlink()
    assert not complete_keys(tmp_path)
    assert load_keys(tmp_path).root is None
