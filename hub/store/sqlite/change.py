"""One transaction of many parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import aiosqlite

from admission.identity import Identifier
from hub.store.port import Person
from hub.store.registers import Row
from hub.store.sqlite import people, registers
from hub.store.sqlite.change_log import ChangeLog


class SqliteChange:
    """Stands behind `hub.store.registers.Change`, within a transaction that is open."""

    def __init__(self, raw: aiosqlite.Connection) -> None:
        self._raw = raw
        self._log = ChangeLog(raw)

    async def people_by(self, identifiers: Collection[Identifier]) -> Sequence[Person]:
        """Return who is on record under one of the identifiers; see the port."""
        return await people.found_by(self._raw, identifiers)

    async def put_people(self, everybody: Sequence[Person]) -> None:
        """Record people; see the port."""
        if everybody:
            await people.write(self._raw, self._log, everybody)

    async def next_number(self) -> int:
        """Return a number above all that were ever used."""
        return await people.highest(self._raw) + 1

    async def clear_people(self) -> None:
        """Strike everybody off the record."""
        await people.clear(self._raw, self._log)

    async def rows_by(self, register: str, identifiers: Collection[Identifier]) -> Sequence[Row]:
        """Return a register's rows that are found by the identifiers; see the port."""
        return await registers.found_by(self._raw, register, identifiers)

    async def rows_of(self, register: str, keys: Collection[str]) -> Sequence[Row]:
        """Return a register's rows of the keys; see the port."""
        return await registers.keyed(self._raw, register, keys)

    async def put_rows(self, register: str, rows: Sequence[Row]) -> None:
        """Put rows; see the port."""
        await registers.write(self._raw, self._log, register, rows)

    async def remove_rows(self, register: str, keys: Collection[str]) -> None:
        """Remove rows; see the port."""
        await registers.remove(self._raw, self._log, register, keys)

    async def clear_rows(self, register: str) -> None:
        """Empty a register; see the port."""
        await registers.clear(self._raw, self._log, register)
