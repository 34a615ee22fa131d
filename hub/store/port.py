"""The store port: what intake and publisher need of a database, and nothing only one engine can do.

Every call that writes is one transaction, and is durable on the medium when it returns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from admission.identity import Identifier
from admission.standing import CredentialStatus, PersonFacts
from hub.store.changes import ChangeLogStore
from hub.store.devices import DeviceStore
from hub.store.marks import MarkKind, MarkStore
from hub.store.packed import PackedPeople
from hub.store.registers import OrderStore, RegisterStore

MAX_INTEGER = (1 << 63) - 1
"""Largest number that every engine's 64-bit column holds."""


class KnownIdentifier(msgspec.Struct, frozen=True, gc=False):
    """One number that a person is known by, and whether it still counts."""

    identifier: Identifier
    status: CredentialStatus = CredentialStatus.ACTIVE


class Person(msgspec.Struct, frozen=True):
    """One person on record. `number` is the hub's own, stable, 0 to `MAX_INTEGER`.

    `facts.status` says nothing here: the state belongs to each identifier (see `rows_of`).
    """

    number: int
    identifiers: tuple[KnownIdentifier, ...]
    facts: PersonFacts


class JournalKey(msgspec.Struct, frozen=True):
    """One journal of one device: within it, entries are numbered from 1 without gaps."""

    device: str
    journal: bytes


class Decoded(msgspec.Struct, frozen=True):
    """The columns of an entry that the hub searches by."""

    site: str
    wall_ns: int
    person: int | None
    """Unsigned 64-bit `PersonKey`."""
    outcome: str
    marks: tuple[MarkKind, ...] = ()
    """What a person at the hub should see it as."""


class EntryRecord(msgspec.Struct, frozen=True):
    """One entry to be kept. `decoded` is None for bytes that are no entry: they are kept raw."""

    sequence: int
    chain_hash: bytes
    packed: bytes
    decoded: Decoded | None
    received_ns: int


class Held(msgspec.Struct, frozen=True):
    """What the store holds under one sequence."""

    chain_hash: bytes
    packed: bytes


class Added(msgspec.Struct, frozen=True):
    """What became of entries given to `Store.add_entries`."""

    fresh: int
    """Entries that the store did not hold before."""
    differing: Mapping[int, Held]
    """By sequence: what stays held where other bytes were offered, which are kept as conflicts."""
    through: int
    """Every entry from 1 up to and including this one is held durably (0 = not even the first)."""


class FlagKind(StrEnum):
    """What a person should look at. Values are in the store and in metrics."""

    CONFLICT = "conflict"
    """Other bytes were offered under a key that was already held."""
    CHAIN_BROKEN = "chain_broken"
    """The chain hash does not follow from the held entry before."""
    UNDECODABLE = "undecodable"
    """The bytes are no entry of a version that the hub knows: set aside, kept raw."""
    SEAL_UNOPENED = "seal_unopened"
    """No key of the hub opens what is sealed: whom the entry is of stays unknown for now."""
    MISSING = "missing"
    """The gate could not read the entry any more: the first of a run of such places."""
    SUSPECT_CLOCK = "suspect_clock"
    """The gate's date cannot be right, or nobody vouched for it."""
    DUPLICATE_PASSAGE = "duplicate_passage"
    """Admitted here a moment after another gate had admitted the same person."""
    REVOKED_MEANWHILE = "revoked_meanwhile"
    """Admitted by a gate that did not know yet what the hub knew by then."""
    UNSECURED = "unsecured"
    """By the site's policy the gate moved before its entry was durable."""
    REVIVED = "revived"
    """The journal went on after another one of the same device had begun: a copy is in use."""


class Flag(msgspec.Struct, frozen=True, order=True):
    """One remark on one entry. Raising it again changes nothing."""

    sequence: int
    kind: FlagKind
    detail: str = ""


class EntryCount(msgspec.Struct, frozen=True):
    """How much of one device is held, over all its journals."""

    entries: int
    distinct: int
    """Different entry bytes: fewer than `entries` if something was doubled under another key."""
    conflicts: int
    flags: int


class PersonStore(Protocol):
    """Who is on record: what feeds write and the publisher reads."""

    async def put_people(self, people: Iterable[Person]) -> None:
        """Record people; who is on record under the same number is replaced as a whole.

        :raises StoreError: if an identifier is another person's; then nothing was recorded.
        """
        ...

    def people(self) -> AsyncIterator[Sequence[Person]]:
        """Yield everybody by ascending number, in chunks of a bounded size.

        Each chunk is consistent in itself; what is written meanwhile shows in later chunks or not.
        """
        ...

    def packed_people(self) -> AsyncIterator[PackedPeople]:
        """Yield the same as columns, ten times as fast: for who reads everybody.

        Drawing raises `LayoutError` if somebody's facts do not fit what gates are told.
        """
        ...

    async def people_count(self) -> int:
        """Return how many people are on record; takes a second for each ten million."""
        ...

    async def has_people(self) -> bool:
        """Return whether anybody is on record."""
        ...


class EntryStore(Protocol):
    """What happened at the gates."""

    async def add_entries(self, key: JournalKey, records: Sequence[EntryRecord]) -> Added:
        """Keep entries of one journal, ascending by sequence without gaps. Safe to repeat.

        A sequence that is not held is kept. One that is held with the same chain hash and bytes is
        ignored. One that is held with others keeps what it has, and what was offered is kept beside
        it as a conflict, once.
        """
        ...

    async def held(self, key: JournalKey, sequences: Collection[int]) -> Mapping[int, Held]:
        """Return what is held under those of a few sequences that are held at all."""
        ...

    async def raise_flags(self, key: JournalKey, flags: Iterable[Flag]) -> None:
        """Keep flags; one of the same sequence and kind stays as it is."""
        ...

    async def flags(self, key: JournalKey) -> Sequence[Flag]:
        """Return the flags of one journal by sequence and kind."""
        ...

    async def count(self, device: str) -> EntryCount:
        """Return how much of one device is held."""
        ...


class Store(
    PersonStore,
    RegisterStore,
    ChangeLogStore,
    OrderStore,
    DeviceStore,
    EntryStore,
    MarkStore,
    Protocol,
):
    """All that the hub keeps."""

    async def close(self) -> None:
        """Let go of files and connections. What was written stays."""
        ...


def rows_of(person: Person) -> Iterable[tuple[Identifier, PersonFacts]]:
    """Yield the rows of one person for the publisher: each identifier with its own status."""
    facts = person.facts
    for known in person.identifiers:
        if known.status is not facts.status:
            facts = msgspec.structs.replace(facts, status=known.status)
        yield known.identifier, facts
