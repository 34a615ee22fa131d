"""Doors in memory, behind the ports: they fail when told to, and pass the contract suites."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec

from admission.credential import Credential, Holder
from admission.gate import Obstacle
from admission.identity import Identifier, PersonKey, identity_digester, person_keyer
from admission.instant import Instant
from admission.journal_record import Followup
from admission.passage import Passage
from admission.signal import GATES, Signal
from admission.standing import (
    CredentialStatus,
    Lookup,
    Officer,
    Permit,
    PersonFacts,
    Release,
    RosterEntry,
    Standing,
    WatchEntry,
    Withdrawal,
    combined,
)
from admission.verdict import LaneState, Verdict
from appliance.observation import Happening, Scan
from cache.replica.alias import person_of
from firmware_bridge.errors import BridgeRefused, BridgeUnavailable

HASH_KEY = bytes(range(32))
KEY_OF = person_keyer(HASH_KEY)
Record = TypeVar("Record")


class BrokenDoorError(Exception):
    in_doubt = False

    """What a door raises that was told to fail."""


class Known(NamedTuple):
    """What a release says besides its people, by identifier; a roster of None = there is none."""

    permits: Mapping[Identifier, tuple[Permit, ...]] = {}
    roster: Mapping[Identifier, RosterEntry] | None = None
    watch: Mapping[Identifier, WatchEntry] = {}
    officers: Mapping[Identifier, Officer] = {}
    withdrawn: Mapping[Identifier, Withdrawal] = {}
    aliases: Mapping[Identifier, tuple[Identifier, CredentialStatus]] = {}
    """Further identifiers: whose each is, by an identifier among the people, and its status."""


class MemoryTokens:
    """Pseudonyms that tests can foresee: a person's is their key. `shift` stands for another."""

    def __init__(self) -> None:
        self.shift = 0

    def token(self, person: int | None, digest: bytes, now: Instant) -> int:
        whom = int.from_bytes(digest[:8], "little") if person is None else person
        return whom + self.shift


class MemoryBook:
    """A dict behind the Book port; None in its place is a gate that was never supplied.

    `broken` breaks the port's promise never to raise: what a defect in a book would do.
    """

    def __init__(
        self,
        people: Mapping[Identifier, PersonFacts] | None,
        release: Release,
        known: Known = Known(),  # noqa: B008 - immutable
    ) -> None:
        self.people = None if people is None else dict(people)
        self.release = release
        self.known = known
        self.broken = False

    def standing_of(
        self, credential: Credential, now: Instant, *, permits: bool = True
    ) -> Standing:
        if self.broken:
            raise BrokenDoorError("book")
        keys = [KEY_OF(identifier) for identifier in credential.identifiers]
        if credential.granted is not None and credential.granted.subject is not None:
            keys.append(credential.granted.subject)
        if self.people is None:
            lookup = Lookup.NO_REPLICA if keys else Lookup.NOTHING_TO_LOOK_UP
            return Standing(lookup, keys[0] if keys else None)
        withdrawn, rostered = self._withdrawn(credential), self.known.roster is not None
        if not keys:
            return Standing(
                Lookup.NOTHING_TO_LOOK_UP,
                release=self.release,
                withdrawn=withdrawn,
                rostered=rostered,
            )
        people = {KEY_OF(i): (KEY_OF(i), facts) for i, facts in self.people.items()}
        for identifier, (first, status) in self.known.aliases.items():
            whose = msgspec.structs.replace(self.people[first], status=status)
            people.setdefault(KEY_OF(identifier), (KEY_OF(first), whose))
        found = [key for key in keys if key in people]
        facts, mismatch = combined([people[key][1] for key in found]) if found else (None, False)
        if found:
            mismatch = mismatch or self._rights(found, permits) != self._rights(keys, permits)
            if self.known.aliases:  # then everybody has one record: two are two people
                mismatch = mismatch or len({person_of(people[key][0]) for key in found}) > 1
        on_record, roster = self._rights(keys, permits)
        differs = facts is not None and _differs(facts, credential)
        if facts is not None and not differs:
            facts = _with_declared_day(facts, credential.holder)
        return Standing(
            Lookup.FOUND if found else Lookup.NOT_FOUND,
            person_of(people[found[0]][0]) if found else keys[0],
            facts,
            self.release,
            mismatch,
            differs,
            withdrawn,
            on_record,
            roster,
            rostered,
            next(iter(_under(keys, self.known.watch)), None),
            next(iter(_under(keys, self.known.officers)), None) if credential.granted else None,
        )

    def _rights(
        self, keys: list[PersonKey], permits: bool
    ) -> tuple[tuple[Permit, ...], RosterEntry | None]:
        held = _under(keys, self.known.permits) if permits else []
        listed = _under(keys, self.known.roster or {})
        once = dict.fromkeys(permit for some in held for permit in some)
        return tuple(once), max(listed, key=lambda e: e.status, default=None)

    def _withdrawn(self, credential: Credential) -> bool:
        proof = credential.proof
        rows = [] if proof is None else [self.known.withdrawn.get(n) for n in proof.withdrawn_as]
        return any(
            row is not None
            and row.status is CredentialStatus.REVOKED
            and (
                proof is None
                or row.not_before_h is None
                or proof.not_before_ns is None
                or proof.not_before_ns < row.not_before_h * 3_600_000_000_000
            )
            for row in rows
        )


def _under(keys: list[PersonKey], records: Mapping[Identifier, Record]) -> list[Record]:
    by_key = {KEY_OF(identifier): record for identifier, record in records.items()}
    return [by_key[key] for key in keys if key in by_key]


def _differs(facts: PersonFacts, credential: Credential) -> bool:
    holder = credential.holder
    if holder is None or holder.born is None or not facts.identity:
        return False
    if not holder.name or "*" in holder.name:
        return False
    return identity_digester(HASH_KEY)(holder.name, holder.born) != facts.identity


def _with_declared_day(facts: PersonFacts, holder: Holder | None) -> PersonFacts:
    """Return facts whose birth date may be a year's with the declared one, which agrees."""
    if holder is None or holder.born is None or not facts.identity:
        return facts
    whole = holder.name and "*" not in holder.name
    if not whole or facts.born != date(holder.born.year, 1, 1):
        return facts
    return msgspec.structs.replace(facts, born=holder.born)


class MemoryJournal:
    """A list behind the Journal port.

    `broken` refuses everything: `followups_lost` counts what followed meanwhile, `unsecured` keeps
    the entries that were appended under the policy that lets a gate move all the same. Followups
    are not durable while `durable` is not set.
    """

    def __init__(self) -> None:
        self.entries: list[Passage] = []
        self.followups: list[Followup] = []
        self.unsecured: list[Passage] = []
        self.followups_lost = 0
        self.broken = False
        self.durable = asyncio.Event()
        self.durable.set()

    async def append(
        self, entry: Passage, *, timeout_s: float | None = None, unsecured: bool = False
    ) -> int:
        if self.broken:
            if unsecured:
                self.unsecured.append(entry)
            error = BrokenDoorError("journal")
            error.in_doubt = unsecured
            raise error
        self.entries.append(entry)
        return len(self.entries)

    def follow(self, followup: Followup) -> None:
        if self.broken:
            self.followups_lost += 1
        else:
            self.followups.append(followup)

    async def flush(self) -> None:
        await self.durable.wait()


class MemoryBridge:
    """A list behind the Bridge port.

    Not `alive`, it is unplugged; `broken`, it answers its heartbeats and shows nothing; with an
    `obstacle` it declines whatever opens a gate. `entries` are those of the signals in `shown`.
    With a `journal` it notes in `journal_at_show` how many
    entries stood there at each signal.
    """

    def __init__(self, journal: MemoryJournal | None = None) -> None:
        self.shown: list[Signal] = []
        self.entries: list[int] = []
        self.alive = True
        self.broken = False
        self.obstacle: Obstacle | None = None
        self.journal = journal
        self.journal_at_show: list[int] = []

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        if self.journal is not None:
            self.journal_at_show.append(len(self.journal.entries))
        if self.broken or not self.alive:
            raise BridgeUnavailable("switched off by the test")
        if self.obstacle is not None and any(p.output in GATES for p in signal.pulses):
            raise BridgeRefused("declined by the test", reason=self.obstacle)
        self.shown.append(signal)
        self.entries.append(entry)


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
        self.happenings: list[Happening] = []
        self.news = asyncio.Event()
        self.failures: list[str] = []

    def scanned(self, scan: Scan) -> None:
        self.scans.append(scan)

    def repeated(self, lane: str) -> None:
        self.repeats += 1

    def turned_away(self, lane: str) -> None:
        self.away += 1
        self.turned.set()

    def happened(self, happening: Happening) -> None:
        self.happenings.append(happening)
        self.news.set()

    def failed(self, lane: str, step: str, error: Exception) -> None:
        self.failures.append(step)
