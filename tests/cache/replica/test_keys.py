"""Key files are what they say, and secrets are nobody else's to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cache.errors import KeyFileError
from cache.replica.keys import hash_key_id, load_hash_key, load_public_keys
from tests.cache.replica.releases import HASH_KEY, SIGNER, STRANGER


def pem(*keys: object) -> bytes:
    return b"".join(
        k.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
        for k in keys
    )


def secret(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_hash_key_is_read(tmp_path: Path) -> None:
    assert load_hash_key(secret(tmp_path / "k", HASH_KEY.hex().encode() + b"\n")) == HASH_KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o666])
def test_a_hash_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileError, match="readable by others") as refusal:
        load_hash_key(secret(tmp_path / "k", HASH_KEY.hex().encode(), mode))
    assert "chmod 600" in refusal.value.hint


def test_another_file_that_all_may_read_is_no_hash_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="64 hex digits"):
        load_hash_key(secret(tmp_path / "k", b"notes", 0o644))


@pytest.mark.parametrize(
    "data", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 64, b"0" * 20_000]
)
def test_a_malformed_hash_key_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(KeyFileError):
        load_hash_key(secret(tmp_path / "k", data))


def test_a_missing_key_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError) as refusal:
        load_hash_key(tmp_path / "k")
    assert "chot enrol" in refusal.value.hint


def test_several_public_keys_are_read(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(pem(SIGNER.public_key(), STRANGER.public_key()))
    raw = [k.public_bytes_raw() for k in load_public_keys(tmp_path / "p")]
    assert raw == [k.public_key().public_bytes_raw() for k in (SIGNER, STRANGER)]


def test_other_keys_or_none_are_refused(tmp_path: Path) -> None:
    elliptic = generate_private_key(SECP256R1()).public_key()
    for data in (b"", b"hello", pem(SIGNER.public_key(), elliptic), pem(SIGNER.public_key())[:-9]):
        (tmp_path / "p").write_bytes(data)
        with pytest.raises(KeyFileError):
            load_public_keys(tmp_path / "p")


def test_a_hash_keys_name_differs_with_the_key_and_is_none_of_its_bytes() -> None:
    assert hash_key_id(HASH_KEY) != hash_key_id(bytes(32))
    assert hash_key_id(HASH_KEY) not in HASH_KEY
