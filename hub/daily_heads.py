"""Publishing the daily heads: once a UTC day is over, how far whose journal is held.

One signed file a day beneath `published/replica/journals/`, written once and never again. A hub
that was off makes up for the days that it missed: their lists say when they were made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.daily_heads import (
    DAILY_HEADS_PATH,
    DAY,
    JournalHead,
    pack_daily_heads,
)
from admission.errors import WireError
from admission.instant import Instant
from admission.ports import Clock
from admission.upload import MAX_DEVICE_LENGTH
from cache.replica.durable import write_durably
from hub.access import log
from hub.errors import HubError, PublishError
from hub.metrics import HubMetrics
from hub.store.examined import ExaminedStore, JournalStanding

INTERVAL_S = 60.0
MAX_MISSED = 31
"""Days that are made up for at most."""
_MODE = 0o644
_DAY = timedelta(1)
_DAY_NS = 86_400 * 1_000_000_000


class DailyHeadsTask:
    """Writes the lists that are due.

    :param replica: the folder that is served as `replica/`.
    :param key: the hub's head key.
    :param clock_problem: says why the hub's clock is not believed, empty if it is: a list of a day
        that has not been is never taken back.
    """

    def __init__(
        self,
        store: ExaminedStore,
        replica: Path,
        key: Ed25519PrivateKey,
        clock: Clock,
        metrics: HubMetrics,
        *,
        clock_problem: Callable[[], str] = str,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._store = store
        self._folder = replica / DAILY_HEADS_PATH
        self._key = key
        self._clock = clock
        self._metrics = metrics
        self._clock_problem = clock_problem
        self._interval_s = interval_s
        self.problem = ""
        """What went wrong the last time, empty if nothing did."""

    async def once(self) -> list[str]:
        """Write what is due, and return the days that were written.

        :raises HubError: if the store or the medium failed; tried again, the rest is written.
        """
        now = self._clock.now()
        if self._clock_problem():
            return []
        due = await asyncio.to_thread(self._due, now)
        if due:
            standings = await self._store.journals()
            await asyncio.to_thread(self._write, due, standings, now)
        # What is not due any more is published, and later days have not been.
        self._metrics.daily_listed(now.wall_ns // _DAY_NS * _DAY_NS)
        self.problem = ""
        return due

    async def run(self) -> None:
        """Write what is due at an interval until cancelled."""
        while True:
            try:
                await self.once()
            except HubError as error:
                if self.problem != str(error):
                    log.error({"event": "daily heads not written", "message": str(error)})
                self.problem = str(error)
            await asyncio.sleep(self._interval_s)

    def _due(self, now: Instant) -> list[str]:
        yesterday = now.date_in(UTC) - _DAY
        try:
            written = set(map(_date, (path.name for path in self._folder.iterdir())))
        except FileNotFoundError:
            written = set()
        except OSError as error:
            raise _unwritten(error) from error
        newest = max((day for day in written if day is not None), default=yesterday - _DAY)
        first = max(newest + _DAY, yesterday - (MAX_MISSED - 1) * _DAY)
        missed = (yesterday - first).days + 1
        return [(first + number * _DAY).isoformat() for number in range(missed)]

    def _write(
        self, days: Iterable[str], standings: Sequence[JournalStanding], now: Instant
    ) -> None:
        heads = [
            JournalHead(one.key.device, one.key.journal, one.through, one.chain_hash)
            for one in standings
            if one.through > 0 and len(one.key.device) <= MAX_DEVICE_LENGTH
        ]
        try:
            self._folder.mkdir(mode=0o755, exist_ok=True)
            for day in days:
                packed = pack_daily_heads(day, now.wall_ns, heads, self._key)
                write_durably(self._folder / day, packed, mode=_MODE)
        except OSError as error:
            raise _unwritten(error) from error
        except WireError as error:
            raise PublishError(str(error)) from error


def _date(name: str) -> date | None:
    """Return the day of a list, None of a file that is none."""
    try:
        return date.fromisoformat(name) if DAY.fullmatch(name) else None
    except ValueError:
        return None


def _unwritten(error: OSError) -> PublishError:
    msg = f"the daily heads cannot be written: {error.strerror}"
    return PublishError(msg, hint="check free space and who owns published/replica/journals")
