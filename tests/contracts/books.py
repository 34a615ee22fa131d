"""Books to hold to the contract: a dict, and the replica over segments made for the test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from admission.credential import (
    Credential,
    CredentialKind,
    Holder,
    Proof,
    Signature,
)
from admission.hours import Hours
from admission.identity import (
    Identifier,
    IdentifierKind,
    PersonKey,
    permit_keys,
)
from admission.instant import ClockTrust, Instant
from admission.ports import Book
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    Release,
    RosterEntry,
    WatchEntry,
    Withdrawal,
)
from cache.replica.alias import Alias
from cache.replica.book import ReplicaBook
from cache.replica.build import RowSet, write_segment
from cache.replica.head import Head
from cache.replica.keys import hash_key_id
from cache.replica.layout import (
    ALIASES_1,
    CREDENTIALS_1,
    OFFICERS_1,
    PERMITS_1,
    PERSONS_3,
    ROSTER_1,
    WATCH_1,
    Layout,
)
from cache.replica.names import ALIASES, CREDENTIALS, OFFICERS, PERMITS, PERSONS, WATCH
from cache.replica.segment import Segment
from cache.replica.table import Table
from tests.doors import HASH_KEY, KEY_OF, Known, MemoryBook

VALID = Proof(Signature.VALID)
NOW = Instant(1_632_099_600_000_000_000, 5, "boot", ClockTrust.SYNCHRONISED)
RELEASE = Release(7, 1_632_099_000_000_000_000, 1_632_185_400_000_000_000)
CARD = Identifier(IdentifierKind.DOCUMENT, "000123456789")
QID = Identifier(IdentifierKind.QID, "Q1")
STRANGER = Identifier(IdentifierKind.DOCUMENT, "000000000000")
PEOPLE = {CARD: PersonFacts(doses=2), QID: PersonFacts(status=CredentialStatus.REVOKED)}

HOLDER = Holder("Nguyễn Văn An", date(1987, 1, 18))
PERMIT = Permit(CredentialStatus.ACTIVE, 453_300, 453_372, 0, 760, Hours(360, 1_200))
LATER = msgspec.structs.replace(PERMIT, from_h=453_372, until_h=453_444)
ON_LIST = RosterEntry(CredentialStatus.ACTIVE, date(2021, 9, 1), None, Hours(1_320, 360))
WANTED = WatchEntry(CredentialStatus.ACTIVE, date(2021, 10, 1))
OFFICER = Officer(CredentialStatus.ACTIVE, 4_016, None, 760)
SERIAL = Identifier(IdentifierKind.PASS_NUMBER, "0a0b0c")
HOUR_NS = 3_600 * 1_000_000_000
ALL = Known(
    permits={CARD: (PERMIT, LATER), QID: (PERMIT,)},
    roster={CARD: ON_LIST},
    watch={CARD: WANTED},
    officers={CARD: OFFICER},
    withdrawn={SERIAL: Withdrawal(not_before_h=453_300)},
)


CODE = Identifier(IdentifierKind.TYPED_CODE, "55555555558")
ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED


class MakeBook(Protocol):
    def __call__(
        self, people: Mapping[Identifier, PersonFacts] | None, known: Known = ...
    ) -> Book: ...


def tables_of(
    folder: Path, people: Mapping[Identifier, PersonFacts], known: Known
) -> dict[str, Table | None]:
    """Write and open what a release says; a roster that is not there has no segment."""
    permits = {
        key: permit
        for identifier, permits in known.permits.items()
        for key, permit in zip(permit_keys(KEY_OF(identifier)), permits, strict=False)
    }
    datasets: dict[str, tuple[Layout[Any], Mapping[PersonKey, Any]]] = {
        PERSONS: (PERSONS_3, by_key(people)),
        ALIASES: (ALIASES_1, by_key({i: alias_of(*whose) for i, whose in known.aliases.items()})),
        PERMITS: (PERMITS_1, permits),
        WATCH: (WATCH_1, by_key(known.watch)),
        OFFICERS: (OFFICERS_1, by_key(known.officers)),
        CREDENTIALS: (CREDENTIALS_1, by_key(known.withdrawn)),
    }
    if known.roster is not None:
        datasets["roster/here"] = (ROSTER_1, by_key(known.roster))
    opened: dict[str, Table | None] = {}
    for number, (name, (layout, records)) in enumerate(datasets.items()):
        rows = RowSet(layout)
        for key, record in records.items():
            rows.add(key, layout.pack(record))
        write_segment(folder / str(number), rows, hash_key_id(HASH_KEY))
        opened[name] = Table(Segment.open(folder / str(number)))
    return opened


def alias_of(first: Identifier, status: CredentialStatus) -> Alias:
    return Alias(status, KEY_OF(first) >> 2)


def by_key(records: Mapping[Identifier, Any]) -> dict[PersonKey, Any]:
    return {KEY_OF(identifier): record for identifier, record in records.items()}


@pytest.fixture(params=["memory", "replica"])
def make_book(request: pytest.FixtureRequest, tmp_path: Path) -> MakeBook:
    def replica(people: Mapping[Identifier, PersonFacts] | None, known: Known = Known()) -> Book:  # noqa: B008
        book = ReplicaBook(HASH_KEY)
        if people is not None:
            head = Head(
                RELEASE.sequence, RELEASE.vouched_ns, RELEASE.expires_ns, 2, bytes(8), {}, {}
            )
            book.swap(tables_of(tmp_path, people, known), head)
        return book

    def memory(people: Mapping[Identifier, PersonFacts] | None, known: Known = Known()) -> Book:  # noqa: B008
        return MemoryBook(people, RELEASE, known)

    return memory if request.param == "memory" else replica


def shown(*identifiers: Identifier) -> Credential:
    return Credential(CredentialKind.PERSONAL_QR, identifiers)
