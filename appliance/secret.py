"""Secrets in files: made once, 0600, and refused when others may read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from appliance.errors import ConfigError

MAX_TOKEN_BYTES = 4_096
DEVICE_KEY_BYTES = 32


def device_key(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return this device's own 32-byte key, made and kept in `path` at the first call.

    :raises ConfigError: if the file cannot be made, is readable by others, or is not such a key.
    """
    if not path.exists():
        _create(path, random_bytes(DEVICE_KEY_BYTES))
    key = read_secret(path)
    if len(key) != DEVICE_KEY_BYTES:
        msg = f"{path}: not a device key of {DEVICE_KEY_BYTES} bytes"
        raise ConfigError(msg, hint="move it away; a new one is made at the next start")
    return key


def read_secret(path: Path) -> bytes:
    """Return the bytes of a secret file.

    :raises ConfigError: if it cannot be read, is larger than 4 KiB, or others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_TOKEN_BYTES + 1)
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise ConfigError(msg, hint="`chot check` says which files are needed") from error
    if mode & 0o077:
        msg = f"{path}: others may read this secret"
        raise ConfigError(msg, hint=f"chmod 600 {path}")
    if len(data) > MAX_TOKEN_BYTES:
        msg = f"{path}: too large for a secret"
        raise ConfigError(msg, hint="name the file that the hub wrote")
    return data


def _create(path: Path, data: bytes) -> None:
    draft = path.with_name(path.name + ".part")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        msg = f"{path}: cannot be created: {error.strerror}"
        raise ConfigError(msg, hint="appliance.state_dir must be writable") from error
