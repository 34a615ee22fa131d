"""Which identifiers each change has touched, for the publisher: see `hub.store.changes`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aiosqlite

from admission.identity import Identifier, IdentifierKind
from hub.store.changes import MAX_LOGGED

_KINDS = {kind.value: kind for kind in IdentifierKind}


class ChangeLog:
    """The log within one transaction that writes.

    A change that would fill it empties it: the publisher then compares everything, which for so
    many costs it less, and a first import writes no log of everybody.
    """

    def __init__(self, raw: aiosqlite.Connection, *, limit: int = MAX_LOGGED) -> None:
        self._raw = raw
        self._limit = limit
        self._filled: set[str] = set()

    async def touch(self, register: str) -> int:
        """Note that something of this name changes, and return the revision that this makes."""
        rows = await self._raw.execute_fetchall(
            "INSERT INTO revision (name, number, live) VALUES (?, 1, 1)"
            " ON CONFLICT (name) DO UPDATE SET number = number + 1, live = 1,"
            " logged = logged + (SELECT count(*) FROM change_log"
            " WHERE register = name AND revision = number) RETURNING number",
            (register,),
        )
        if register in self._filled:
            await self._empty(register)
        return int(next(iter(rows))[0])

    async def note(self, register: str, revision: int, identifiers: Iterable[Identifier]) -> None:
        """Note identifiers that are touched."""
        if register in self._filled:
            return
        await self._raw.executemany(
            "INSERT OR IGNORE INTO change_log VALUES (?, ?, ?, ?)",
            [(register, revision, one.kind.value, one.value) for one in identifiers],
        )
        await self._bound(register, revision)

    async def note_found(
        self, register: str, revision: int, found: str, variables: Iterable[Sequence[object]]
    ) -> None:
        """Note identifiers that are on record.

        :param found: the rest of `SELECT kind, value`: where they are.
        """
        if register in self._filled:
            return
        await self._raw.executemany(
            f"INSERT OR IGNORE INTO change_log SELECT ?, ?, kind, value {found}",
            [(register, revision, *some) for some in variables],
        )
        await self._bound(register, revision)

    async def fill(self, register: str) -> None:
        """Take the rest of this transaction for a change of everything."""
        self._filled.add(register)
        await self._raw.execute("DELETE FROM change_log WHERE register = ?", (register,))
        await self._empty(register)

    async def _bound(self, register: str, revision: int) -> None:
        """Empty the log if it has become too long."""
        rows = await self._raw.execute_fetchall(
            "SELECT logged + (SELECT count(*) FROM change_log"
            " WHERE register = ?1 AND revision = ?2) FROM revision WHERE name = ?1",
            (register, revision),
        )
        if next(iter(rows))[0] > self._limit:
            await self.fill(register)

    async def _empty(self, register: str) -> None:
        await self._raw.execute(
            "UPDATE revision SET logged_after = number, logged = 0 WHERE name = ?", (register,)
        )


async def touched(
    raw: aiosqlite.Connection, register: str, after: int, limit: int
) -> tuple[int, frozenset[Identifier] | None]:
    """Return a register's revision, and which identifiers were touched after an earlier one.

    None if the log does not reach back so far, or names more than `limit`.
    """
    rows = await raw.execute_fetchall(
        "SELECT number, logged_after FROM revision WHERE name = ?", (register,)
    )
    revision, logged_after = next(iter(rows), (0, 0))
    if not logged_after <= after <= revision:
        return revision, None
    noted = await raw.execute_fetchall(
        "SELECT kind, value FROM change_log WHERE register = ? AND revision > ? LIMIT ?",
        (register, after, limit + 1),
    )
    found = [Identifier(_KINDS[kind], value) for kind, value in noted]
    return revision, None if len(found) > limit else frozenset(found)


async def forget(raw: aiosqlite.Connection, register: str, through: int) -> None:
    """Drop what the log holds of revisions through this one."""
    await raw.execute(
        "DELETE FROM change_log WHERE register = ? AND revision <= ?", (register, through)
    )
    await raw.execute(
        "UPDATE revision SET logged_after = max(logged_after, min(number, ?2)),"
        " logged = (SELECT count(*) FROM change_log WHERE register = ?1 AND revision < number)"
        " WHERE name = ?1",
        (register, through),
    )
