"""The zone at start: built anew from what was written down since the last reset."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from admission.ports import Clock
from admission.zone import Zone
from appliance.config import Config, site_of
from appliance.site_table import reset_from
from cache.errors import CacheError
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import ZonePlan
from cache.journal.local.recall import recalled
from cache.journal.local.zone_records import ZoneRecord

_log = logging.getLogger(__name__)


class Written(Protocol):
    """The journal, as far as the zone is told from it."""

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        ...

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        ...


def zone_plan_of(config: Config) -> ZonePlan:
    """Return whose records are kept for the zone, and until when."""
    site = site_of(config)
    return ZonePlan(site.id, reset_from(config.site), site.timezone)


async def recalled_zone(
    folder: Path,
    journal: Written,
    database: LocalDatabase,
    plan: ZonePlan,
    *,
    clock: Clock,
    named_from: int = 0,
) -> Zone:
    """Return the zone that the database tells of and, beyond it, the journal. Reads off the loop.

    A journal that cannot be read gives an empty zone and a warning: the gate serves, and an officer
    corrects the count.

    :param folder: the journal's.
    :param named_from: as for `Zone.rebuilt`.
    """
    now = clock.now()
    records: list[ZoneRecord] = []
    try:
        records = await recalled(
            folder,
            database,
            plan,
            journal=journal.journal_id,
            through=journal.last_sequence,
            now=now,
        )
    except CacheError as error:
        _log.warning("who is inside is not known: the journal cannot be read", exc_info=error)
    return await asyncio.to_thread(
        Zone.rebuilt, records, plan.reset, site=plan.site, now=now, named_from=named_from
    )
