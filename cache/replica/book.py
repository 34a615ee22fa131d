"""The book: the replica behind the `Book` port. One reference is swapped, nothing is locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from admission.credential import Credential
from admission.identity import PersonKey, identity_digester, person_keyer
from admission.instant import Instant
from admission.standing import (
    Lookup,
    Permit,
    Release,
    RosterEntry,
    Standing,
)
from cache.errors import AliasError
from cache.replica.entries import longest, strictest, withdraws
from cache.replica.head import Head
from cache.replica.names import (
    ALIASES,
    CREDENTIALS,
    NEEDED,
    OFFICERS,
    PERMITS,
    PERSONS,
    RECORDS,
    ROSTER,
    WATCH,
    kind_of,
)
from cache.replica.ordinary import Ordinary, Sources, ordinary_reader
from cache.replica.people import (
    People,
    alias_finder,
    comparer,
    facts_finder,
    keeps_birth_year_only,
    people_reader,
)
from cache.replica.reading import Keys, Reader, ask, permit_reader, reader
from cache.replica.table import Table

_FOUND, _NOT_FOUND = Lookup.FOUND, Lookup.NOT_FOUND  # as names: an enum's attribute is a call

AlsoWithdrawn = Callable[[Credential, Instant], bool]
"""Whether a signed credential is withdrawn by something else than the dataset `credentials`."""


class _Open(msgspec.Struct, frozen=True):
    """Everything of one release that a look-up needs. None = the release has no such dataset."""

    tables: Mapping[str, Table | None]
    sources: Sources
    ordinary: Ordinary
    officers: Reader | None
    credentials: Reader | None


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
        facts_of = facts_finder(persons)
        alias_of = alias_finder(by_kind[ALIASES]) if ALIASES in by_kind else None
        year_only = persons is not None and keeps_birth_year_only(persons.layout)
        sources = Sources(
            release=Release(head.sequence, head.issued_ns, head.expires_ns),
            key_of=self._key_of,
            facts_of=facts_of,
            people=people_reader(facts_of, alias_of),
            aliased=alias_of is not None,
            compared=comparer(self._digest, year_only=year_only),
            permits=permit_reader(by_kind[PERMITS]) if PERMITS in by_kind else None,
            roster=of(ROSTER),
            watch=of(WATCH),
            rostered=ROSTER in by_kind,
        )
        officers, credentials = of(OFFICERS), of(CREDENTIALS)
        self._open = _Open(tables, sources, ordinary_reader(sources), officers, credentials)

    @property
    def release(self) -> Release | None:
        """The release that answers, or None before the first activation."""
        return self._open.sources.release if self._open else None

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
        if current is None:
            return self._carefully(None, credential, now, permits)
        try:
            standing = current.ordinary(credential, permits)
        except Exception:  # noqa: BLE001 - asked again, so that what failed is named
            standing = None
        return standing or self._carefully(current, credential, now, permits)

    def _carefully(
        self, current: _Open | None, credential: Credential, now: Instant, permits: bool
    ) -> Standing:
        """Return the standing, each dataset asked by itself."""
        keys: list[PersonKey] = []
        try:
            key_of = self._key_of
            keys = [key_of(identifier) for identifier in credential.identifiers]
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
            release = current.sources.release if current else None
            return Standing(Lookup.UNREADABLE, keys[0] if keys else None, None, release)

    def _standing(
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
                release=current.sources.release,
                withdrawn=withdrawn,
                rostered=current.sources.rostered,
                unreadable=tuple(unreadable),
            )
        people = self._people(current, keys, unreadable)
        held = ask(current.sources.permits, keys, PERMITS, unreadable) if permits else ()
        listed = ask(current.sources.roster, keys, ROSTER, unreadable)
        watched = ask(current.sources.watch, keys, WATCH, unreadable)
        # Who shows no pass is no officer: everybody else is spared the look-up.
        shows_pass = credential.granted is not None
        officers = ask(current.officers, keys, OFFICERS, unreadable) if shows_pass else ()
        lookup, person, facts, mismatch, differs = _NOT_FOUND, keys[0], None, False, False
        if people is not None:
            lookup = _FOUND
            found, person, facts, mismatch = people
            if (held or listed) and not mismatch and len(found) < len(keys):
                mismatch = _opens_more(current, found, held, listed)
            if credential.holder is not None and facts.identity:
                facts, differs = current.sources.compared(facts, credential.holder)
        if unreadable:
            lookup = self._lookup(lookup, unreadable)
            if lookup is Lookup.UNREADABLE:
                facts, differs = None, False
        return Standing(
            lookup,
            person,
            facts,
            current.sources.release,
            mismatch,
            differs,
            withdrawn,
            tuple(held),
            strictest(listed) if listed else None,
            current.sources.rostered,
            longest(watched) if watched else None,
            strictest(officers) if officers else None,
            tuple(unreadable),
        )

    def _people(
        self, current: _Open, keys: list[PersonKey], unreadable: list[str]
    ) -> People | None:
        try:
            return current.sources.people(keys)
        except AliasError:
            unreadable.append(ALIASES)
        except Exception:  # noqa: BLE001 - whatever failed, these rows cannot answer
            unreadable.append(PERSONS)
        return None

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
            return any(withdraws(row, proof) for row in rows)
        except Exception:  # noqa: BLE001 - as above
            unreadable.append(CREDENTIALS)
            return False

    def _else(self, credential: Credential, now: Instant) -> bool:
        if self.also_withdrawn is None or credential.proof is None:
            return False
        return self.also_withdrawn(credential, now)

    def _lookup(self, lookup: Lookup, unreadable: list[str]) -> Lookup:
        if not unreadable:
            return lookup
        self.unreadable_lookups += 1
        return lookup if NEEDED.isdisjoint(unreadable) else Lookup.UNREADABLE


def _opens_more(
    current: _Open, found: Keys, held: Sequence[Permit], listed: Sequence[RosterEntry]
) -> bool:
    """Return whether a right stands only under a number that nobody has on record.

    It may be somebody else's: whoever adds a number to a code does not get what it opens unseen.
    """
    unread: list[str] = []
    own = ask(current.sources.permits, found, PERMITS, unread) if held else held
    own_listed = ask(current.sources.roster, found, ROSTER, unread) if listed else listed
    return (own, own_listed) != (held, listed)
