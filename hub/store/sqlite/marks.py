"""Marks of entries as rows."""

from __future__ import annotations

from collections.abc import Iterable

import aiosqlite

from hub.store.entries import EntryRecord
from hub.store.marks import MarkedEntry, MarkKind


async def add(raw: aiosqlite.Connection, journal: int, records: Iterable[EntryRecord]) -> None:
    """Keep the marks of entries that are new."""
    rows = [
        (journal, record.sequence, mark.value, record.decoded.site, record.received_ns)
        for record in records
        if record.decoded is not None
        for mark in record.decoded.marks
    ]
    if rows:
        await raw.executemany("INSERT OR IGNORE INTO mark VALUES (?, ?, ?, ?, ?)", rows)


async def newest(
    raw: aiosqlite.Connection, kind: MarkKind, since_ns: int, site: str | None, limit: int
) -> list[MarkedEntry]:
    """Return the newest entries with a mark; see the port."""
    rows = await raw.execute_fetchall(
        "SELECT journal.device, journal.journal, entry.sequence, entry.packed, entry.received_ns"
        " FROM mark JOIN entry USING (journal, sequence) JOIN journal ON journal.id = mark.journal"
        " WHERE mark.kind = ? AND mark.received_ns >= ? AND (? IS NULL OR mark.site = ?)"
        " ORDER BY mark.received_ns DESC, mark.sequence DESC, journal.device, journal.journal"
        " LIMIT ?",
        (kind.value, since_ns, site, site, limit),
    )
    return [MarkedEntry(row[0], bytes(row[1]), row[2], bytes(row[3]), row[4]) for row in rows]
