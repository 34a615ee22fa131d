"""The zone at start: built anew from what the journal tells since the last reset."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from admission.journal_record import Followup, LoggedPassage
from admission.ports import Clock
from admission.reset import DailyReset, Reset
from admission.zone import Zone
from cache.errors import CacheError
from cache.journal.recent import recent_records

_log = logging.getLogger(__name__)

MAX_RECALLED_ENTRIES = 100_000
"""Entries that are read at start at most: a day of a busy site, and some seconds on a Pi 4."""


async def recalled_zone(
    journal: Path,
    *,
    through: int,
    reset: DailyReset,
    site: str,
    clock: Clock,
    named_from: int = 0,
) -> Zone:
    """Return the zone as the journal in this folder tells of it. Reads beside the loop.

    A journal that cannot be read gives an empty zone and a warning: the gate serves, and an officer
    corrects the count.

    :param named_from: as for `Zone.rebuilt`.
    """
    now = clock.now()

    def rebuilt() -> Zone:
        records = _recalled(journal, through, reset.latest(now))
        return Zone.rebuilt(records, reset, site=site, now=now, named_from=named_from)

    return await asyncio.to_thread(rebuilt)


def _recalled(
    journal: Path, through: int, latest: Reset | None
) -> list[tuple[int, LoggedPassage | Followup]]:
    try:
        return recent_records(
            journal,
            through=through,
            since_ns=None if latest is None else latest.wall_ns,
            max_entries=MAX_RECALLED_ENTRIES,
        )
    except CacheError as error:
        _log.warning("who is inside is not known: the journal cannot be read", exc_info=error)
        return []
