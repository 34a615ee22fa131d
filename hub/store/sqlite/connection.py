"""One connection to one SQLite file: durable, migrated, one transaction at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from hub.errors import StoreError
from hub.store.sqlite.migration import scripts, statements
from hub.store.sqlite.opening import made_private

BUSY_TIMEOUT_S = 10.0
"""How long a transaction waits for another process's."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32768",
    "PRAGMA trusted_schema = OFF",
)


class Connection:
    """A migrated connection. Every use is a transaction: it commits whole or leaves no trace."""

    def __init__(self, raw: aiosqlite.Connection) -> None:
        self._raw = raw
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Connection:
        """Open the file, creating it with mode 0600, and bring its tables up to date.

        :raises StoreError: if it cannot be opened, is no SQLite file, or is of a newer version.
        """
        try:
            made_private(path)
            raw = await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
        except (OSError, sqlite3.Error) as error:
            msg = f"cannot open the hub's database {path}: {error}"
            raise StoreError(msg, hint="check that the folder exists and is yours") from error
        connection = cls(raw)
        try:
            await connection._prepare(path)
        except BaseException:  # cancelled, too: the connection's thread must end
            await raw.close()
            raise
        return connection

    async def close(self) -> None:
        """Close the file once the running transaction has ended."""
        async with self._turn:
            await self._raw.close()

    @asynccontextmanager
    async def transaction(self, *, write: bool = True) -> AsyncIterator[aiosqlite.Connection]:
        """Hold the connection for one transaction; commit at the end, roll back on any exception.

        A write is on the medium when the context ends (synchronous = FULL).

        :raises StoreError: where SQLite failed.
        """
        async with self._turn:
            try:
                await self._raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield self._raw
                await self._raw.commit()
            except sqlite3.IntegrityError as error:
                await self._undo()
                msg = f"the rows contradict what is on record: {error}"
                raise StoreError(msg, hint="nothing was written; mend the rows") from error
            except sqlite3.Error as error:
                await self._undo()
                msg = f"the hub's database failed: {error}"
                raise StoreError(msg, hint="check free space and the medium's health") from error
            except BaseException:  # cancelled, too: nothing may stay half written
                await self._undo()
                raise

    async def _undo(self) -> None:
        # Shielded: a cancelled request must not leave its transaction open for the next one.
        try:
            await asyncio.shield(self._raw.rollback())
        except sqlite3.Error as error:
            msg = f"the hub's database failed and could not undo: {error}"
            raise StoreError(msg, hint="restart the hub") from error

    async def _prepare(self, path: Path) -> None:
        try:
            for pragma in _PRAGMAS:
                await self._raw.execute(pragma)
        except sqlite3.Error as error:
            msg = f"{path} is not a usable SQLite file: {error}"
            raise StoreError(
                msg, hint="point --data at a folder made by `chot hub init`"
            ) from error
        migrations = scripts("migrations")
        if await _user_version(self._raw) == len(migrations):
            return  # opened beside an import, which writes for long, it waits for nothing
        async with self.transaction() as raw:
            version = await _user_version(raw)
            if version > len(migrations):
                msg = f"{path} is of version {version}, this hub knows {len(migrations)}"
                raise StoreError(msg, hint="update chot on this machine")
            for number, script in enumerate(migrations[version:], start=version + 1):
                for statement in statements(script):
                    await raw.execute(statement)
                await raw.execute(f"PRAGMA user_version = {number}")


async def _user_version(raw: aiosqlite.Connection) -> int:
    async with raw.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    return int(row[0]) if row else 0
