"""Secrets are made once, stay 0600, and are refused when the whole machine may read them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.secret import device_key, read_credentials


def counting(n: int) -> bytes:
    return bytes(range(n))


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    assert device_key(path, counting) == bytes(range(32))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert device_key(path, lambda n: b"x" * n) == bytes(range(32))
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be"):
        device_key(tmp_path / ("x" * 300), counting)


def test_a_left_over_draft_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "device.key.tmp").write_bytes(b"half")
    assert len(device_key(tmp_path / "device.key", counting)) == 32


def a_token_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_device_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    device_key(tmp_path / "device.key", counting)
    (tmp_path / "device.key").chmod(0o640)
    with pytest.raises(ConfigError, match="readable by others"):
        device_key(tmp_path / "device.key", counting)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 5_000])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        device_key(path, counting)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"device\.key"):
        device_key(tmp_path / "missing" / "device.key", counting)


@pytest.mark.parametrize(
    ("content", "credentials"),
    [
        (b"gate:secret\n", ("gate", "secret")),
        (b"gate:with : colons \r\n", ("gate", "with : colons ")),
        ("cổng:mật khẩu".encode(), ("cổng", "mật khẩu")),
        (b"gate:", ("gate", "")),
    ],
)
def test_a_network_cameras_credentials_are_one_line(
    tmp_path: Path, content: bytes, credentials: tuple[str, str]
) -> None:
    assert read_credentials(a_token_file(tmp_path, content)) == credentials


@pytest.mark.parametrize("content", [b"", b"secret", b":secret", b"a:b\nc:d", b"\xff:x", b"a:b\0"])
def test_what_holds_no_credentials_is_refused_without_telling_it(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(ConfigError, match="does not hold one line") as caught:
        read_credentials(a_token_file(tmp_path, content))
    assert "chmod" in caught.value.hint
    assert "secret" not in str(caught.value)


def test_credentials_that_others_may_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="readable by others"):
        read_credentials(a_token_file(tmp_path, b"gate:secret", 0o644))
