"""Opening SQLite files for work on a thread of one's own: durable, migrated."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from cache.replica.durable import sync
from hub.errors import StoreError
from hub.store.sqlite.migration import bring_up_to_date, is_up_to_date

BUSY_TIMEOUT_S = 10.0
"""How long a transaction waits for another process's."""
_CHECKPOINT_PAGES = 4_096
"""Pages of the log at which it is worked into the file. Indexes are written out of order: a page
that has changed often until then is written once."""
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    "PRAGMA cache_size = -16384",
    "PRAGMA trusted_schema = OFF",
)


_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DamagedFileError(StoreError):
    """The file is no SQLite file, or not any more."""


def is_damage(error: BaseException) -> bool:
    """Return whether an error says that a file's content is damaged, whatever made it so."""
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, DamagedFileError) or code & 0xFF in _DAMAGE


def is_full(error: StoreError) -> bool:
    """Return whether the store failed because its medium has no room left."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_FULL)


def opened_file(path: Path, migrations: str) -> sqlite3.Connection:
    """Open a file to write, creating it with mode 0600, and bring its tables up to date.

    :raises StoreError: if it cannot be opened, is no SQLite file, or is of a newer version.
    """
    raw = None
    try:
        if made_private(path):
            sync(path.parent)
        raw = _connected(path)
        for pragma in _PRAGMAS:
            raw.execute(pragma)
        if not is_up_to_date(raw, migrations):
            raw.execute("BEGIN IMMEDIATE")
            bring_up_to_date(raw, migrations, path)
            raw.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        if raw is not None:
            raw.close()
        msg = f"cannot open the hub's database {path}: {error}"
        failed = DamagedFileError if is_damage(error) else StoreError
        raise failed(msg, hint="check that the folder is yours, and the medium") from error
    except StoreError:
        if raw is not None:
            raw.close()
        raise
    return raw


def made_private(path: Path) -> bool:
    """Make an empty file with mode 0600 where there is none; return whether there was none.

    A file that is there is not even opened: closing it would end the locks that this process holds
    on it (POSIX, `fcntl`), and another process could take the database's log away
    (sqlite.org/howtocorrupt.html, 2.2).

    :raises OSError: if it cannot be made.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def opened_for_reading(path: Path) -> sqlite3.Connection | None:
    """Open a file to read, None if it is not there, or has no tables yet.

    :raises StoreError: if it cannot be opened, or is no SQLite file.
    """
    if not path.exists():
        return None
    raw = None
    try:
        raw = _connected(path)
        raw.execute("PRAGMA query_only = ON")
        (version,) = raw.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        if raw is not None:
            raw.close()
        msg = f"cannot read the hub's database {path}: {error}"
        raise StoreError(msg, hint="check that the folder is yours, and the medium") from error
    if not version:
        raw.close()
        return None
    return raw


def is_sound(path: Path) -> bool:
    """Return whether all pages of a file, if it is there, are as the engine needs them."""
    if not path.exists():
        return True
    raw = _connected(path)
    try:
        return bool(raw.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
    finally:
        raw.close()


def commit(raw: sqlite3.Connection) -> None:
    """Commit; what was written is on the medium when this returns."""
    raw.execute("COMMIT")


def _connected(path: Path) -> sqlite3.Connection:
    # The thread that opens is the one that uses; only closing may come from another.
    # `mode=rw`: a file that another process has just dropped is not made anew by looking at it.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_S,
        check_same_thread=False,
    )
