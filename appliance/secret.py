"""The appliance's secrets: the key that readings are digested with, and cameras' passwords."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.errors import ConfigError
from cache.errors import KeyFileError
from cache.replica.durable import write_durably
from cache.replica.keys import read_secret

DEVICE_KEY_BYTES = 32
CREDENTIALS_HINT = "write one line `user:password` into it and chmod it to 600"
STATE_HINT = "appliance.state_dir must belong to the service's user"


def device_key(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return this device's own 32-byte key, made and kept in `path` at the first call.

    :raises ConfigError: if the file cannot be made, is readable by others, or is not such a key.
    """
    if not _is_there(path):
        _create(path, random_bytes(DEVICE_KEY_BYTES))
    key = _read(path, STATE_HINT)
    if len(key) != DEVICE_KEY_BYTES:
        msg = f"{path}: not a device key of {DEVICE_KEY_BYTES} bytes"
        raise ConfigError(msg, hint="move it away; a new one is made at the next start")
    return key


def read_credentials(path: Path) -> tuple[str, str]:
    """Return user and password of a network camera from a file of one line, `user:password`.

    A password may hold colons and spaces, a user may not hold a colon.

    :raises ConfigError: if it cannot be read, others may read it, or it holds something else.
    """
    line = _read(path, CREDENTIALS_HINT).rstrip(b"\r\n")
    try:
        user, colon, password = line.decode().partition(":")
    except UnicodeDecodeError:
        user = colon = password = ""
    if not (user and colon) or not (user + password).isprintable():
        msg = f"{path} does not hold one line user:password"
        raise ConfigError(msg, hint=CREDENTIALS_HINT)
    return user, password


def _read(path: Path, missing_hint: str, form: Callable[[bytes], bool] = lambda _: True) -> bytes:
    try:
        return read_secret(path, missing_hint=missing_hint, form=form)
    except KeyFileError as error:
        raise ConfigError(str(error), hint=error.hint) from error


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # of a folder that this user may not enter
        msg = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(msg, hint=STATE_HINT) from error


def _create(path: Path, data: bytes) -> None:
    try:
        write_durably(path, data)
    except OSError as error:
        msg = f"{path}: cannot be created: {error.strerror}"
        raise ConfigError(msg, hint=STATE_HINT) from error
