"""entries.db and the days beside it: one transaction over both, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from hub.errors import StoreError
from hub.store.sqlite import adding, dropping, opening
from hub.store.sqlite.day_files import DayFiles

log = logging.getLogger("chot.hub")
ENTRIES_FILE = "entries.db"
DAYS_FOLDER = "entries"
_MIGRATIONS = "entries_migrations"
_OPEN_TO_WRITE = 8
_OPEN_TO_READ = 4

P = ParamSpec("P")
T = TypeVar("T")


class Entries:
    """What one thread has open."""

    def __init__(self, raw: sqlite3.Connection, days: DayFiles) -> None:
        self.raw = raw
        self.days = days
        self._sound = False
        self._suspects: set[int] = set()

    @classmethod
    def open(cls, folder: Path, *, write: bool) -> Entries:
        """Open entries.db in this folder, making what is missing.

        :raises StoreError: if it is no usable file, or of a newer version.
        """
        days = folder / DAYS_FOLDER
        try:
            days.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            msg = f"cannot make {days}: {error.strerror}"
            raise StoreError(msg, hint="check that the folder is yours") from error
        raw = opening.opened_file(folder / ENTRIES_FILE, _MIGRATIONS)
        limit = _OPEN_TO_WRITE if write else _OPEN_TO_READ
        return cls(raw, DayFiles(days, write=write, limit=limit))

    def close(self) -> None:
        """Let go of all files."""
        self.days.close()
        self.raw.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read entries.db as it is at one moment, for the length of a context."""
        self.raw.execute("BEGIN")
        try:
            yield
        finally:
            self.raw.execute("ROLLBACK")
            self.days.trim()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold one transaction over entries.db and the days; commit at the end, undo on errors.

        Whoever writes holds entries.db, so there is one writer over all processes.
        """
        if not self._sound:
            self._recover()
        self._sound = False
        with self._transaction():
            yield
        self._sound = True

    def _recover(self) -> None:
        """Bring to its end what a crash, or a failure of the medium, has interrupted.

        A day whose file is damaged is set aside: it must not keep everybody's entries of all others
        from being taken in.
        """
        self._set_aside()
        with self._transaction():
            dropping.finish(self.raw, self.days)
        for day in self.days.on_disk():
            try:
                self._take_up(day)
            except (StoreError, sqlite3.DatabaseError) as error:
                self._suspects.add(day)
                if not opening.is_damage(error) or not self._set_aside():
                    raise

    def _take_up(self, day: int) -> None:
        with self._transaction():
            adding.take_up(self.raw, self.days, day)

    def _set_aside(self) -> bool:
        """Set aside those of the suspected files that are damaged; return whether any was."""
        found = False
        for day in sorted(self._suspects):
            aside = self.days.set_aside_damaged(day)
            if aside is not None:
                log.error(
                    {"event": "a day's file is damaged and was set aside", "file": str(aside)}
                )
                found = True
        self._suspects.clear()
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            yield
            for file in list(self.days.written()):
                adding.account(self.raw, file, file.commit())
            opening.commit(self.raw)
        except BaseException as error:
            if opening.is_damage(error):
                self._suspects.update(self.days.opened())
            self.days.undo()
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")
            raise
        finally:
            self.days.trim()


class EntriesThread:
    """A thread with files of its own; what is asked of it is done one after the other.

    What was begun is brought to its end, also where its caller was cancelled.
    """

    def __init__(self, folder: Path, *, write: bool) -> None:
        self._folder = folder
        self._write = write
        self._entries: Entries | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub-entries")

    async def read(
        self,
        ask: Callable[Concatenate[sqlite3.Connection, DayFiles, P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Return what a function reads.

        :raises StoreError: where SQLite failed.
        """

        def asked() -> T:
            entries = self._opened()
            with entries.reading():
                return ask(entries.raw, entries.days, *arguments, **named)

        return await self._done(asked)

    async def write(
        self,
        do: Callable[Concatenate[sqlite3.Connection, DayFiles, P], T],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> T:
        """Do something in one transaction; return its result once it is durable.

        :raises StoreError: where SQLite failed: nothing was done, or it was and is not known.
        """

        def done() -> T:
            entries = self._opened()
            with entries.writing():
                return do(entries.raw, entries.days, *arguments, **named)

        return await self._done(done)

    async def work(self, do: Callable[[Entries], T]) -> T:
        """Do something in transactions of its own.

        :raises StoreError: where SQLite failed.
        """
        return await self._done(lambda: do(self._opened()))

    async def close(self) -> None:
        """Let go of the files once what was begun has ended."""
        entries, self._entries = self._entries, None
        if entries is not None:
            await asyncio.wrap_future(self._thread.submit(entries.close))
        self._thread.shutdown()

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.wrap_future(self._thread.submit(work))
        except sqlite3.Error as error:
            msg = f"the entries' database failed: {error}"
            raise StoreError(msg, hint="check free space and the medium's health") from error
        except OSError as error:
            msg = f"the entries' files failed: {error.strerror}"
            raise StoreError(msg, hint="check free space and the medium's health") from error

    def _opened(self) -> Entries:
        if self._entries is None:
            self._entries = Entries.open(self._folder, write=self._write)
        return self._entries
