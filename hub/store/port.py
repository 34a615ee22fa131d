"""The store port: what intake and publisher need of a database, and nothing only one engine can do.

Every call that writes is one transaction, and is durable on the medium when it returns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

import msgspec

from admission.identity import Identifier
from admission.standing import CredentialStatus, PersonFacts
from hub.store.changes import ChangeLogStore
from hub.store.devices import DeviceStore
from hub.store.enrolment import EnrolmentStore
from hub.store.entries import EntryStore
from hub.store.examined import ExaminedStore
from hub.store.marks import MarkStore
from hub.store.packed import PackedPeople
from hub.store.registers import OrderStore, RegisterStore


class KnownIdentifier(msgspec.Struct, frozen=True, gc=False):
    """One number that a person is known by, and whether it still counts."""

    identifier: Identifier
    status: CredentialStatus = CredentialStatus.ACTIVE


class Person(msgspec.Struct, frozen=True):
    """One person on record. `number` is the hub's own, stable, 0 to `entries.MAX_INTEGER`.

    `facts.status` says nothing here: the state belongs to each identifier (see `rows_of`).
    """

    number: int
    identifiers: tuple[KnownIdentifier, ...]
    facts: PersonFacts


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


class Store(
    PersonStore,
    RegisterStore,
    ChangeLogStore,
    OrderStore,
    DeviceStore,
    EnrolmentStore,
    EntryStore,
    ExaminedStore,
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
