"""The zone's records at start: from the database as far as it tells, from the journal beyond."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from admission.instant import Instant
from cache.journal.errors import JournalError
from cache.journal.local import tables
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import ZonePlan
from cache.journal.local.zone_records import (
    MAX_ZONE_RECORDS,
    ZoneRecord,
    of_zone,
    since_reset,
    unpack_chunk,
)
from cache.journal.medium import Medium
from cache.journal.recent import recent_records


class Kept(msgspec.Struct, frozen=True):
    """The zone's records through this sequence, none missing since the last reset before it."""

    through: int
    records: list[ZoneRecord]


async def recalled(
    folder: Path,
    database: LocalDatabase,
    plan: ZonePlan,
    *,
    journal: bytes,
    through: int,
    now: Instant,
    medium: Medium | None = None,
) -> list[ZoneRecord]:
    """Return the zone's records since the last reset, ascending. Reads beside the loop.

    :param journal: the journal's id.
    :param through: its last durable sequence.
    :raises JournalUnavailable: if the medium cannot be read.
    """
    kept = await _kept(database, plan, journal, through)
    latest = plan.reset.latest(now)
    newer = await asyncio.to_thread(
        recent_records,
        folder,
        after=kept.through,
        through=through,
        since_ns=None if latest is None else latest.wall_ns,
        max_entries=MAX_ZONE_RECORDS,
        medium=medium,
        wanted=lambda packed: of_zone(packed, plan.site),
    )
    # What was not read up to where the database ends was read up to the last reset.
    records = kept.records + newer.records if newer.complete else newer.records
    return await asyncio.to_thread(since_reset, records, plan.reset, now)


async def _kept(database: LocalDatabase, plan: ZonePlan, journal: bytes, through: int) -> Kept:
    nothing = Kept(0, [])
    try:
        async with database.transaction(write=False) as raw:
            standing = await tables.standing(raw)
            if standing is None or (standing.journal, standing.zone) != (journal, plan.key):
                return nothing
            if not standing.whole or standing.through > through:
                return nothing
            rows = await tables.zone_chunks(raw)
        return Kept(standing.through, await asyncio.to_thread(_records, rows))
    except (JournalError, ValueError):
        return nothing  # damaged: the journal tells the same


def _records(chunks: list[bytes]) -> list[ZoneRecord]:
    return [record for chunk in chunks for record in unpack_chunk(chunk)]
