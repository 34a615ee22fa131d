"""The hub's folder: one place for database, keys and published files.

hub.db                people, devices, entries; mode 0600
examination.db        the examiner's own file: see `hub.examination.notebook`
keys/                 see `hub.keys`: gates get root.json and hash.key
published/replica/    what gates replicate; any web server may carry it
serving.lock          held by the hub that serves
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import DataFolderError
from hub.keys import HASH_KEY, HEAD_KEY, ROOT_FILE


class DataFolder:
    """Where things are under one folder. Makes and opens nothing by itself."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "hub.db"
        self.examination = root / "examination.db"
        self._serving = root / "serving.lock"
        self.keys = root / "keys"
        self.published = root / "published"
        self.replica = self.published / "replica"

    @property
    def root_file(self) -> Path:
        """The newest root of the trust metadata: goes to every gate."""
        return self.keys / ROOT_FILE

    @property
    def hash_key(self) -> Path:
        """The region's secret under which identifiers are hashed: goes to every gate, sealed."""
        return self.keys / HASH_KEY

    @property
    def has_keys(self) -> bool:
        """Whether the keys have been made."""
        return (self.keys / HEAD_KEY).exists()

    def create(self) -> None:
        """Make the folders that are missing: the outer one private, what is published readable.

        :raises DataFolderError: if that fails.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.replica.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            msg = f"cannot make the hub's folder {self.root}: {error.strerror}"
            raise DataFolderError(msg, hint="choose another one with --data") from error

    def require(self) -> None:
        """Check that `chot hub init` has been here.

        :raises DataFolderError: if it has not.
        """
        if not self.database.is_file() or not self.has_keys:
            msg = f"{self.root} is not a hub's folder"
            raise DataFolderError(msg, hint=f"make it one: chot hub init --data {self.root}")
        if not self.root_file.is_file():
            msg = f"{self.root} was made by an earlier version, and has no root that gates trust"
            raise DataFolderError(msg, hint=f"complete it: chot hub init --data {self.root}")

    @contextmanager
    def served(self) -> Iterator[None]:
        """Be the one hub that serves this folder, for the length of a context.

        :raises DataFolderError: if another hub does, or the folder cannot be written.
        """
        lock = self._locked()
        try:
            yield
        finally:
            os.close(lock)

    def _locked(self) -> int:
        try:
            lock = os.open(self._serving, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Ends with the process, however that ends: there is no stale lock to clear away.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                raise
        except BlockingIOError as error:
            msg = f"another hub serves {self.root} already"
            raise DataFolderError(msg, hint="end that one, or choose another --data") from error
        except OSError as error:
            msg = f"cannot lock the hub's folder {self.root}: {error.strerror}"
            raise DataFolderError(msg, hint="check that it is yours, on a local disk") from error
        return lock
