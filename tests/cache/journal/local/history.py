"""A journal of records that follow one another in odd ways, and those who follow it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from admission.instant import ClockTrust
from admission.journal_record import (
    Followup,
    FollowupKind,
    Record,
    pack_followup,
    pack_passage_record,
    pack_public,
    unpack_record,
)
from admission.passage import Event, Passage
from admission.reset import DailyReset
from admission.site import Direction
from admission.verdict import Outcome, Reason
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import ZonePlan
from cache.journal.local.projector import Pace, Projector
from cache.journal.recovery import Position
from tests.cache.journal.entries import JOURNAL, a_writer, an_entry, drafts
from tests.cache.journal.simulated_disk import SimulatedDisk
from tests.worlds import VIETNAM

FOLDER = Path("journal")
PLAN = ZonePlan("site-1", DailyReset(4 * 60, VIETNAM), VIETNAM)
HOUR_NS = 3_600 * 10**9
SMALL = Pace(step_entries=7, write_entries=40, gather_s=0.0, retry_s=0.0)
"""Bounds that a short history reaches."""


def a_passage(
    token: int | None = 1,
    *,
    wall_ns: int = 0,
    boot: int = 1,
    lane: str = "lane-1",
    outcome: Outcome = Outcome.ADMIT,
    direction: Direction = Direction.IN,
    event: Event = Event.SCAN,
    about: int | None = None,
    trust: ClockTrust = ClockTrust.SYNCHRONISED,
    reasons: tuple[Reason, ...] = (Reason.CARD_OPENS,),
    site: str = "site-1",
    note: str = "",
) -> Passage:
    return msgspec.structs.replace(
        an_entry(1, lane=lane),
        site=site,
        token=token,
        wall_ns=an_entry(0).wall_ns + wall_ns,
        monotonic_ns=max(0, wall_ns),
        boot_id=f"boot-{boot}",
        outcome=outcome,
        direction=direction,
        event=event,
        about=about,
        clock_trust=trust,
        reasons=reasons,
        note=note,
        worker=token == 1,
    )


class CountingReads(SimulatedDisk):
    """Counts what is read of it."""

    bytes_read = 0

    def read(self, path: Path, offset: int, limit: int) -> bytes:
        data = super().read(path, offset, limit)
        self.bytes_read += len(data)
        return data


class History:
    """A journal on a disk of its own, behind the port that the projector follows."""

    def __init__(self, *, rotate_bytes: int = 2_000) -> None:
        self.disk = CountingReads()
        self._rotate_bytes = rotate_bytes
        self._writer = a_writer(self.disk, FOLDER, rotate_bytes=rotate_bytes)
        self.packed: list[bytes] = []
        self.journal_id = JOURNAL
        self.grown = asyncio.Event()

    @property
    def last_sequence(self) -> int:
        return len(self.packed)

    @property
    def records(self) -> list[tuple[int, Record]]:
        return [(n, unpack_record(packed)) for n, packed in enumerate(self.packed, start=1)]

    @property
    def position(self) -> Position:
        return self._writer.position

    async def wait_beyond(self, sequence: int) -> None:
        while self.last_sequence <= sequence:
            self.grown.clear()
            await self.grown.wait()

    def write(self, *told: Passage | Followup) -> None:
        for one in told:
            self.packed.append(
                pack_followup(one)
                if isinstance(one, Followup)
                else pack_passage_record(pack_public(one), b"")
            )
            self._writer.append_group(drafts(self.packed[-1:]))
        self.grown.set()

    @property
    def bytes_read(self) -> int:
        return self.disk.bytes_read

    def write_all(self, entries: list[Passage]) -> None:
        """Write many in one group."""
        packed = [pack_passage_record(pack_public(entry), b"") for entry in entries]
        for start in range(0, len(packed), 500):
            self._writer.append_group(drafts(packed[start : start + 500]))
        self.packed += packed
        self.grown.set()

    def projector(self, database: LocalDatabase, *, plan: ZonePlan = PLAN) -> Projector:
        return Projector(
            self,
            FOLDER,
            database,
            plan,
            monotonic_ns=lambda: 0,
            medium=self.disk,
            pace=SMALL,
        )


def a_followup(about: int, kind: FollowupKind = FollowupKind.NOT_PASSED) -> Followup:
    return Followup(kind, about, 1_000)
