"""The book: the replica behind the `Book` port. One reference is swapped, nothing is locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from admission.credential import Credential, Holder, Proof
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
)
from cache.errors import AliasError
from cache.replica.head import Head
from cache.replica.names import (
    ALIASES,
    CREDENTIALS,
    OFFICERS,
    PERMITS,
    PERSONS,
    RECORDS,
    ROSTER,
    WATCH,
    kind_of,
)
from cache.replica.people import (
    PeopleReader,
    alias_finder,
    facts_finder,
    keeps_birth_year_only,
    people_reader,
)
from cache.replica.reading import Keys, Reader, permit_reader, reader
from cache.replica.table import Table

_HOUR_NS = 3_600 * 1_000_000_000
_NEEDED = frozenset({PERSONS, ALIASES, CREDENTIALS, WATCH})
"""Datasets without whose answer nothing is decided."""
_NONE: Sequence[Any] = ()
_FOUND, _NOT_FOUND = Lookup.FOUND, Lookup.NOT_FOUND  # as names: an enum's attribute is a call

Listed = TypeVar("Listed", RosterEntry, Officer)

AlsoWithdrawn = Callable[[Credential, Instant], bool]
"""Whether a signed credential is withdrawn by something else than the dataset `credentials`."""


class _Open(msgspec.Struct, frozen=True):
    """Everything of one release that a look-up needs. None = the release has no such dataset."""

    release: Release
    tables: Mapping[str, Table | None]
    people: PeopleReader
    permits: Reader | None
    roster: Reader | None
    watch: Reader | None
    officers: Reader | None
    credentials: Reader | None
    rostered: bool
    birth_year_only: bool


class ReplicaBook:
    """Implements `admission.ports.Book` over the active release's tables.

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

    def swap(self, tables: Mapping[str, Table | None], head: Head) -> None:
        """Answer from these from now on; readers of the old ones keep them until they end.

        :param tables: by name of the dataset, with at most one roster: this site's. None = named
            by the release, and its segment cannot be used.
        """
        by_kind = {kind_of(name): table for name, table in tables.items()}

        def of(kind: str) -> Reader | None:
            return reader(by_kind[kind]) if kind in by_kind else None

        persons = by_kind.get(PERSONS)
        alias_of = alias_finder(by_kind[ALIASES]) if ALIASES in by_kind else None
        self._open = _Open(
            Release(head.sequence, head.issued_ns, head.expires_ns),
            tables,
            people_reader(facts_finder(persons), alias_of),
            permits=permit_reader(by_kind[PERMITS]) if PERMITS in by_kind else None,
            roster=of(ROSTER),
            watch=of(WATCH),
            officers=of(OFFICERS),
            credentials=of(CREDENTIALS),
            rostered=ROSTER in by_kind,
            birth_year_only=persons is not None and keeps_birth_year_only(persons.layout),
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
        tables = self._open.tables if self._open else {}
        opened = {kind_of(name): t.rows for name, t in tables.items() if t is not None}
        return {kind: opened.get(kind, 0) for kind in RECORDS}

    @property
    def damaged_pages(self) -> int:
        """Damaged pages found in the active segments."""
        tables = self._open.tables.values() if self._open else ()
        return sum(table.damaged_pages for table in tables if table is not None)

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
            key_of = self._key_of
            for identifier in credential.identifiers:
                keys.append(key_of(identifier))  # noqa: PERF401 - a comprehension is a call more
            if credential.granted is not None:
                subject = credential.granted.subject
                if subject is not None and subject not in keys:
                    keys.append(subject)
            if current is not None:
                return self._standing(current, keys, credential, now, permits)
            lookup = Lookup.NO_REPLICA if keys else Lookup.NOTHING_TO_LOOK_UP
            first = keys[0] if keys else None
            return Standing(lookup, first, withdrawn=self._else(credential, now))
        except Exception:  # noqa: BLE001 - the port never raises, and what failed cannot answer
            self.unreadable_lookups += 1
            release = current.release if current else None
            return Standing(Lookup.UNREADABLE, keys[0] if keys else None, None, release)

    def _standing(  # noqa: C901, PLR0912 - each call less is felt at the gate
        self,
        current: _Open,
        keys: list[PersonKey],
        credential: Credential,
        now: Instant,
        permits: bool,
    ) -> Standing:
        unreadable: list[str] = []
        withdrawn = False
        if credential.proof is not None:
            withdrawn = self._withdrawn(current, credential, now, unreadable)
        if not keys:
            return Standing(
                self._lookup(Lookup.NOTHING_TO_LOOK_UP, unreadable),
                release=current.release,
                withdrawn=withdrawn,
                rostered=current.rostered,
                unreadable=tuple(unreadable),
            )
        people, held, listed, watched, officers = None, _NONE, _NONE, _NONE, _NONE
        try:
            people = current.people(keys)
        except AliasError:
            unreadable.append(ALIASES)
        except Exception:  # noqa: BLE001 - whatever failed, these rows cannot answer
            unreadable.append(PERSONS)
        if permits and current.permits is not None:
            held = _ask(current.permits, keys, PERMITS, unreadable)
        if current.roster is not None:
            listed = _ask(current.roster, keys, ROSTER, unreadable)
        if current.watch is not None:
            watched = _ask(current.watch, keys, WATCH, unreadable)
        if credential.granted is not None and current.officers is not None:
            # Who shows no pass is no officer: everybody else is spared the look-up.
            officers = _ask(current.officers, keys, OFFICERS, unreadable)
        lookup, person, facts, mismatch, differs = _NOT_FOUND, keys[0], None, False, False
        if people is not None:
            lookup = _FOUND
            found, person, facts, mismatch = people
            if (held or listed) and not mismatch and len(found) < len(keys):
                mismatch = _opens_more(current, found, held, listed)
            if credential.holder is not None and facts.identity:
                facts, differs = self._compared(facts, credential.holder, current.birth_year_only)
        if unreadable:
            lookup = self._lookup(lookup, unreadable)
            if lookup is Lookup.UNREADABLE:
                facts, differs = None, False
        return Standing(
            lookup,
            person,
            facts,
            current.release,
            mismatch,
            differs,
            withdrawn,
            tuple(held) if held else (),
            _strictest(listed) if listed else None,
            current.rostered,
            _longest(watched) if watched else None,
            _strictest(officers) if officers else None,
            tuple(unreadable) if unreadable else (),
        )

    def _withdrawn(
        self, current: _Open, credential: Credential, now: Instant, unreadable: list[str]
    ) -> bool:
        proof = credential.proof
        if proof is None:
            return False
        try:
            if self._else(credential, now):
                return True
            if current.credentials is None:
                return False
            rows = current.credentials([self._key_of(name) for name in proof.withdrawn_as])
            return any(_withdraws(row, proof) for row in rows)
        except Exception:  # noqa: BLE001 - as above
            unreadable.append(CREDENTIALS)
            return False

    def _else(self, credential: Credential, now: Instant) -> bool:
        if self.also_withdrawn is None or credential.proof is None:
            return False
        return self.also_withdrawn(credential, now)

    def _compared(
        self, facts: PersonFacts, holder: Holder, birth_year_only: bool
    ) -> tuple[PersonFacts, bool]:
        """Compare name and birth date, both declared in full, with those on record.

        Where they agree and the record keeps the year alone, the facts take the declared date.

        :returns: the facts, and whether what is declared differs.
        """
        born = holder.born
        if born is None or not holder.name or MASK in holder.name:
            return facts, False
        if self._digest(holder.name, born) != facts.identity:
            return facts, True
        if birth_year_only and facts.born is not None and facts.born.year == born.year:
            facts = msgspec.structs.replace(facts, born=born)
        return facts, False

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


def _opens_more(
    current: _Open, found: Keys, held: Sequence[Permit], listed: Sequence[RosterEntry]
) -> bool:
    """Return whether a right stands only under a number that nobody has on record.

    It may be somebody else's: whoever adds a number to a code does not get what it opens unseen.
    """
    unread: list[str] = []
    own = _ask(current.permits, found, PERMITS, unread) if held and current.permits else held
    own_listed = (
        _ask(current.roster, found, ROSTER, unread) if listed and current.roster else listed
    )
    return (own, own_listed) != (held, listed)


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
