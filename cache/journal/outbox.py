"""The outbox: through which entry the hub has acknowledged the journal.

The watermark lives in a small SQLite file. It can be rebuilt: without it everything is sent again,
and the hub, which knows each entry by device, journal and sequence, takes nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Protocol, Self

import aiosqlite

from cache.journal.errors import OutboxError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS watermark (
    journal BLOB PRIMARY KEY,
    acknowledged_through INTEGER NOT NULL CHECK (acknowledged_through >= 0)
) WITHOUT ROWID
"""
_FIND = "SELECT acknowledged_through FROM watermark WHERE journal = ?"
_ALL = "SELECT journal, acknowledged_through FROM watermark"
_MODE = 0o600
_KEEP = """
INSERT INTO watermark VALUES (?, ?)
ON CONFLICT (journal) DO UPDATE SET acknowledged_through = excluded.acknowledged_through
"""


class Growing(Protocol):
    """What the outbox needs of a journal."""

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        ...

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        ...


class Outbox:
    """The watermark of one journal. Create it with `open`, end it with `close`."""

    def __init__(self, database: aiosqlite.Connection, journal: Growing, through: int) -> None:
        self._database = database
        self._journal = journal
        self._through = through
        self._changed = asyncio.Condition()

    @classmethod
    async def open(cls, path: Path, journal: Growing, *, ended: bool = False) -> Self:
        """Return the outbox kept at `path`; a damaged file is replaced by an empty one.

        :param ended: whether the journal is a retired one: what it lost was acknowledged, then.
        :raises OutboxError: if the file can be neither used nor replaced.
        """
        try:
            try:
                database, through = await _opened(path, journal.journal_id)
            except aiosqlite.OperationalError:
                raise  # full, locked, not permitted: not the file's fault
            except aiosqlite.DatabaseError:
                for name in (path, *_companions(path)):
                    name.unlink(missing_ok=True)
                database, through = await _opened(path, journal.journal_id)
        except (aiosqlite.Error, OSError) as error:
            raise _unusable(error) from error
        if ended:
            return cls(database, journal, min(through, journal.last_sequence))
        # A watermark beyond the journal's end: the journal was put back to an older state. All is
        # sent again, and the hub shows which sequences have been used twice.
        return cls(database, journal, through if through <= journal.last_sequence else 0)

    @property
    def acknowledged_through(self) -> int:
        """Sequence of the last entry that the hub has acknowledged, 0 if there is none."""
        return self._through

    @property
    def pending(self) -> int:
        """How many durable entries the hub has not acknowledged."""
        return max(0, self._journal.last_sequence - self._through)

    async def acknowledge(self, through: int) -> None:
        """Move the watermark forward to `through`, wake those who wait for it, keep it on disk.

        :raises ValueError: if that is backwards, or beyond the journal's end.
        :raises OutboxError: if it could not be kept; it then holds until the process ends.
        """
        if not self._through <= through <= self._journal.last_sequence:
            msg = f"the watermark cannot go from {self._through} to {through}"
            raise ValueError(msg)
        self._through = through
        async with self._changed:
            self._changed.notify_all()
        try:
            await self._database.execute(_KEEP, (self._journal.journal_id, through))
            await self._database.commit()
        except aiosqlite.Error as error:
            with contextlib.suppress(aiosqlite.Error):
                await self._database.rollback()
            raise _unusable(error) from error

    async def wait_acknowledged(self, through: int) -> None:
        """Return once the hub has acknowledged every entry up to and including `through`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._through >= through)

    async def close(self) -> None:
        """Close the file. Once is enough."""
        await self._database.close()


async def watermarks(path: Path) -> dict[bytes, int]:
    """Return through which sequence the hub acknowledged each journal, by id; {} if unknown.

    Read before the journal is opened, which must know what it may not give out again.

    :raises OutboxError: if the file is there and cannot be read now (locked, not permitted).
    """
    return await asyncio.to_thread(_all_watermarks, path)


async def _opened(path: Path, journal: bytes) -> tuple[aiosqlite.Connection, int]:
    # aiosqlite leaves its thread behind, reporting to a loop that may be gone, where it cannot open
    # the file: find that out first.
    await asyncio.to_thread(_probe, path)
    database = await aiosqlite.connect(path)
    try:
        await database.execute("PRAGMA journal_mode = WAL")
        await database.execute("PRAGMA synchronous = FULL")
        await database.execute(_SCHEMA)
        await database.commit()
        async with database.execute(_FIND, (journal,)) as rows:
            row = await rows.fetchone()
    except BaseException:  # cancelled, too: the connection's thread must end
        await database.close()
        raise
    return database, int(row[0]) if row else 0


def _probe(path: Path) -> None:
    # SQLite would create it as the umask says; its companions get the same mode as the file.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, _MODE)
    try:
        os.fchmod(file, _MODE)
    finally:
        os.close(file)
    sqlite3.connect(path).close()


def _all_watermarks(path: Path) -> dict[bytes, int]:
    if not path.is_file():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            return dict(database.execute(_ALL))
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return {}
        raise _unusable(error) from error
    except sqlite3.DatabaseError:
        return {}  # damaged: `Outbox.open` replaces it


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _unusable(error: Exception) -> OutboxError:
    return OutboxError(f"the outbox cannot be kept: {error}", hint="check the disk's space")
