"""One process at a time changes a replica's directory; whoever only looks at it needs no lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cache.errors import StoreError
from cache.replica.download import store_error
from cache.replica.durable import make_directory

LOCK = "LOCK"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory for the block; the system lets go of it when the process ends.

    :raises StoreError: if another process holds it, or it cannot be created.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        make_directory(directory)
        descriptor = os.open(directory / LOCK, flags, 0o600)
    except OSError as error:
        raise store_error("lock the replica's directory", error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                "another process works on this replica",
                hint="an appliance runs on this folder: ask it, or stop it first",
            ) from error
        yield
    finally:
        os.close(descriptor)
