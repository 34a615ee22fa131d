"""How long an appliance's records take at start: database, journal, watermark, zone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from admission.people import Count
from admission.ports import Clock
from appliance.records import JOURNAL, open_database
from appliance.zone_keeping import recalled_zone
from cache.journal.file_journal import FileJournal
from cache.journal.local.projection import ZonePlan
from cache.journal.outbox import Outbox, watermarks


class Reopening(msgspec.Struct, frozen=True):
    """Seconds of each step, `busy_s` the processor's of all; what was found, who is inside."""

    database_s: float
    journal_s: float
    watermark_s: float
    zone_s: float
    busy_s: float
    entries: int
    inside: Count

    @property
    def total_s(self) -> float:
        """All steps together."""
        return self.database_s + self.journal_s + self.watermark_s + self.zone_s


async def reopened(state: Path, plan: ZonePlan, clock: Clock, *, cold: bool = False) -> Reopening:
    """Open the records that lie in a state folder as the daemon does, and close them again.

    :param cold: whether nothing of them is in memory before, as after a power cut.
    """
    if cold:
        for path in _files(state):
            _forget(path)
    busy_s = time.process_time()
    laps = [time.perf_counter()]
    async with open_database(state) as database:
        known = await watermarks(database)
        laps.append(time.perf_counter())
        journal = await FileJournal.open(
            state / JOURNAL,
            monotonic_ns=time.monotonic_ns,
            random_bytes=os.urandom,
            acknowledged=known,
        )
        try:
            laps.append(time.perf_counter())
            await Outbox.open(database, journal)
            laps.append(time.perf_counter())
            zone = await recalled_zone(state / JOURNAL, journal, database, plan, clock=clock)
            laps.append(time.perf_counter())
            database_s, journal_s, watermark_s, zone_s = (b - a for a, b in pairwise(laps))
            return Reopening(
                database_s,
                journal_s,
                watermark_s,
                zone_s,
                time.process_time() - busy_s,
                journal.last_sequence,
                zone.count(clock.now()),
            )
        finally:
            await journal.close()


def _files(state: Path) -> Iterator[Path]:
    return (path for path in state.rglob("*") if path.is_file())


def _forget(path: Path) -> None:
    """Have the kernel let go of what it holds of a file."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
