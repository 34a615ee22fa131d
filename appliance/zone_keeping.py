"""The zone at start: built anew from what the journal tells since the last reset."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from admission.instant import Instant
from admission.passage import Passage
from admission.ports import Clock
from admission.reset import DailyReset
from admission.zone import Zone
from cache.errors import CacheError
from cache.journal.recent import recent_entries

_log = logging.getLogger(__name__)

MAX_RECALLED_ENTRIES = 100_000
"""Entries that are read at start at most: a day of a busy site, and some seconds on a Pi 4."""


async def recalled_zone(
    journal: Path, *, through: int, reset: DailyReset, site: str, clock: Clock
) -> Zone:
    """Return the zone as the journal in this folder tells of it. Reads beside the loop.

    A journal that cannot be read gives an empty zone and a warning: the gate serves, and an officer
    corrects the count.
    """
    return await asyncio.to_thread(_recalled, journal, through, reset, site, clock.now())


def _recalled(journal: Path, through: int, reset: DailyReset, site: str, now: Instant) -> Zone:
    latest = reset.latest(now)
    entries: list[tuple[int, Passage]] = []
    try:
        entries = recent_entries(
            journal,
            through=through,
            since_ns=None if latest is None else latest.wall_ns,
            max_entries=MAX_RECALLED_ENTRIES,
        )
    except CacheError as error:
        _log.warning("who is inside is not known: the journal cannot be read", exc_info=error)
    return Zone.rebuilt(entries, reset, site=site, now=now)
