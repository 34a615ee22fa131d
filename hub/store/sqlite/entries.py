"""Entries, conflicts and flags as rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import aiosqlite

from hub.store.entries import (
    MAX_INTEGER,
    NO_CHAIN_HASH,
    Added,
    EntryCount,
    EntryRecord,
    Flag,
    FlagKind,
    Held,
    JournalKey,
    Offer,
    Watermark,
)
from hub.store.sqlite import marks

_RUN = 1_000
"""Rows looked at in one step when islands beyond a closed gap are joined."""


async def add(raw: aiosqlite.Connection, offer: Offer) -> Added:
    """Keep what is new, keep what differs as a conflict, move the journal's watermark."""
    key, records = offer.key, offer.records
    journal, through = await _journal(raw, key)
    before = await _held_between(raw, journal, records[0].sequence, records[-1].sequence)
    fresh = [record for record in records if record.sequence not in before]
    differing = [
        record
        for record in records
        if (held := before.get(record.sequence)) is not None and not _same(held, record)
    ]
    if fresh:
        await raw.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_entry_row(journal, record) for record in fresh],
        )
        await marks.add(raw, journal, fresh)
        through = await _advance(raw, journal, through, records)
    if differing:
        await raw.executemany(
            "INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?, ?, ?)",
            [_conflict_row(journal, record) for record in differing],
        )
    first, last = records[0].sequence, records[-1].sequence
    around = await held_at(raw, key, [s for s in (first - 1, last + 1) if s <= MAX_INTEGER])
    mark = await watermark(raw, key)
    return Added(len(fresh), {r.sequence: before[r.sequence] for r in differing}, mark, around)


async def watermark(raw: aiosqlite.Connection, key: JournalKey) -> Watermark:
    """Return how far a journal is held."""
    rows = await raw.execute_fetchall(
        "SELECT through FROM journal WHERE device = ? AND journal = ?", (key.device, key.journal)
    )
    through = next((row[0] for row in rows), 0)
    at = await held_at(raw, key, [through])
    return Watermark(through, at[through].chain_hash if through else NO_CHAIN_HASH)


async def held_at(
    raw: aiosqlite.Connection, key: JournalKey, sequences: Collection[int]
) -> dict[int, Held]:
    """Return what is held under some of the sequences."""
    found = {}
    for sequence in sequences:
        rows = await raw.execute_fetchall(
            "SELECT sequence, chain_hash, packed FROM entry JOIN journal ON journal.id ="
            " entry.journal WHERE journal.device = ? AND journal.journal = ? AND sequence = ?",
            (key.device, key.journal, sequence),
        )
        found.update(_by_sequence(rows))
    return found


async def raise_flags(raw: aiosqlite.Connection, key: JournalKey, flags: Iterable[Flag]) -> None:
    """Keep the flags that are not raised yet."""
    journal, _ = await _journal(raw, key)
    await raw.executemany(
        "INSERT OR IGNORE INTO flag VALUES (?, ?, ?, ?)",
        [(journal, flag.sequence, flag.kind.value, flag.detail) for flag in flags],
    )


async def flags(raw: aiosqlite.Connection, key: JournalKey) -> list[Flag]:
    """Return a journal's flags in order."""
    rows = await raw.execute_fetchall(
        "SELECT sequence, kind, detail FROM flag JOIN journal ON journal.id = flag.journal"
        " WHERE journal.device = ? AND journal.journal = ? ORDER BY sequence, kind",
        (key.device, key.journal),
    )
    return [Flag(sequence, FlagKind(kind), detail) for sequence, kind, detail in rows]


async def count(raw: aiosqlite.Connection, device: str) -> EntryCount:
    """Return how much of one device is held."""
    of_device = "IN (SELECT id FROM journal WHERE device = ?)"
    rows = await raw.execute_fetchall(
        f"SELECT (SELECT count(*) FROM entry WHERE journal {of_device}),"  # noqa: S608 a constant
        f" (SELECT count(DISTINCT packed) FROM entry WHERE journal {of_device}),"
        f" (SELECT count(*) FROM conflict WHERE journal {of_device}),"
        f" (SELECT count(*) FROM flag WHERE journal {of_device})",
        (device,) * 4,
    )
    return EntryCount(*next(iter(rows)))


async def _journal(raw: aiosqlite.Connection, key: JournalKey) -> tuple[int, int]:
    query = "SELECT id, through FROM journal WHERE device = ? AND journal = ?"
    rows = list(await raw.execute_fetchall(query, (key.device, key.journal)))
    if not rows:
        insert = "INSERT INTO journal (device, journal) VALUES (?, ?) RETURNING id, through"
        rows = list(await raw.execute_fetchall(insert, (key.device, key.journal)))
    return rows[0][0], rows[0][1]


async def _held_between(
    raw: aiosqlite.Connection, journal: int, first: int, last: int
) -> dict[int, Held]:
    rows = await raw.execute_fetchall(
        "SELECT sequence, chain_hash, packed FROM entry"
        " WHERE journal = ? AND sequence BETWEEN ? AND ?",
        (journal, first, last),
    )
    return _by_sequence(rows)


async def _advance(
    raw: aiosqlite.Connection, journal: int, through: int, records: Sequence[EntryRecord]
) -> int:
    if records[0].sequence > through + 1:
        return through
    through = max(through, records[-1].sequence)
    run = _RUN
    while run == _RUN:
        rows = await raw.execute_fetchall(
            "SELECT sequence FROM entry WHERE journal = ? AND sequence > ?"
            " ORDER BY sequence LIMIT ?",
            (journal, through, _RUN),
        )
        run = sum(1 for place, row in enumerate(rows, start=1) if row[0] == through + place)
        through += run
    await raw.execute("UPDATE journal SET through = ? WHERE id = ?", (through, journal))
    return through


def _by_sequence(rows: Iterable[Any]) -> dict[int, Held]:
    return {row[0]: Held(row[1], row[2]) for row in rows}


def _same(held: Held, record: EntryRecord) -> bool:
    return held.chain_hash == record.chain_hash and held.packed == record.packed


def _entry_row(journal: int, record: EntryRecord) -> tuple[Any, ...]:
    columns: tuple[Any, ...] = (None, None, None, None)
    if (decoded := record.decoded) is not None:
        columns = (decoded.site, decoded.wall_ns, _signed(decoded.person), decoded.outcome)
    return (
        journal,
        record.sequence,
        record.chain_hash,
        record.packed,
        *columns,
        record.received_ns,
    )


def _conflict_row(journal: int, record: EntryRecord) -> tuple[Any, ...]:
    digest = hashlib.sha256(record.chain_hash + record.packed).digest()
    return (
        journal,
        record.sequence,
        digest,
        record.chain_hash,
        record.packed,
        record.received_ns,
    )


def _signed(key: int | None) -> int | None:
    return key - (1 << 64) if key is not None and key >= 1 << 63 else key


async def session_before(
    raw: aiosqlite.Connection, key: JournalKey, sequence: int
) -> tuple[int, bytes] | None:
    """Return the last held session record before a sequence."""
    rows = await raw.execute_fetchall(
        "SELECT sequence, packed FROM entry JOIN journal ON journal.id = entry.journal"
        " WHERE journal.device = ? AND journal.journal = ? AND sequence < ?"
        " AND substr(packed, 1, 2) = x'9303' ORDER BY sequence DESC LIMIT 1",
        (key.device, key.journal, sequence),
    )
    return next(((row[0], bytes(row[1])) for row in rows), None)
