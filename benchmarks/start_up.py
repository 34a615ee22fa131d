"""The start of a gate's records after weeks of scans: with what can be rebuilt, and without it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import msgspec

from admission.credential import CredentialKind
from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from admission.reading import Symbology
from admission.reset import DailyReset
from admission.site import Direction
from admission.verdict import Card, Outcome, Reason
from appliance.records import DATABASE, JOURNAL, open_database
from benchmarks.journal_sizes import write_drafts
from benchmarks.machine import Machine, this_machine
from benchmarks.progress import Progress
from benchmarks.reopening import reopened
from cache.journal.local.projection import ZonePlan
from cache.journal.local.projector import Projector
from cache.journal.local.search import Criteria, search
from cache.journal.medium import PosixMedium
from cache.journal.recorder import Draft, draft_of
from cache.journal.recovery import recover

GOAL_S = 3.0
_PLAN = ZonePlan("site-1", DailyReset(4 * 60, UTC), UTC)
_DAY_S, _OPEN_S, _OPENS_S = 86_400, 16 * 3_600, 6 * 3_600
_FIRST_DAY_S = 1_630_454_400  # 2021-09-01
_PEOPLE = 60_000
_BOOT = "3f1c8a52-8f5c-4a57-9d0a-6a3f1d7f8b11"


class StartUpFigures(msgspec.Struct, frozen=True):
    """Seconds from nothing to a zone that knows who is inside; all files out of memory before.

    `lost_s` is without the local database, `kept_s` with it; `zone_*` are the zone's share,
    `busy_*` the processor's time, which other work on the machine lengthens little, and so is
    `index_us_per_entry`. `find_s` is a search that finds nothing.
    """

    machine: Machine
    scans: int
    scans_a_day: int
    entries: int
    lost_s: float
    zone_lost_s: float
    busy_lost_s: float
    kept_s: float
    zone_kept_s: float
    busy_kept_s: float
    index_us_per_entry: float
    index_bytes: int
    find_s: float


async def measure(
    folder: Path, *, scans: int, scans_a_day: int, progress: Progress
) -> StartUpFigures:
    """Return the figures of a journal that is written into an empty folder.

    :param scans: each with what followed on it.
    """
    write_drafts(
        folder / JOURNAL,
        _drafts(scans, scans_a_day),
        lambda written: progress("weeks of scans", written / (2 * scans)),
    )
    clock = _At(_moment_ns(scans - 1, scans_a_day) + 60 * 10**9)
    progress("start without the database", 0.0)
    lost = await reopened(folder, _PLAN, clock, cold=True)
    progress("index", 0.0)
    busy_us = await _indexed(folder)
    progress("start with the database", 0.0)
    kept = await reopened(folder, _PLAN, clock, cold=True)
    began = time.perf_counter()
    list(search(folder / JOURNAL, folder / DATABASE, Criteria(lanes=frozenset({"nowhere"}))))
    found = time.perf_counter()
    return StartUpFigures(
        machine=this_machine(),
        scans=scans,
        scans_a_day=scans_a_day,
        entries=kept.entries,
        lost_s=round(lost.total_s, 3),
        zone_lost_s=round(lost.zone_s, 3),
        busy_lost_s=round(lost.busy_s, 3),
        kept_s=round(kept.total_s, 3),
        zone_kept_s=round(kept.zone_s, 3),
        busy_kept_s=round(kept.busy_s, 3),
        index_us_per_entry=round(busy_us, 1),
        index_bytes=(folder / DATABASE).stat().st_size,
        find_s=round(found - began, 3),
    )


class _At:
    """A clock that stands after the last scan, in a boot of its own."""

    def __init__(self, wall_ns: int) -> None:
        self._now = Instant(wall_ns, 10**9, "another boot", ClockTrust.SYNCHRONISED)

    def now(self) -> Instant:
        return self._now


class _Ended:
    """The journal as it lies there."""

    def __init__(self, folder: Path) -> None:
        position = recover(PosixMedium(), folder, os.urandom(16)).position
        self.journal_id, self.last_sequence = position.journal, position.last_sequence

    async def wait_beyond(self, sequence: int) -> None:
        if self.last_sequence <= sequence:
            await asyncio.Event().wait()  # none will come


async def _indexed(folder: Path) -> float:
    """Make the local database; return the processor's microseconds for each entry."""
    journal = _Ended(folder / JOURNAL)
    async with open_database(folder) as database:
        projector = Projector(
            journal, folder / JOURNAL, database, _PLAN, monotonic_ns=time.monotonic_ns
        )
        began = time.process_time()
        await projector.catch_up()
        return (time.process_time() - began) * 1e6 / projector.status().entries


def _moment_ns(scan: int, scans_a_day: int) -> int:
    day, within = divmod(scan, scans_a_day)
    open_ns = within * _OPEN_S * 10**9 // scans_a_day
    return (_FIRST_DAY_S + day * _DAY_S + _OPENS_S) * 10**9 + open_ns


def _drafts(scans: int, scans_a_day: int) -> Iterator[Draft]:
    draw = random.Random(1)
    for scan in range(scans):
        at_ns = _moment_ns(scan, scans_a_day)
        yield draft_of(_passage(scan, at_ns, draw))
        yield draft_of(Followup(FollowupKind.ACTUATED, scan + 1, 12))


def _passage(scan: int, at_ns: int, draw: random.Random) -> Passage:
    person = draw.randrange(_PEOPLE)
    return Passage(
        site=_PLAN.site,
        lane=f"lane-{scan % 4}",
        source=f"camera-{scan % 4}",
        symbology=Symbology.QR_CODE,
        kind=CredentialKind.PERSONAL_QR,
        code_digest=person.to_bytes(16, "little"),
        person=person,
        outcome=Outcome.ADMIT,
        card=Card.GREEN,
        reasons=(Reason.CARD_OPENS,),
        directive=15,
        rulebook="hcmc-2021-09/3",
        release=41_207,
        wall_ns=at_ns,
        monotonic_ns=at_ns - _FIRST_DAY_S * 10**9,
        boot_id=_BOOT,
        clock_trust=ClockTrust.SYNCHRONISED,
        direction=draw.choice((Direction.IN, Direction.OUT)),
        token=person * 0x9E3779B97F4A7C15 % (1 << 64),
    )
