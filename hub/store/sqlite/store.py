"""The store port on one SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from hub.errors import StoreError
from hub.store.port import (
    Added,
    Device,
    EntryCount,
    EntryRecord,
    Flag,
    Held,
    JournalKey,
    Person,
)
from hub.store.sqlite import entries, people
from hub.store.sqlite.connection import Connection

_CHUNK = 5_000
"""People written or read in one step: bounds memory, not the transaction."""


class SqliteStore:
    """Stands behind `hub.store.port.Store`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def close(self) -> None:
        """Let go of the file."""
        await self._connection.close()

    async def put_people(self, everybody: Iterable[Person]) -> None:
        """Record people; see the port."""
        async with self._connection.transaction() as raw:
            for chunk in people.chunks(everybody, _CHUNK):
                await people.write(raw, chunk)

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

    async def people_count(self) -> int:
        """Return how many people are on record."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall("SELECT count(*) FROM person")
        return int(next(iter(rows))[0])

    async def put_device(self, device: Device) -> None:
        """Enrol a device; see the port."""
        async with self._connection.transaction() as raw:
            taken = await raw.execute_fetchall(
                "SELECT name FROM device WHERE token_sha256 = ? AND name <> ?",
                (device.token_sha256, device.name),
            )
            if list(taken):
                raise StoreError("the token is already another device's")
            await raw.execute(
                "INSERT OR REPLACE INTO device VALUES (?, ?, ?)",
                (device.name, device.token_sha256, device.enrolled_ns),
            )

    async def device_by_name(self, name: str) -> Device | None:
        """Return the device of this name."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall(
                "SELECT name, token_sha256, enrolled_ns FROM device WHERE name = ?",
                (name,),
            )
        return next((Device(*row) for row in rows), None)

    async def device_by_token(self, token_sha256: bytes) -> Device | None:
        """Return the device whose token has this hash."""
        async with self._connection.transaction(write=False) as raw:
            rows = await raw.execute_fetchall(
                "SELECT name, token_sha256, enrolled_ns FROM device WHERE token_sha256 = ?",
                (token_sha256,),
            )
        return next((Device(*row) for row in rows), None)

    async def add_entries(self, key: JournalKey, records: Sequence[EntryRecord]) -> Added:
        """Keep entries of one journal; see the port."""
        async with self._connection.transaction() as raw:
            return await entries.add(raw, key, records)

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        """Return what is held under some of the sequences."""
        async with self._connection.transaction(write=False) as raw:
            return await entries.held(raw, key, sequences)

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag]) -> None:
        """Keep flags; see the port."""
        async with self._connection.transaction() as raw:
            await entries.raise_flags(raw, key, flags)

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        """Return a journal's flags in order."""
        async with self._connection.transaction(write=False) as raw:
            return await entries.flags(raw, key)

    async def count(self, device: str) -> EntryCount:
        """Return how much of one device is held."""
        async with self._connection.transaction(write=False) as raw:
            return await entries.count(raw, device)


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[SqliteStore]:
    """Open the store in this file for the length of a context, creating what is missing.

    :raises StoreError: if the file cannot be opened, is no SQLite file, or is of a newer version.
    """
    store = SqliteStore(await Connection.open(path))
    try:
        yield store
    finally:
        await store.close()
