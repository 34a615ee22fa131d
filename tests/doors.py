"""Doors for tests of the lane: they stand behind the ports, in memory, and fail when told to."""

from __future__ import annotations

import asyncio

from admission.credential import Credential
from admission.identity import PersonKey
from admission.instant import Instant
from admission.passage import Passage
from admission.signal import Signal
from admission.standing import Lookup, PersonFacts, Release, Standing
from admission.verdict import LaneState, Verdict
from appliance.lane import Scan


class BrokenDoorError(Exception):
    """What a door raises that was told to fail."""


class MemoryBook:
    def __init__(self, people: dict[str, PersonFacts], vouched_ns: int) -> None:
        self.people = people
        self.release = Release(7, vouched_ns, vouched_ns + 10**15)
        self.broken = False

    def standing_of(self, credential: Credential, now: Instant) -> Standing:
        if self.broken:
            raise BrokenDoorError("book")
        if not credential.identifiers:
            return Standing(Lookup.NOTHING_TO_LOOK_UP)
        for identifier in credential.identifiers:
            if identifier.value in self.people:
                facts = self.people[identifier.value]
                return Standing(Lookup.FOUND, PersonKey(1), facts, self.release)
        return Standing(Lookup.NOT_FOUND, PersonKey(2), None, self.release)


class MemoryJournal:
    def __init__(self) -> None:
        self.entries: list[Passage] = []
        self.broken = False

    async def append(self, entry: Passage) -> int:
        if self.broken:
            raise BrokenDoorError("journal")
        self.entries.append(entry)
        return len(self.entries)


class MemoryBridge:
    def __init__(self) -> None:
        self.shown: list[Signal] = []
        self.alive = True
        self.broken = False
        self.journal_at_show: list[int] = []
        self.journal: MemoryJournal | None = None

    async def show(self, signal: Signal) -> None:
        if self.journal is not None:
            self.journal_at_show.append(len(self.journal.entries))
        if self.broken:
            raise BrokenDoorError("bridge")
        self.shown.append(signal)


class MemoryScreen:
    def __init__(self) -> None:
        self.published: list[tuple[str, Verdict, str]] = []
        self.states: list[tuple[str, LaneState]] = []

    def publish(self, lane: str, verdict: Verdict, holder: str) -> None:
        self.published.append((lane, verdict, holder))

    def lane_state(self, lane: str, state: LaneState) -> None:
        self.states.append((lane, state))


class MemoryObserver:
    def __init__(self) -> None:
        self.scans: list[Scan] = []
        self.repeats = 0
        self.away = 0
        self.turned = asyncio.Event()
        self.failures: list[str] = []

    def scanned(self, scan: Scan) -> None:
        self.scans.append(scan)

    def repeated(self, lane: str) -> None:
        self.repeats += 1

    def turned_away(self, lane: str) -> None:
        self.away += 1
        self.turned.set()

    def failed(self, lane: str, step: str, error: Exception) -> None:
        self.failures.append(step)
