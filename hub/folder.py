"""The hub's folder: one place for database, keys and published files.

hub.db                who and what is on record, and devices; mode 0600
entries.db            journals, flags, and where entries lie
entries/              what happened at the gates: one file a day
keep-days             how many days of entries are kept, where that was said
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

from cache.replica.durable import write_durably
from hub.errors import DataFolderError
from hub.keys import HASH_KEY, HEAD_KEY, ROOT_FILE

DEFAULT_KEEP_DAYS = 21
"""How long contact tracing needs entries, and no longer."""
MAX_KEEP_DAYS = 3_650
_MAX_NUMBER_BYTES = 16


class DataFolder:
    """Where things are under one folder. Makes and opens nothing by itself."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "hub.db"
        self.examination = root / "examination.db"
        self._serving = root / "serving.lock"
        self._keep_days = root / "keep-days"
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

    @property
    def keep_days(self) -> int:
        """How many days of entries before today are kept.

        :raises DataFolderError: if the file that says so cannot be read, or says no number.
        """
        try:
            said = self._keep_days.read_bytes()[:_MAX_NUMBER_BYTES]
            days = int(said)
        except FileNotFoundError:
            return DEFAULT_KEEP_DAYS
        except (OSError, ValueError) as error:
            msg = f"{self._keep_days} does not say how many days of entries are kept"
            raise DataFolderError(msg, hint="chot hub retention --keep-days N says so") from error
        return max(1, min(days, MAX_KEEP_DAYS))

    def keep(self, days: int) -> None:
        """Have so many days of entries before today be kept.

        :raises DataFolderError: if it cannot be written down.
        """
        try:
            write_durably(self._keep_days, b"%d\n" % days)
        except OSError as error:
            msg = f"cannot write {self._keep_days}: {error.strerror}"
            raise DataFolderError(msg, hint="check that the folder is yours") from error

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
