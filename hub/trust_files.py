"""The files of the trust repository: what is published, and how a version of it is written."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from cache.errors import TrustError
from cache.replica.durable import write_durably
from cache.replica.trust.metadata import LIMITS_BYTES, TARGETS_FILE, Received, file_name, read
from hub.errors import PublishError

KEPT_VERSIONS = 8
"""Targets and snapshots of this many versions stay: somebody may be on the way to them."""
_PUBLIC = 0o644

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


class TrustFiles:
    """One repository's `metadata/`. Its methods block; call them within `mapped`.

    :param directory: what gates see as `replica/`.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "metadata"
        self._lock = directory / ".metadata.lock"

    def newest_root(self) -> Received[Root] | None:
        """Return the root of the highest version, or None."""
        newest = max(self._versions(Root.type), default=0)
        return self._read(Root, newest) if newest else None

    def published(
        self,
    ) -> tuple[Received[Timestamp] | None, Received[Snapshot] | None, Received[Targets] | None]:
        """Return what the timestamp leads to, as far as it is there."""
        timestamp = self._read(Timestamp, 0)
        if timestamp is None:
            return None, None, None
        snapshot = self._read(Snapshot, timestamp.signed.snapshot_meta.version)
        if snapshot is None:
            return timestamp, None, None
        listed = self._read(Targets, snapshot.signed.meta[TARGETS_FILE].version)
        return timestamp, snapshot, listed

    def write(self, name: str, data: bytes) -> None:
        """Write a file, durably, for all to read."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_durably(self._folder / name, data, mode=_PUBLIC)

    def prune(self, targets: int, snapshot: int) -> None:
        """Remove what nobody can be on the way to any more."""
        for role, newest in ((Targets.type, targets), (Snapshot.type, snapshot)):
            for version in self._versions(role):
                if version <= newest - KEPT_VERSIONS:
                    (self._folder / file_name(role, version)).unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the one writer of the repository, over threads and processes."""
        with mapped():
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with mapped():
                yield
        finally:
            os.close(lock)

    def _versions(self, role: str) -> list[int]:
        names = (path.name.partition(".")[0] for path in self._folder.glob(f"*.{role}.json"))
        return [int(name) for name in names if name.isdecimal()]

    def _read(self, kind: type[S], version: int) -> Received[S] | None:
        try:
            with (self._folder / file_name(kind.type, version)).open("rb") as file:
                return read(kind, file.read(LIMITS_BYTES[kind.type] + 1))
        except FileNotFoundError:
            return None


@contextmanager
def mapped() -> Iterator[None]:
    """Turn what goes wrong with the files into an error for people.

    :raises PublishError: if they are malformed, or cannot be read or written.
    """
    try:
        yield
    except TrustError as error:
        msg = f"the trust metadata cannot be used: {error}"
        raise PublishError(msg, hint="restore metadata/ from a backup") from error
    except OSError as error:
        msg = f"the trust metadata cannot be read or written: {error.strerror}"
        raise PublishError(msg, hint="check the disk: space, health, permissions") from error
