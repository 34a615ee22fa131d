"""Registers, orders, documents and revisions as rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import aiosqlite
import msgspec

from admission.identity import Identifier, IdentifierKind
from hub.store.registers import Row, StoredDocument, entry_type
from hub.store.sqlite.change_log import ChangeLog

SLICE = 5_000
"""Identifiers or keys asked for in one statement: below SQLite's 32,766 variables."""
_KINDS = {kind.value: kind for kind in IdentifierKind}
_OF_KEY = "FROM register_identifier WHERE register = ? AND key = ?"
_encode = msgspec.json.Encoder().encode


async def write(
    raw: aiosqlite.Connection, log: ChangeLog, register: str, rows: Sequence[Row]
) -> None:
    """Write rows within the caller's transaction, replacing those of the same keys."""
    entry_type(register)
    revision = await log.touch(register)
    keys = [(register, row.key) for row in rows]
    await log.note_found(register, revision, _OF_KEY, keys)
    await log.note(register, revision, (one for row in rows for one in row.identifiers))
    await raw.executemany("DELETE FROM register_identifier WHERE register = ? AND key = ?", keys)
    await raw.executemany(
        "INSERT OR REPLACE INTO register_row VALUES (?, ?, ?)",
        [(register, row.key, _encode(row.entry).decode()) for row in rows],
    )
    await raw.executemany(
        "INSERT INTO register_identifier VALUES (?, ?, ?, ?, ?)",
        [
            (register, row.key, place, identifier.kind.value, identifier.value)
            for row in rows
            for place, identifier in enumerate(row.identifiers)
        ],
    )


async def remove(
    raw: aiosqlite.Connection, log: ChangeLog, register: str, keys: Collection[str]
) -> None:
    """Remove the rows of these keys."""
    entry_type(register)
    revision = await log.touch(register)
    await log.note_found(register, revision, _OF_KEY, [(register, key) for key in keys])
    for table in ("register_identifier", "register_row"):
        await raw.executemany(
            f"DELETE FROM {table} WHERE register = ? AND key = ?",  # noqa: S608 constants
            [(register, key) for key in keys],
        )


async def clear(raw: aiosqlite.Connection, log: ChangeLog, register: str) -> None:
    """Empty a register."""
    entry_type(register)
    await log.touch(register)
    await log.fill(register)
    await raw.execute("DELETE FROM register_identifier WHERE register = ?", (register,))
    await raw.execute("DELETE FROM register_row WHERE register = ?", (register,))


async def read(raw: aiosqlite.Connection, register: str, after: str, limit: int) -> list[Row]:
    """Return a register's next rows by key, at most `limit`."""
    rows = await raw.execute_fetchall(
        "SELECT key, entry FROM register_row WHERE register = ? AND key > ? ORDER BY key LIMIT ?",
        (register, after, limit),
    )
    found = [(row[0], row[1]) for row in rows]
    if not found:
        return []
    identifiers = await raw.execute_fetchall(
        "SELECT key, kind, value FROM register_identifier"
        " WHERE register = ? AND key > ? AND key <= ? ORDER BY key, place",
        (register, after, found[-1][0]),
    )
    return _joined(register, found, identifiers)


async def keyed(raw: aiosqlite.Connection, register: str, keys: Collection[str]) -> list[Row]:
    """Return a register's rows of these keys."""
    found: list[Row] = []
    for some in slices(sorted(set(keys))):
        marks = ", ".join("?" * len(some))
        rows = await raw.execute_fetchall(
            f"SELECT key, entry FROM register_row WHERE register = ? AND key IN ({marks})"  # noqa: S608 marks
            " ORDER BY key",
            (register, *some),
        )
        identifiers = await raw.execute_fetchall(
            "SELECT key, kind, value FROM register_identifier"  # noqa: S608 marks
            f" WHERE register = ? AND key IN ({marks}) ORDER BY key, place",
            (register, *some),
        )
        found += _joined(register, [(row[0], row[1]) for row in rows], identifiers)
    return found


async def found_by(
    raw: aiosqlite.Connection, register: str, identifiers: Collection[Identifier]
) -> list[Row]:
    """Return a register's rows that are found by these identifiers."""
    keys: set[str] = set()
    for some in slices(list(identifiers)):
        rows = await raw.execute_fetchall(
            f"{wanted(some)} SELECT key FROM wanted"  # noqa: S608 marks
            " CROSS JOIN register_identifier USING (kind, value) WHERE register = ?",
            (*flat(some), register),
        )
        keys.update(row[0] for row in rows)
    return await keyed(raw, register, keys)


async def keep_document(raw: aiosqlite.Connection, name: str, data: bytes) -> None:
    """Keep a document under its name."""
    await raw.execute(
        "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)",
        (name, hashlib.sha256(data).digest(), len(data), data),
    )


async def documents(raw: aiosqlite.Connection) -> dict[str, StoredDocument]:
    """Return what documents there are."""
    rows = await raw.execute_fetchall("SELECT name, sha256, size FROM document ORDER BY name")
    return {row[0]: StoredDocument(row[1], row[2]) for row in rows}


def slices(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Cut what is asked for into parts that one statement takes."""
    return (items[start : start + SLICE] for start in range(0, len(items), SLICE))


def wanted(identifiers: Sequence[Identifier]) -> str:
    """Return the beginning of a query about so many identifiers: a table `wanted` of them.

    `CROSS JOIN` it with the table that is asked: SQLite then looks up each by the index, where it
    would read the whole table for `(kind, value) IN (VALUES …)`.
    """
    return f"WITH wanted (kind, value) AS (VALUES {', '.join(('(?, ?)',) * len(identifiers))})"


def flat(identifiers: Iterable[Identifier]) -> list[str]:
    """Return the variables for these identifiers."""
    return [text for one in identifiers for text in (one.kind.value, one.value)]


def _joined(
    register: str, rows: Sequence[tuple[str, str]], identifiers: Iterable[Any]
) -> list[Row]:
    decode = msgspec.json.Decoder(entry_type(register)).decode
    known = {
        key: tuple(Identifier(_KINDS[row[1]], row[2]) for row in some)
        for key, some in groupby(identifiers, key=itemgetter(0))
    }
    return [Row(key, known.get(key, ()), decode(entry)) for key, entry in rows]
