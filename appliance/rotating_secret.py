"""The file of rotating codes' schemes: a secret of its own, 0600, at the gate and at the issuer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from admission.credentials.rotating_scheme import (
    DEFAULT_HINT,
    SECRET_BYTES,
    Schemes,
    SchemeTable,
    read_schemes,
    schemes_document,
)
from admission.errors import TrustError
from appliance.errors import ConfigError
from cache.errors import KeyFileError
from cache.replica.durable import write_durably
from cache.replica.keys import read_secret


def load_schemes(path: Path) -> Schemes:
    """Return the schemes in a file.

    :raises ConfigError: if it cannot be read, others may read it, or it holds something else. The
        message never quotes what is in it.
    """
    try:
        return read_schemes(read_secret(path, missing_hint=DEFAULT_HINT, form=_are_schemes))
    except (KeyFileError, TrustError) as error:
        msg = str(error) if isinstance(error, KeyFileError) else f"{path}: {error}"
        raise ConfigError(msg, hint=error.hint) from error


def _are_schemes(data: bytes) -> bool:
    try:
        read_schemes(data)
    except TrustError:
        return False
    return True


def create_schemes(path: Path, name: str, random_bytes: Callable[[int], bytes]) -> Schemes:
    """Write a file with one new scheme of the default pattern, and return what is in it.

    :raises ConfigError: if the file is there already, or cannot be written.
    """
    if path.exists():
        msg = f"{path} is there already"
        raise ConfigError(msg, hint="its codes would end with it: move it away if that is meant")
    document = schemes_document((SchemeTable(name, random_bytes(SECRET_BYTES).hex()),))
    try:
        write_durably(path, document)
    except OSError as error:
        msg = f"{path} cannot be created: {error.strerror}"
        raise ConfigError(msg, hint="name a folder that is there and that you may write") from error
    return read_schemes(document)
