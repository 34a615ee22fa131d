"""The book: the replica behind the `Book` port. One reference is swapped, nothing is locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from admission.credential import Credential, Proof
from admission.credentials.fields import MASK
from admission.identity import PersonKey, identity_digester, person_keyer
from admission.instant import Instant
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
from cache.replica.head import Head
from cache.replica.names import (
    CREDENTIALS,
    OFFICERS,
    PERMITS,
    PERSONS,
    RECORDS,
    ROSTER,
    WATCH,
    kind_of,
)
from cache.replica.reading import Keys, Reader, nobody, permit_reader, person_reader, reader
from cache.replica.segment import Segment

_HOUR_NS = 3_600 * 1_000_000_000
_NEEDED = frozenset({PERSONS, CREDENTIALS, WATCH})
"""Datasets without whose answer nothing is decided."""

Listed = TypeVar("Listed", RosterEntry, Officer)

AlsoWithdrawn = Callable[[Credential, Instant], bool]
"""Whether a signed credential is withdrawn by something else than the dataset `credentials`."""


class _Open(msgspec.Struct, frozen=True):
    """Everything of one release that a look-up needs."""

    release: Release
    segments: Mapping[str, Segment | None]
    persons: Callable[[Keys], tuple[Keys, Sequence[PersonFacts]]]
    permits: Callable[[Keys], Sequence[Permit]]
    roster: Reader
    watch: Reader
    officers: Reader
    credentials: Reader
    rostered: bool


class ReplicaBook:
    """Implements `admission.ports.Book` over the active release's segments.

    :param hash_key: the region's hash key, 32 secret bytes.
    """

    def __init__(self, hash_key: bytes) -> None:
        self._key_of = person_keyer(hash_key)
        self._digest = identity_digester(hash_key)
        self._open: _Open | None = None
        self.also_withdrawn: AlsoWithdrawn | None = None
        """Asked about every signed credential; what it raises makes the look-up unreadable."""
        self.unreadable_lookups = 0
        """Look-ups since start in which a dataset could not be read."""

    def swap(self, segments: Mapping[str, Segment | None], head: Head) -> None:
        """Answer from these from now on; readers of the old ones keep them until they end.

        :param segments: by name of the dataset, with at most one roster: this site's. None = named
            by the release, and its segment cannot be used.
        """
        by_kind = {kind_of(name): segment for name, segment in segments.items()}

        def of(kind: str) -> Reader:
            return reader(by_kind[kind]) if kind in by_kind else nobody

        self._open = _Open(
            Release(head.sequence, head.issued_ns, head.expires_ns),
            segments,
            person_reader(by_kind.get(PERSONS)),
            permit_reader(by_kind[PERMITS]) if PERMITS in by_kind else nobody,
            roster=of(ROSTER),
            watch=of(WATCH),
            officers=of(OFFICERS),
            credentials=of(CREDENTIALS),
            rostered=ROSTER in by_kind,
        )

    @property
    def release(self) -> Release | None:
        """The release that answers, or None before the first activation."""
        return self._open.release if self._open else None

    @property
    def rows(self) -> int:
        """Identifiers on record."""
        return self.rows_by_kind.get(PERSONS, 0)

    @property
    def rows_by_kind(self) -> dict[str, int]:
        """Rows of each kind of dataset that this version knows; 0 where there is none."""
        segments = self._open.segments if self._open else {}
        opened = {kind_of(name): s.header.rows for name, s in segments.items() if s is not None}
        return {kind: opened.get(kind, 0) for kind in RECORDS}

    @property
    def damaged_pages(self) -> int:
        """Damaged pages found in the active segments."""
        segments = self._open.segments.values() if self._open else ()
        return sum(segment.damaged_pages for segment in segments if segment is not None)

    def standing_of(
        self, credential: Credential, now: Instant, *, permits: bool = True
    ) -> Standing:
        """Return the standing; see `admission.ports.Book`.

        One identifier whose page is damaged makes the dataset unreadable: a revocation may be
        written there, so the others must not answer in its place. Without `persons`, `watch` or
        `credentials` nothing is decided; what else is unreadable is named for the law to judge.
        """
        current = self._open
        keys: list[PersonKey] = []
        try:
            keys = self._keys_of(credential)
            if current is None and keys:
                return Standing(Lookup.NO_REPLICA, keys[0], withdrawn=self._else(credential, now))
            if current is None:
                withdrawn = self._else(credential, now)
                return Standing(Lookup.NOTHING_TO_LOOK_UP, withdrawn=withdrawn)
            asked = current.permits if permits else nobody
            return self._standing(current, keys, credential, now, asked)
        except Exception:  # noqa: BLE001 - the port never raises, and what failed cannot answer
            self.unreadable_lookups += 1
            release = current.release if current else None
            return Standing(Lookup.UNREADABLE, keys[0] if keys else None, None, release)

    def _keys_of(self, credential: Credential) -> list[PersonKey]:
        key_of = self._key_of
        keys = [key_of(identifier) for identifier in credential.identifiers]
        granted = credential.granted
        if granted is not None and granted.subject is not None and granted.subject not in keys:
            keys.append(granted.subject)
        return keys

    def _standing(
        self,
        current: _Open,
        keys: list[PersonKey],
        credential: Credential,
        now: Instant,
        permit_reader: Reader,
    ) -> Standing:
        unreadable: list[str] = []
        withdrawn = self._withdrawn(current, credential, now, unreadable)
        if not keys:
            lookup = self._lookup(Lookup.NOTHING_TO_LOOK_UP, unreadable)
            return Standing(
                lookup,
                release=current.release,
                withdrawn=withdrawn,
                rostered=current.rostered,
                unreadable=tuple(unreadable),
            )
        found, facts, mismatch = self._facts(current, keys, unreadable)
        permits = _ask(permit_reader, keys, PERMITS, unreadable)
        listed = _ask(current.roster, keys, ROSTER, unreadable)
        if 0 < len(found) < len(keys) and (permits or listed):
            # A right that stands only under a number that nobody has on record may be somebody
            # else's: whoever adds a number to a code does not get what it opens unseen.
            again: list[str] = []
            own = _ask(permit_reader, found, PERMITS, again)
            own_listed = _ask(current.roster, found, ROSTER, again)
            mismatch = mismatch or (own, own_listed) != (permits, listed)
        watched = _ask(current.watch, keys, WATCH, unreadable)
        # Who shows no pass is no officer: everybody else is spared the look-up.
        shows_pass = credential.granted is not None
        officers = _ask(current.officers, keys, OFFICERS, unreadable) if shows_pass else ()
        lookup = self._lookup(Lookup.NOT_FOUND if facts is None else Lookup.FOUND, unreadable)
        if lookup is Lookup.UNREADABLE:
            facts = None
        return Standing(
            lookup,
            found[0] if found else keys[0],
            facts,
            current.release,
            mismatch,
            facts is not None and self._differs(facts, credential),
            withdrawn,
            tuple(permits),
            _strictest(listed) if listed else None,
            current.rostered,
            _longest(watched) if watched else None,
            _strictest(officers) if officers else None,
            tuple(unreadable),
        )

    def _facts(
        self, current: _Open, keys: list[PersonKey], unreadable: list[str]
    ) -> tuple[Keys, PersonFacts | None, bool]:
        try:
            found, records = current.persons(keys)
        except Exception:  # noqa: BLE001 - whatever failed, these rows cannot answer
            unreadable.append(PERSONS)
            return (), None, False
        if len(records) > 1:
            return found, *combined(records)
        return found, records[0] if records else None, False

    def _withdrawn(
        self, current: _Open, credential: Credential, now: Instant, unreadable: list[str]
    ) -> bool:
        proof = credential.proof
        if proof is None:
            return False
        try:
            if self._else(credential, now):
                return True
            rows = current.credentials([self._key_of(name) for name in proof.withdrawn_as])
            return any(_withdraws(row, proof) for row in rows)
        except Exception:  # noqa: BLE001 - as above
            unreadable.append(CREDENTIALS)
            return False

    def _else(self, credential: Credential, now: Instant) -> bool:
        if self.also_withdrawn is None or credential.proof is None:
            return False
        return self.also_withdrawn(credential, now)

    def _differs(self, facts: PersonFacts, credential: Credential) -> bool:
        """Return whether name and birth date, both declared in full, are not those on record."""
        holder = credential.holder
        if not facts.identity or holder is None or holder.born is None:
            return False
        if not holder.name or MASK in holder.name:
            return False
        return self._digest(holder.name, holder.born) != facts.identity

    def _lookup(self, lookup: Lookup, unreadable: list[str]) -> Lookup:
        if not unreadable:
            return lookup
        self.unreadable_lookups += 1
        return lookup if _NEEDED.isdisjoint(unreadable) else Lookup.UNREADABLE


def _ask(ask: Reader, keys: Keys, kind: str, unreadable: list[str]) -> Sequence[Any]:
    try:
        return ask(keys)
    except Exception:  # noqa: BLE001 - whatever failed, these rows cannot answer
        unreadable.append(kind)
        return ()


def _withdraws(row: Withdrawal, proof: Proof) -> bool:
    """Return whether an entry of `credentials` means a credential with this proof.

    One that does not say from when it counts cannot show that it is a later one.
    """
    if row.status is not CredentialStatus.REVOKED:
        return False
    if row.not_before_h is None or proof.not_before_ns is None:
        return True
    return proof.not_before_ns < row.not_before_h * _HOUR_NS


def _strictest(entries: Sequence[Listed]) -> Listed:
    """Return the first entry, or the first one revoked: no second number hides a revocation."""
    return max(entries, key=_status)


def _longest(entries: Sequence[WatchEntry]) -> WatchEntry:
    """Return the entry that is in force, and of several the one that is for longest."""
    return max(
        entries,
        key=lambda e: (e.status is CredentialStatus.ACTIVE, e.until is None, e.until or date.min),
    )


def _status(entry: RosterEntry | Officer) -> int:
    return entry.status
