"""A device's key is born once, on the device, stays private, and is never replaced unasked."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.errors import ConfigError
from appliance.identity import identity_of, signing_key
from cache.replica.keys import load_public_keys


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    files = identity_of(tmp_path / "state")
    first = signing_key(files)
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert signing_key(files).private_bytes_raw() == first.private_bytes_raw()
    assert b"PRIVATE" not in files.public_key.read_bytes()
    (told,) = load_public_keys(files.public_key)
    assert told.public_bytes_raw() == first.public_key().public_bytes_raw()


def test_no_two_devices_have_the_same_key(tmp_path: Path) -> None:
    one, other = (signing_key(identity_of(tmp_path / name)) for name in ("a", "b"))
    assert one.private_bytes_raw() != other.private_bytes_raw()


def test_a_lost_public_half_is_written_again(tmp_path: Path) -> None:
    files = identity_of(tmp_path)
    signing_key(files)
    files.public_key.unlink()
    signing_key(files)
    assert files.public_key.exists()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    files = identity_of(tmp_path)
    signing_key(files)
    files.key.chmod(0o644)
    with pytest.raises(ConfigError, match="readable by others") as caught:
        signing_key(files)
    assert "chmod 600" in caught.value.hint


_EC = generate_private_key(SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


@pytest.mark.parametrize("content", [b"", b"not a key", _EC, b"x" * 20_000])
def test_what_is_no_such_key_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    files = identity_of(tmp_path)
    files.folder.mkdir()
    files.key.write_bytes(content)
    files.key.chmod(0o600)
    with pytest.raises(ConfigError, match=r"device\.key"):
        signing_key(files)
    assert files.key.read_bytes() == content


def test_a_state_folder_that_cannot_be_written_is_named() -> None:
    files = identity_of(Path("/proc/self/state"))
    with pytest.raises(ConfigError) as caught:
        signing_key(files)
    assert "state_dir" in caught.value.hint
