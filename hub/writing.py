"""Files that a command was told to write: whole or not at all, and a person is told why not."""

from __future__ import annotations

from pathlib import Path

from cache.replica.durable import write_durably
from hub.errors import HubError


def write_file(path: Path, data: bytes, mode: int, *, failure: type[HubError] = HubError) -> None:
    """Write a file durably, in place of any that is there.

    :raises HubError: as `failure`, if that fails.
    """
    try:
        write_durably(path, data, mode=mode)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise failure(msg, hint="check that the folder exists and is yours") from error
