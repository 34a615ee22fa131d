"""Numbers that were tried and found nowhere, at start: a guesser gets no new tries by a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from admission.errors import WireError
from admission.journal_record import PassageRecord, unpack_record
from cache.journal.local import tables
from cache.journal.local.database import LocalDatabase
from cache.journal.local.tries import WrongNumber, wrong_number
from cache.journal.medium import Medium
from cache.journal.reader import JournalReader

MAX_UNINDEXED_ENTRIES = 8_192
"""How many of the newest entries are read at most of which the database does not tell."""
_STEP_BYTES = 1 << 20


async def recalled_wrong(
    folder: Path,
    database: LocalDatabase,
    *,
    journal: bytes,
    through: int,
    medium: Medium | None = None,
) -> list[WrongNumber]:
    """Return the newest tries, ascending: those in the database, and of the newest entries.

    :param journal: the journal's id.
    :param through: its last durable sequence.
    :raises CacheError: if database or medium cannot be read.
    """
    async with database.transaction(write=False) as raw:
        standing = await tables.standing(raw)
        known: list[WrongNumber] = []
        told = 0
        if standing is not None and standing.journal == journal and standing.through <= through:
            told = standing.through
            known = [WrongNumber(*row) for row in await tables.wrong_numbers(raw)]
    after = max(told, through - MAX_UNINDEXED_ENTRIES)
    newer = await asyncio.to_thread(_newer, JournalReader(folder, medium), after, through)
    return known + newer


def _newer(reader: JournalReader, after: int, through: int) -> list[WrongNumber]:
    found = []
    while after < through:
        entries = reader.read_now(
            after, through, max_entries=MAX_UNINDEXED_ENTRIES, max_bytes=_STEP_BYTES
        )
        for entry in entries:
            try:
                record = unpack_record(entry.packed) if entry.packed else None
            except WireError:
                continue
            if isinstance(record, PassageRecord):
                one = wrong_number(entry.sequence, record.passage)
                found += [one] if one else []
        after = entries[-1].sequence
    return found
