"""The Book port: what every book keeps, be it a dict in a test or a segment on a card."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from admission.credential import (
    UNRECOGNISED,
    Credential,
    CredentialKind,
)
from admission.identity import (
    Identifier,
    IdentifierKind,
)
from admission.standing import (
    CredentialStatus,
    Lookup,
    PersonFacts,
    Standing,
    combined,
)
from cache.replica.alias import person_of
from tests.contracts.books import (
    ACTIVE,
    CARD,
    CODE,
    NOW,
    ON_LIST,
    PEOPLE,
    PERMIT,
    QID,
    RELEASE,
    REVOKED,
    STRANGER,
    MakeBook,
    shown,
)
from tests.doors import KEY_OF, Known


def test_who_is_on_record_is_found_with_facts_and_release(make_book: MakeBook) -> None:
    standing = make_book(PEOPLE).standing_of(shown(CARD), NOW)
    assert standing == Standing(Lookup.FOUND, person_of(KEY_OF(CARD)), PEOPLE[CARD], RELEASE)


@pytest.mark.parametrize("first", [CARD, QID])
def test_all_identifiers_on_record_answer_under_the_first_ones_key(
    make_book: MakeBook, first: Identifier
) -> None:
    other = QID if first is CARD else CARD
    standing = make_book(PEOPLE).standing_of(shown(STRANGER, first, other), NOW)
    facts, mismatch = combined([PEOPLE[first], PEOPLE[other]])
    assert standing == Standing(Lookup.FOUND, person_of(KEY_OF(first)), facts, RELEASE, mismatch)
    assert mismatch
    assert facts.status is CredentialStatus.REVOKED, "a second number hides no revocation"


def test_an_identifier_that_is_not_on_record_clashes_with_nothing(make_book: MakeBook) -> None:
    standing = make_book(PEOPLE).standing_of(shown(STRANGER, QID), NOW)
    assert standing == Standing(Lookup.FOUND, person_of(KEY_OF(QID)), PEOPLE[QID], RELEASE)


@pytest.mark.parametrize("own", [ACTIVE, REVOKED])
@pytest.mark.parametrize("alias", [ACTIVE, REVOKED])
def test_each_identifier_of_a_person_has_its_own_status_and_leads_to_the_same_record(
    make_book: MakeBook, own: CredentialStatus, alias: CredentialStatus
) -> None:
    record = PersonFacts(own, doses=2)
    book = make_book({CARD: record}, Known(aliases={CODE: (CARD, alias)}))
    strictest = max(own, alias)
    for identifiers, status in (
        ((CARD,), own),
        ((CODE,), alias),
        ((CARD, CODE), strictest),
        ((CODE, CARD), strictest),
        ((CODE, CODE), alias),
        ((STRANGER, CODE), alias),
        ((CODE, STRANGER, CARD), strictest),
    ):
        facts = msgspec.structs.replace(record, status=status)
        standing = book.standing_of(shown(*identifiers), NOW)
        assert standing == Standing(Lookup.FOUND, person_of(KEY_OF(CARD)), facts, RELEASE)


def test_an_alias_of_somebody_else_is_a_contradiction(make_book: MakeBook) -> None:
    people = {CARD: PersonFacts(doses=2), QID: PersonFacts(isolation_until=date(2021, 10, 1))}
    book = make_book(people, Known(aliases={CODE: (QID, ACTIVE)}))
    standing = book.standing_of(shown(CARD, CODE), NOW)
    assert standing.mismatch
    assert standing.person == person_of(KEY_OF(CARD))
    assert standing.facts == PersonFacts(doses=2, isolation_until=date(2021, 10, 1))
    assert book.standing_of(shown(CODE, CARD), NOW).person == person_of(KEY_OF(QID))


def test_two_people_on_one_code_are_a_contradiction_though_their_records_agree(
    make_book: MakeBook,
) -> None:
    people = {CARD: PersonFacts(doses=2), QID: PersonFacts(doses=2)}
    book = make_book(people, Known(aliases={CODE: (CARD, ACTIVE)}))
    for identifiers, contradict in (
        ((CARD, CODE), False),
        ((CARD, QID), True),
        ((QID, CODE), True),
    ):
        shown = Credential(CredentialKind.PERSONAL_QR, identifiers)
        assert book.standing_of(shown, NOW).mismatch is contradict


def test_a_right_under_an_alias_is_the_persons(make_book: MakeBook) -> None:
    known = Known({CODE: (PERMIT,)}, {CODE: ON_LIST}, aliases={CODE: (CARD, ACTIVE)})
    standing = make_book({CARD: PersonFacts()}, known).standing_of(shown(CARD, CODE), NOW)
    assert (standing.permits, standing.roster, standing.mismatch) == ((PERMIT,), ON_LIST, False)


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
