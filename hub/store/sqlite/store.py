"""The store port on SQLite: one file for what is on record, and others for entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from admission.orders import Order
from hub.errors import StoreError
from hub.store.changes import ChangedPeople, ChangedRows
from hub.store.packed import PackedPeople
from hub.store.port import Person
from hub.store.registers import (
    DOCUMENTS,
    ORDERS,
    PEOPLE,
    Change,
    Row,
    StoredDocument,
    entry_type,
    is_document_name,
)
from hub.store.sqlite import change_log, packed, people, registers
from hub.store.sqlite.change import SqliteChange
from hub.store.sqlite.change_log import ChangeLog
from hub.store.sqlite.connection import Connection
from hub.store.sqlite.device_store import SqliteDeviceStore
from hub.store.sqlite.entry_store import SqliteEntryStore

_CHUNK = 5_000
"""People written or read in one step: bounds memory, not the transaction."""


class SqliteStore(SqliteDeviceStore, SqliteEntryStore):
    """Stands behind `hub.store.port.Store`.

    :param database: the file that `connection` has open; the entries lie beside it.
    """

    def __init__(self, connection: Connection, database: Path) -> None:
        SqliteDeviceStore.__init__(self, connection)
        SqliteEntryStore.__init__(self, database)

    async def close(self) -> None:
        """Let go of the files."""
        await self.close_entries()
        await self._connection.close()

    async def put_people(self, everybody: Iterable[Person]) -> None:
        """Record people; see the port."""
        async with self._connection.transaction() as raw:
            log = ChangeLog(raw)
            await log.touch(PEOPLE)
            for chunk in people.chunks(everybody, _CHUNK):
                await people.write(raw, log, chunk)

    async def people(self) -> AsyncIterator[Sequence[Person]]:
        """Yield everybody in chunks; see the port."""
        after = -1
        while True:
            async with self._connection.transaction(write=False) as raw:
                chunk = await people.read(raw, after, _CHUNK)
            if not chunk:
                return
            yield chunk
            after = chunk[-1].number

    async def packed_people(self) -> AsyncIterator[PackedPeople]:
        """Yield everybody as columns; see the port."""
        after = -1
        while True:
            async with self._connection.transaction(write=False) as raw:
                chunk = await packed.read(raw, after)
            if chunk is None:
                return
            people_of, after = chunk
            yield people_of

    async def people_count(self) -> int:
        """Return how many people are on record."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall("SELECT count(*) FROM person")
        return int(next(iter(rows))[0])

    async def has_people(self) -> bool:
        """Return whether anybody is on record."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall("SELECT EXISTS (SELECT 1 FROM person)")
        return bool(next(iter(rows))[0])

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Make one change of many parts; see the port."""
        async with self._connection.transaction() as raw:
            yield SqliteChange(raw)

    async def drop_register(self, register: str) -> bool:
        """Do away with a register; see the port."""
        async with self._connection.transaction() as raw:
            there = await raw.execute_fetchall(
                "SELECT 1 FROM revision WHERE name = ? AND live = 1", (register,)
            )
            if not list(there):
                return False
            await registers.clear(raw, ChangeLog(raw), register)
            await raw.execute("UPDATE revision SET live = 0 WHERE name = ?", (register,))
            return True

    async def rows(self, register: str) -> AsyncIterator[Sequence[Row]]:
        """Yield a register's rows in chunks; see the port."""
        entry_type(register)
        after = ""
        while True:
            async with self._connection.transaction(write=False) as raw:
                chunk = await registers.read(raw, register, after, _CHUNK)
            if not chunk:
                return
            yield chunk
            after = chunk[-1].key

    async def revisions(self) -> Mapping[str, int]:
        """Return the revisions of what was ever written."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall("SELECT name, number FROM revision WHERE live = 1")
        return {row[0]: row[1] for row in rows}

    async def changed_people(self, after: int, *, limit: int) -> ChangedPeople | None:
        """Return what has changed of the people; see the port."""
        async with self._connection.transaction(write=False) as raw:
            revision, touched = await change_log.touched(raw, PEOPLE, after, limit)
            if touched is None:
                return None
            return ChangedPeople(revision, touched, await people.found_by(raw, touched))

    async def changed_rows(self, register: str, after: int, *, limit: int) -> ChangedRows | None:
        """Return what has changed of a register; see the port."""
        entry_type(register)
        async with self._connection.transaction(write=False) as raw:
            revision, touched = await change_log.touched(raw, register, after, limit)
            if touched is None:
                return None
            return ChangedRows(revision, touched, await registers.found_by(raw, register, touched))

    async def forget_changes(self, register: str, through: int) -> None:
        """Drop what the log holds through a revision; see the port."""
        async with self._connection.transaction() as raw:
            await change_log.forget(raw, register, through)

    async def put_order(self, order: Order) -> None:
        """Record an order; see the port."""
        async with self._connection.transaction() as raw:
            await raw.execute(
                "INSERT OR REPLACE INTO directive_order VALUES (?, ?, ?)",
                (order.district, order.from_s, order.directive),
            )
            await ChangeLog(raw).touch(ORDERS)

    async def remove_order(self, district: int, from_s: int) -> bool:
        """Take back an order; see the port."""
        async with self._connection.transaction() as raw:
            await ChangeLog(raw).touch(ORDERS)
            return await _changed(
                raw,
                "DELETE FROM directive_order WHERE district = ? AND from_s = ?",
                (district, from_s),
            )

    async def orders(self) -> Sequence[Order]:
        """Return all orders, ascending."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall(
                "SELECT district, from_s, directive FROM directive_order ORDER BY district, from_s"
            )
        return [Order(*row) for row in rows]

    async def put_document(self, name: str, data: bytes) -> None:
        """Keep a document; see the port."""
        if not is_document_name(name):
            msg = f"{name!r} is no name of a document"
            raise StoreError(msg, hint="such as rulebook/hcmc-2021-09 or trust/dcc")
        async with self._connection.transaction() as raw:
            await registers.keep_document(raw, name, data)
            await ChangeLog(raw).touch(DOCUMENTS)

    async def remove_document(self, name: str) -> bool:
        """Do away with a document; see the port."""
        async with self._connection.transaction() as raw:
            await ChangeLog(raw).touch(DOCUMENTS)
            return await _changed(raw, "DELETE FROM document WHERE name = ?", (name,))

    async def document(self, name: str) -> bytes | None:
        """Return one document's bytes."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall("SELECT data FROM document WHERE name = ?", (name,))
        return next((bytes(row[0]) for row in rows), None)

    async def documents(self) -> Mapping[str, StoredDocument]:
        """Return what documents there are."""
        async with self._connection.transaction(write=False) as raw:
            return await registers.documents(raw)


async def _changed(raw: aiosqlite.Connection, statement: str, variables: tuple[Any, ...]) -> bool:
    cursor = await raw.execute(statement, variables)
    return cursor.rowcount > 0


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[SqliteStore]:
    """Open the store in this file for the length of a context, creating what is missing.

    :raises StoreError: if the file cannot be opened, is no SQLite file, or is of a newer version.
    """
    store = SqliteStore(await Connection.open(path), path)
    try:
        yield store
    finally:
        await store.close()
