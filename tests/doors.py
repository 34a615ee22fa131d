"""Doors in memory, behind the ports: they fail when told to, and pass the contract suites."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from admission.credential import Credential
from admission.identity import Identifier, person_keyer
from admission.instant import Instant
from admission.passage import Passage
from admission.signal import Signal
from admission.standing import Lookup, PersonFacts, Release, Standing, combined
from admission.verdict import LaneState, Verdict
from appliance.lane import Scan
from firmware_bridge.errors import BridgeUnavailable

HASH_KEY = bytes(range(32))
KEY_OF = person_keyer(HASH_KEY)


class BrokenDoorError(Exception):
    """What a door raises that was told to fail."""


class MemoryBook:
    """A dict behind the Book port; None in its place is a gate that was never supplied.

    `broken` breaks the port's promise never to raise: what a defect in a book would do.
    """

    def __init__(self, people: Mapping[Identifier, PersonFacts] | None, release: Release) -> None:
        self.people = None if people is None else dict(people)
        self.release = release
        self.broken = False

    def standing_of(self, credential: Credential, now: Instant) -> Standing:
        if self.broken:
            raise BrokenDoorError("book")
        release = None if self.people is None else self.release
        if not credential.identifiers:
            return Standing(Lookup.NOTHING_TO_LOOK_UP, None, None, release)
        first = KEY_OF(credential.identifiers[0])
        if self.people is None:
            return Standing(Lookup.NO_REPLICA, first)
        known = [i for i in credential.identifiers if i in self.people]
        if not known:
            return Standing(Lookup.NOT_FOUND, first, None, release)
        facts, mismatch = combined([self.people[identifier] for identifier in known])
        return Standing(Lookup.FOUND, KEY_OF(known[0]), facts, release, mismatch)


class MemoryJournal:
    """A list behind the Journal port."""

    def __init__(self) -> None:
        self.entries: list[Passage] = []
        self.broken = False

    async def append(self, entry: Passage) -> int:
        if self.broken:
            raise BrokenDoorError("journal")
        self.entries.append(entry)
        return len(self.entries)


class MemoryBridge:
    """A list behind the Bridge port.

    Not `alive`, it is unplugged; `broken`, it answers its heartbeats and shows nothing. With a
    `journal` it notes in `journal_at_show` how many entries stood there at each signal.
    """

    def __init__(self, journal: MemoryJournal | None = None) -> None:
        self.shown: list[Signal] = []
        self.alive = True
        self.broken = False
        self.journal = journal
        self.journal_at_show: list[int] = []

    async def show(self, signal: Signal) -> None:
        if self.journal is not None:
            self.journal_at_show.append(len(self.journal.entries))
        if self.broken or not self.alive:
            raise BridgeUnavailable("switched off by the test")
        self.shown.append(signal)


class MemoryScreen:
    """Lists of what was told behind the Screen port, and in `seen` what a person sees now."""

    def __init__(self) -> None:
        self.published: list[tuple[str, Verdict, str]] = []
        self.states: list[tuple[str, LaneState]] = []
        self.seen: dict[str, dict[str, Any]] = {}

    def publish(self, lane: str, verdict: Verdict, holder: str) -> None:
        self.published.append((lane, verdict, holder))
        self.seen.setdefault(lane, {}).update(outcome=verdict.outcome, holder=holder)

    def lane_state(self, lane: str, state: LaneState) -> None:
        self.states.append((lane, state))
        kept = {} if state is LaneState.OUT_OF_ORDER else self.seen.get(lane, {})
        self.seen[lane] = {**kept, "state": state}


class MemoryObserver:
    """Notes what lanes tell of themselves."""

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
