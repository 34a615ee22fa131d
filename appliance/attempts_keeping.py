"""Wrong numbers at start: counted again from what was written down, lane by lane."""

from __future__ import annotations

import logging
from pathlib import Path

from admission.attempts import Attempts
from admission.instant import Instant
from admission.ports import Clock
from appliance.zone_keeping import Written
from cache.errors import CacheError
from cache.journal.local.database import LocalDatabase
from cache.journal.local.tries import WrongNumber
from cache.journal.local.wrong_numbers import recalled_wrong

_log = logging.getLogger(__name__)
_NS_PER_MS = 1_000_000


async def recalled_attempts(
    folder: Path, journal: Written, database: LocalDatabase, *, clock: Clock
) -> dict[str, Attempts]:
    """Return the lanes' attempts by name, as far as the journal in this folder tells of them.

    A try of a former boot counts if both clocks were vouched for: without dates nobody knows how
    long ago it was. What cannot be read is logged: the lanes serve, and count from here on.
    """
    try:
        tries = await recalled_wrong(
            folder, database, journal=journal.journal_id, through=journal.last_sequence
        )
    except CacheError as error:
        _log.warning("wrong numbers from before the start are not known", exc_info=error)
        return {}
    now = clock.now()
    stamps: dict[str, list[int]] = {}
    for one in tries:
        stamp_ns = _stamp_ns(one, now)
        if stamp_ns is not None:
            stamps.setdefault(one.lane, []).append(stamp_ns)
    return {lane: Attempts.recalled(sorted(some)) for lane, some in stamps.items()}


def _stamp_ns(one: WrongNumber, now: Instant) -> int | None:
    """Return the try's moment on this boot's monotonic clock, None if nobody can tell."""
    if one.boot_id == now.boot_id:
        return min(one.monotonic_ms * _NS_PER_MS, now.monotonic_ns)
    if one.dated and now.dated:
        return min(now.monotonic_ns, now.monotonic_ns - (now.wall_ns - one.wall_ms * _NS_PER_MS))
    return None
