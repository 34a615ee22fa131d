"""The Book port: what every book keeps, be it a dict in a test or a segment on a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from admission.credential import UNRECOGNISED, Credential, CredentialKind
from admission.identity import Identifier, IdentifierKind
from admission.instant import ClockTrust, Instant
from admission.ports import Book
from admission.standing import CredentialStatus, Lookup, PersonFacts, Release, Standing, combined
from cache.replica.book import ReplicaBook
from cache.replica.build import RowSet, write_segment
from cache.replica.head import Head
from cache.replica.keys import hash_key_id
from cache.replica.layout import PERSONS_1
from cache.replica.names import PERSONS
from cache.replica.segment import Segment
from tests.doors import HASH_KEY, KEY_OF, MemoryBook

NOW = Instant(1_632_099_600_000_000_000, 5, "boot", ClockTrust.SYNCHRONISED)
RELEASE = Release(7, 1_632_099_000_000_000_000, 1_632_185_400_000_000_000)
CARD = Identifier(IdentifierKind.DOCUMENT, "000123456789")
QID = Identifier(IdentifierKind.QID, "Q1")
STRANGER = Identifier(IdentifierKind.DOCUMENT, "000000000000")
PEOPLE = {CARD: PersonFacts(doses=2), QID: PersonFacts(status=CredentialStatus.REVOKED)}

MakeBook = Callable[[Mapping[Identifier, PersonFacts] | None], Book]


@pytest.fixture(params=["memory", "replica"])
def make_book(request: pytest.FixtureRequest, tmp_path: Path) -> MakeBook:
    def replica(people: Mapping[Identifier, PersonFacts] | None) -> Book:
        book = ReplicaBook(HASH_KEY)
        if people is not None:
            rows = RowSet(PERSONS_1)
            for identifier, facts in people.items():
                rows.add(KEY_OF(identifier), PERSONS_1.pack(facts))
            write_segment(tmp_path / "s", rows, hash_key_id(HASH_KEY))
            head = Head(
                RELEASE.sequence, RELEASE.vouched_ns, RELEASE.expires_ns, 2, bytes(8), {}, {}
            )
            book.swap({PERSONS: Segment.open(tmp_path / "s")}, head)
        return book

    def memory(people: Mapping[Identifier, PersonFacts] | None) -> Book:
        return MemoryBook(people, RELEASE)

    return memory if request.param == "memory" else replica


def shown(*identifiers: Identifier) -> Credential:
    return Credential(CredentialKind.PERSONAL_QR, identifiers)


def test_who_is_on_record_is_found_with_facts_and_release(make_book: MakeBook) -> None:
    standing = make_book(PEOPLE).standing_of(shown(CARD), NOW)
    assert standing == Standing(Lookup.FOUND, KEY_OF(CARD), PEOPLE[CARD], RELEASE)


@pytest.mark.parametrize("first", [CARD, QID])
def test_all_identifiers_on_record_answer_under_the_first_ones_key(
    make_book: MakeBook, first: Identifier
) -> None:
    other = QID if first is CARD else CARD
    standing = make_book(PEOPLE).standing_of(shown(STRANGER, first, other), NOW)
    facts, mismatch = combined([PEOPLE[first], PEOPLE[other]])
    assert standing == Standing(Lookup.FOUND, KEY_OF(first), facts, RELEASE, mismatch)
    assert mismatch
    assert facts.status is CredentialStatus.REVOKED, "a second number hides no revocation"


def test_an_identifier_that_is_not_on_record_clashes_with_nothing(make_book: MakeBook) -> None:
    standing = make_book(PEOPLE).standing_of(shown(STRANGER, QID), NOW)
    assert standing == Standing(Lookup.FOUND, KEY_OF(QID), PEOPLE[QID], RELEASE)


def test_a_stranger_is_not_found_and_named_by_the_first_key(make_book: MakeBook) -> None:
    other = Identifier(IdentifierKind.QID, "000123456789")  # the same number in another register
    standing = make_book(PEOPLE).standing_of(shown(STRANGER, other), NOW)
    assert standing == Standing(Lookup.NOT_FOUND, KEY_OF(STRANGER), None, RELEASE)


def test_a_credential_that_names_nobody_is_nothing_to_look_up(make_book: MakeBook) -> None:
    assert make_book(PEOPLE).standing_of(UNRECOGNISED, NOW).lookup is Lookup.NOTHING_TO_LOOK_UP
    assert make_book(None).standing_of(UNRECOGNISED, NOW).lookup is Lookup.NOTHING_TO_LOOK_UP


def test_without_a_release_nobody_is_known(make_book: MakeBook) -> None:
    assert make_book(None).standing_of(shown(CARD), NOW) == Standing(
        Lookup.NO_REPLICA, KEY_OF(CARD)
    )


@pytest.mark.parametrize("value", ["", "\0", "\ud800", "9" * 8192, "💉", "' OR 1=1"])
def test_no_identifier_makes_it_raise(make_book: MakeBook, value: str) -> None:
    hostile = Identifier(IdentifierKind.TYPED_CODE, value)
    assert make_book(PEOPLE).standing_of(shown(hostile), NOW).lookup is Lookup.NOT_FOUND
