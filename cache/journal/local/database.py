"""The SQLite file of what can be rebuilt: opened, migrated, and replaced where it is damaged.

Nothing in it is the only copy: without it everything is sent again, of which the hub takes nothing
twice, and the index and the counts are made anew from the journal. So a file that is damaged is
never repaired but replaced, also while it is in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Self

import aiosqlite

from cache.journal.errors import LocalStateError
from cache.journal.local.former_outbox import forget_former, former_watermarks
from cache.journal.local.rows import with_crc

_log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 2.0
_MODE = 0o600
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cache_size = -2048",
    "PRAGMA journal_size_limit = 4194304",
)
_ALONE = "PRAGMA locking_mode = EXCLUSIVE"
"""Keeps the index of the WAL in memory: no file has to be made for it."""
_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What a statement raises; the latter where SQLite's message quotes a name that is damaged."""


class _Unusable(Exception):  # noqa: N818 - a state, and never leaves this module
    """The file is of a newer version, or does not hold what it should: to be replaced."""


class LocalDatabase:
    """One connection to one file, and one transaction at a time. `open` it, end it with `close`."""

    def __init__(self, path: Path, raw: aiosqlite.Connection) -> None:
        self._path = path
        self._raw = raw
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, *, former_outbox: Path | None = None) -> Self:
        """Return the database kept at `path`, mode 0600; a damaged one is replaced by an empty one.

        :param former_outbox: the file in which earlier versions kept the watermarks: they are taken
            over, and the file removed.
        :raises LocalStateError: if the file can be neither used nor replaced (full, locked, not
            permitted).
        """
        try:
            raw = await _opened_or_replaced(path)
            database = cls(path, raw)
            try:
                if former_outbox is not None and await asyncio.to_thread(former_outbox.is_file):
                    await database._take_over(former_outbox)
            except BaseException:  # cancelled, too: the connection's thread must end
                await raw.close()
                raise
        except (*_FAILURES, OSError) as error:
            raise _failed(path, error) from error
        return database

    @property
    def path(self) -> Path:
        """Where the file is: others may read it meanwhile."""
        return self._path

    async def close(self) -> None:
        """Close the file once the running transaction has ended. Once is enough."""
        async with self._turn:
            await self._raw.close()

    @asynccontextmanager
    async def transaction(self, *, write: bool = True) -> AsyncIterator[aiosqlite.Connection]:
        """Hold the connection for one transaction; commit at the end, roll back on any exception.

        A write is on the medium when the context ends.

        :raises LocalStateError: where SQLite failed. Of a file that turned out to be damaged an
            empty one stands in its place then.
        """
        async with self._turn:
            try:
                await self._raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield self._raw
                await self._raw.commit()
            except _FAILURES as error:
                if _is_damage(error):
                    await self._replace(error)
                else:
                    await self._undo()
                raise _failed(self._path, error) from error
            except BaseException:  # cancelled, too: nothing may stay half written
                await self._undo()
                raise

    async def _undo(self) -> None:
        # Shielded: whoever is cancelled must not leave the transaction open for the next one.
        with contextlib.suppress(*_FAILURES):
            await asyncio.shield(self._raw.rollback())

    async def _replace(self, why: Exception) -> None:
        _log.warning("the journal's local state is damaged and made anew", exc_info=why)
        try:
            with contextlib.suppress(*_FAILURES):
                await self._raw.close()
            await asyncio.to_thread(_remove, self._path)
            self._raw = await _opened(self._path)
        except (*_FAILURES, OSError) as error:
            raise _failed(self._path, error) from error

    async def _take_over(self, former: Path) -> None:
        known = await asyncio.to_thread(former_watermarks, former)
        async with self.transaction() as raw:
            await raw.executemany(
                "INSERT OR IGNORE INTO watermark VALUES (?, ?, ?, ?)",
                [with_crc(journal, through, b"") for journal, through in known.items()],
            )
        await asyncio.to_thread(forget_former, former)


async def _opened_or_replaced(path: Path) -> aiosqlite.Connection:
    try:
        return await _opened(path)
    except _FAILURES as error:
        if not _is_damage(error):
            raise  # full, locked, not permitted: not the file's fault
        why: Exception = error
    except _Unusable as error:
        why = error
    _log.warning("the journal's local state is damaged and made anew", exc_info=why)
    await asyncio.to_thread(_remove, path)
    return await _opened(path)


async def _opened(path: Path) -> aiosqlite.Connection:
    try:
        return await _connected(path, _PRAGMAS)
    except sqlite3.Error as error:
        if _code(error) not in _NO_ROOM:
            raise
        why = error
    # A full disk keeps no gate from starting: what is known is read, and kept once there is room.
    raw = await _connected(path, (_ALONE, *_PRAGMAS))
    _log.warning("no room beside the journal's local state: nobody else can read it", exc_info=why)
    return raw


async def _connected(path: Path, pragmas: tuple[str, ...]) -> aiosqlite.Connection:
    # aiosqlite leaves its thread behind, reporting to a loop that may be gone, where it cannot open
    # the file: find that out first.
    await asyncio.to_thread(_probe, path)
    raw = await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    raw.text_factory = _text
    try:
        for pragma in pragmas:
            await raw.execute(pragma)
        await _check(raw)
        await _migrate(raw)
    except BaseException:  # cancelled, too: the connection's thread must end
        await raw.close()
        raise
    return raw


async def _check(raw: aiosqlite.Connection) -> None:
    async with raw.execute("PRAGMA quick_check(1)") as rows:
        found = await rows.fetchone()
    if found is None or found[0] != "ok":
        raise _Unusable("its pages contradict each other")


async def _migrate(raw: aiosqlite.Connection) -> None:
    migrations = list(_migrations())
    async with raw.execute("PRAGMA user_version") as rows:
        row = await rows.fetchone()
    version = int(row[0]) if row else 0
    if not 0 <= version <= len(migrations):
        msg = f"it is of version {version}"
        raise _Unusable(msg)
    if version == len(migrations):
        return  # nothing is written at an ordinary start: it succeeds on a full disk, too
    await raw.execute("BEGIN IMMEDIATE")
    for number, script in enumerate(migrations[version:], start=version + 1):
        for statement in _statements(script):
            await raw.execute(statement)
        await raw.execute(f"PRAGMA user_version = {number}")
    await raw.commit()


def _migrations() -> Iterator[str]:
    """Yield the scripts in order. File n brings version n-1 to n: never edit a released one."""
    folder = resources.files("cache.journal.local") / "migrations"
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.endswith(".sql"):
            yield item.read_text(encoding="utf-8")


def _statements(script: str) -> Iterator[str]:
    """Split a script, because `executescript` would commit the transaction that holds it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")  # never an error of a kind of its own


def _probe(path: Path) -> None:
    # SQLite would create it as the umask says; its companions get the same mode as the file.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, _MODE)
    try:
        os.fchmod(file, _MODE)
    finally:
        os.close(file)
    sqlite3.connect(path).close()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _is_damage(error: Exception) -> bool:
    if isinstance(error, UnicodeDecodeError):
        return True
    return _code(error) in _DAMAGED


def _code(error: Exception) -> int | None:
    """Return SQLite's primary code; None where Python itself raised the error."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _failed(path: Path, error: Exception) -> LocalStateError:
    return LocalStateError(
        f"the journal's local state cannot be kept: {error}",
        hint=f"check the disk's space, and who owns {path}; it may be removed: it is made anew",
    )
