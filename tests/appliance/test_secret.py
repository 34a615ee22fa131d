"""Secrets are made once, stay 0600, and are refused when the whole machine may read them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.secret import device_key, read_secret


def counting(n: int) -> bytes:
    return bytes(range(n))


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    assert device_key(path, counting) == bytes(range(32))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert device_key(path, lambda n: b"x" * n) == bytes(range(32))
    assert list(tmp_path.iterdir()) == [path]


def test_a_left_over_draft_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "device.key.part").write_bytes(b"half")
    assert len(device_key(tmp_path / "device.key", counting)) == 32


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read") as caught:
        read_secret(path)
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 5_000])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        device_key(path, counting)


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone"):
        read_secret(tmp_path / "gone")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"device\.key"):
        device_key(tmp_path / "missing" / "device.key", counting)
