"""The projection's tables: read at start, written in one transaction with how far they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import aiosqlite

from cache.journal.errors import LocalStateError
from cache.journal.local.blocks import block_of
from cache.journal.local.counts import Counted
from cache.journal.local.names import Names
from cache.journal.local.projection import Projection, Standing, ZonePlan, chunks
from cache.journal.local.rows import checked, with_crc
from cache.journal.local.zone_records import MAX_ZONE_RECORDS, pack_chunk

MAX_WRONG_NUMBERS = 4_096
"""More than a day's of sixty lanes: a lane that is tried is held off."""
_CHUNK_RECORDS = 256
_COUNT_ROWS = 500
_FIND_COUNTS = """
SELECT * FROM count WHERE (journal, day, lane, direction, event, what) IN (VALUES {places})
"""


class DamagedRowsError(LocalStateError):
    """Rows have changed since they were written: the tables are to be emptied (`clear`)."""


async def load(
    raw: aiosqlite.Connection, journal: bytes, last_sequence: int, plan: ZonePlan
) -> Projection:
    """Return the projection of a journal as it was written last; an empty one if there is none.

    :param last_sequence: the journal's last durable entry: tables that tell of more are of a
        journal that was put back to an older state, and are emptied.
    :raises DamagedRowsError: if a checksum does not hold.
    """
    left = await standing(raw)
    if left is not None and left.journal != journal:
        await _clear_journal(raw)  # a journal that was ended: what was counted of it stays
        left = None
    elif left is not None and left.through > last_sequence:
        await _clear_journal(raw)
        await raw.execute("DELETE FROM count WHERE journal = ?", (journal,))
        left = None
    names = Names(await _rows(raw, "SELECT * FROM name"))
    if left is None:
        return Projection(Standing(journal, 0, plan.key, 1, None, 0), plan, names, None)
    rows = await _rows(raw, "SELECT * FROM block ORDER BY first DESC LIMIT 1")
    block = block_of(rows[0]) if rows else None
    if block is not None and block.last != left.through:
        block = None
    return Projection(left, plan, names, block)


async def save(raw: aiosqlite.Connection, projection: Projection) -> Counter[Counted]:
    """Write what has gathered; return what was counted. Call `projection.written` after the commit.

    :raises DamagedRowsError: if a checksum does not hold.
    :raises LocalStateError: if the tables are not as they were left.
    """
    left = await standing(raw)
    if (left.through if left else 0) != projection.written_through:
        raise LocalStateError("the journal's local state was replaced meanwhile")
    now = projection.standing
    counted = projection.tally.take_counts()
    await _add_counts(raw, now.journal, counted)
    await raw.executemany(
        "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)",
        [with_crc(*name) for name in projection.names.take_fresh()],
    )
    await raw.executemany(
        "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [with_crc(*block.columns()) for block in projection.changed_blocks.values()],
    )
    await _save_zone(raw, projection)
    await _save_wrong(raw, projection)
    await raw.execute(
        "INSERT OR REPLACE INTO projection VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        with_crc(*now),
    )
    return counted


async def zone_chunks(raw: aiosqlite.Connection) -> list[bytes]:
    """Return the zone's records, as `zone_records.pack_chunk` made them, ascending.

    :raises DamagedRowsError: if a checksum does not hold.
    """
    return [row[3] for row in await _rows(raw, "SELECT * FROM zone_chunk ORDER BY first")]


async def wrong_numbers(raw: aiosqlite.Connection) -> list[tuple[Any, ...]]:
    """Return the columns of `wrong_numbers.WrongNumber`, ascending.

    :raises DamagedRowsError: if a checksum does not hold.
    """
    return await _rows(raw, "SELECT * FROM wrong_number ORDER BY sequence")


async def forget_blocks(raw: aiosqlite.Connection, before: int) -> None:
    """Take those runs of entries out of the index that end before this sequence."""
    await raw.execute("DELETE FROM block WHERE last < ?", (before,))


async def load_counts(raw: aiosqlite.Connection) -> Counter[Counted]:
    """Return all counts, of all journals here.

    :raises DamagedRowsError: if a checksum does not hold.
    """
    counts: Counter[Counted] = Counter()
    for _, *key, entries in await _rows(raw, "SELECT * FROM count"):
        counts[Counted(*key)] += entries
    return counts


async def standing(raw: aiosqlite.Connection) -> Standing | None:
    """Return how far the tables tell, None if they are empty.

    :raises DamagedRowsError: if the checksum does not hold.
    """
    rows = await _rows(
        raw, "SELECT journal, through, zone, whole, ordinal, last_dated, crc FROM projection"
    )
    if not rows:
        return None
    return Standing(*rows[0])


async def clear(raw: aiosqlite.Connection) -> None:
    """Empty all tables of the projection: they are made anew from the journal's start."""
    await _clear_journal(raw)
    await raw.execute("DELETE FROM name")
    await raw.execute("DELETE FROM count")


async def _clear_journal(raw: aiosqlite.Connection) -> None:
    await raw.execute("DELETE FROM projection")
    await raw.execute("DELETE FROM zone_chunk")
    await raw.execute("DELETE FROM block")
    await raw.execute("DELETE FROM wrong_number")


async def _save_zone(raw: aiosqlite.Connection, projection: Projection) -> None:
    if projection.zone_over:
        await raw.execute("DELETE FROM zone_chunk WHERE last <= ?", (projection.zone_over,))
    rows = []
    for records in chunks(projection.zone_records, _CHUNK_RECORDS):
        packed = pack_chunk(projection.plan.site, records)
        rows.append(with_crc(records[0][0], records[-1][0], len(records), packed))
    await raw.executemany("INSERT OR REPLACE INTO zone_chunk VALUES (?, ?, ?, ?, ?)", rows)
    if rows:
        await _bound_zone(raw)


async def _save_wrong(raw: aiosqlite.Connection, projection: Projection) -> None:
    if not projection.wrong_numbers:
        return
    await raw.executemany(
        "INSERT OR REPLACE INTO wrong_number VALUES (?, ?, ?, ?, ?, ?, ?)",
        [with_crc(*one) for one in projection.wrong_numbers],
    )
    await raw.execute(
        "DELETE FROM wrong_number WHERE sequence IN (SELECT sequence FROM wrong_number "
        "ORDER BY sequence DESC LIMIT -1 OFFSET ?)",
        (MAX_WRONG_NUMBERS,),
    )


async def _bound_zone(raw: aiosqlite.Connection) -> None:
    rows = list(await raw.execute_fetchall("SELECT sum(records) FROM zone_chunk"))
    if rows[0][0] <= MAX_ZONE_RECORDS:
        return
    await raw.execute(
        "DELETE FROM zone_chunk WHERE first IN (SELECT first FROM (SELECT first, sum(records) "
        "OVER (ORDER BY first DESC) AS newer FROM zone_chunk) WHERE newer > ?)",
        (MAX_ZONE_RECORDS,),
    )


async def _add_counts(raw: aiosqlite.Connection, journal: bytes, counted: Counter[Counted]) -> None:
    keys = list(counted)
    for start in range(0, len(keys), _COUNT_ROWS):
        some = keys[start : start + _COUNT_ROWS]
        places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(some))
        rows = await _rows(
            raw,
            _FIND_COUNTS.format(places=places),
            [column for key in some for column in (journal, *key)],
        )
        before = {Counted(*key): entries for _, *key, entries in rows}
        await raw.executemany(
            "INSERT OR REPLACE INTO count VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [with_crc(journal, *key, before.get(key, 0) + counted[key]) for key in some],
        )


async def _rows(
    raw: aiosqlite.Connection, statement: str, variables: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    rows = [checked(row) for row in await raw.execute_fetchall(statement, variables)]
    if None in rows:
        raise DamagedRowsError("rows of the journal's local state have changed by themselves")
    return [row for row in rows if row is not None]
