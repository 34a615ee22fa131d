"""The Book port: permits, rosters, withdrawals and declared names beside who is on record."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from admission.credential import (
    Credential,
    CredentialKind,
    Holder,
    Pass,
    PassKind,
)
from admission.identity import (
    Identifier,
    identity_digester,
)
from admission.standing import (
    CredentialStatus,
    Lookup,
    PersonFacts,
    RosterEntry,
    Standing,
    Withdrawal,
)
from cache.replica.alias import person_of
from tests.contracts.books import (
    ALL,
    CARD,
    HOLDER,
    HOUR_NS,
    LATER,
    NOW,
    OFFICER,
    ON_LIST,
    PEOPLE,
    PERMIT,
    QID,
    RELEASE,
    SERIAL,
    STRANGER,
    VALID,
    WANTED,
    MakeBook,
    shown,
)
from tests.doors import HASH_KEY, KEY_OF, Known


def test_everything_on_record_of_a_person_comes_at_once(make_book: MakeBook) -> None:
    book = make_book(PEOPLE, ALL)
    assert book.standing_of(shown(CARD), NOW) == Standing(
        Lookup.FOUND,
        person_of(KEY_OF(CARD)),
        PEOPLE[CARD],
        RELEASE,
        permits=(PERMIT, LATER),
        roster=ON_LIST,
        rostered=True,
        watch=WANTED,
    )
    assert book.standing_of(shown(STRANGER), NOW) == Standing(
        Lookup.NOT_FOUND, KEY_OF(STRANGER), None, RELEASE, rostered=True
    )


def test_a_permit_that_two_identifiers_share_counts_once(make_book: MakeBook) -> None:
    standing = make_book(PEOPLE, ALL).standing_of(shown(QID, CARD), NOW)
    assert standing.permits == (PERMIT, LATER)


def test_up_to_eight_permits_of_one_person_are_known(make_book: MakeBook) -> None:
    many = tuple(msgspec.structs.replace(PERMIT, district=n) for n in range(8))
    standing = make_book(PEOPLE, Known(permits={CARD: many})).standing_of(shown(CARD), NOW)
    assert standing.permits == many


@pytest.mark.parametrize("first", [CARD, QID])
def test_a_second_number_hides_no_revoked_worker(make_book: MakeBook, first: Identifier) -> None:
    gone = RosterEntry(CredentialStatus.REVOKED)
    roster = {first: ON_LIST, (QID if first is CARD else CARD): gone}
    standing = make_book(PEOPLE, Known(roster=roster)).standing_of(shown(CARD, QID), NOW)
    assert standing.roster == gone


@pytest.mark.parametrize(
    "rights", [Known(roster={STRANGER: ON_LIST}), Known(permits={STRANGER: (PERMIT,)})]
)
def test_a_right_of_a_number_that_is_not_on_record_may_be_somebody_elses(
    make_book: MakeBook, rights: Known
) -> None:
    book = make_book(PEOPLE, rights)
    assert book.standing_of(shown(CARD, STRANGER), NOW).mismatch
    assert not book.standing_of(shown(STRANGER), NOW).mismatch
    assert not book.standing_of(shown(CARD), NOW).mismatch


@pytest.mark.parametrize("own", [Known(roster={CARD: ON_LIST}), Known(permits={CARD: (PERMIT,)})])
def test_a_right_of_the_person_on_record_is_no_contradiction(
    make_book: MakeBook, own: Known
) -> None:
    assert not make_book(PEOPLE, own).standing_of(shown(CARD, STRANGER), NOW).mismatch


def test_permits_are_looked_up_where_they_are_asked_for(make_book: MakeBook) -> None:
    book = make_book(PEOPLE, Known(permits={CARD: (PERMIT,)}))
    assert book.standing_of(shown(CARD), NOW).permits == (PERMIT,)
    assert book.standing_of(shown(CARD), NOW, permits=False).permits == ()


def test_an_empty_roster_is_a_roster(make_book: MakeBook) -> None:
    standing = make_book(PEOPLE, Known(roster={})).standing_of(shown(CARD), NOW)
    assert (standing.rostered, standing.roster) == (True, None)
    assert not make_book(PEOPLE).standing_of(shown(CARD), NOW).rostered


def test_the_subject_of_a_pass_is_looked_up_like_an_identifier(make_book: MakeBook) -> None:
    badge = Pass(PassKind.OFFICER, b"1", KEY_OF(CARD))
    credential = Credential(CredentialKind.CHOT_PASS, proof=VALID, granted=badge)
    standing = make_book(PEOPLE, ALL).standing_of(credential, NOW)
    assert (standing.lookup, standing.person) == (Lookup.FOUND, person_of(KEY_OF(CARD)))
    assert (standing.facts, standing.officer) == (PEOPLE[CARD], OFFICER)
    nameless = Credential(
        CredentialKind.CHOT_PASS, proof=VALID, granted=Pass(PassKind.VISITOR, b"")
    )
    standing = make_book(PEOPLE, ALL).standing_of(nameless, NOW)
    assert (standing.lookup, standing.release) == (Lookup.NOTHING_TO_LOOK_UP, RELEASE)


@pytest.mark.parametrize(
    ("not_before_ns", "withdrawn"),
    [
        (453_300 * HOUR_NS - 1, True),
        (453_300 * HOUR_NS, False),
        (None, True),
    ],
)
def test_a_withdrawal_means_what_was_issued_before_it(
    make_book: MakeBook, not_before_ns: int | None, withdrawn: bool
) -> None:
    proof = msgspec.structs.replace(
        VALID, not_before_ns=not_before_ns, withdrawn_as=(STRANGER, SERIAL)
    )
    book = make_book(PEOPLE, ALL)
    nameless = book.standing_of(Credential(CredentialKind.DCC, proof=proof), NOW)
    assert (nameless.lookup, nameless.withdrawn) == (Lookup.NOTHING_TO_LOOK_UP, withdrawn)
    named = book.standing_of(Credential(CredentialKind.CHOT_PASS, (CARD,), proof=proof), NOW)
    assert (named.lookup, named.withdrawn) == (Lookup.FOUND, withdrawn)


def test_a_withdrawal_that_was_taken_back_means_nothing(make_book: MakeBook) -> None:
    back = Known(withdrawn={SERIAL: Withdrawal(CredentialStatus.ACTIVE)})
    proof = msgspec.structs.replace(VALID, withdrawn_as=(SERIAL,))
    standing = make_book(PEOPLE, back).standing_of(Credential(CredentialKind.DCC, proof=proof), NOW)
    assert not standing.withdrawn


@pytest.mark.parametrize(
    ("holder", "differs"),
    [
        (HOLDER, False),
        (Holder("NGUYEN VAN AN", date(1987, 1, 18)), False),
        (Holder("NGUYEN VAN BINH", date(1987, 1, 18)), True),
        (Holder("NGUYEN VAN AN", date(1987, 1, 19)), True),
        (Holder("NGUYEN V** BINH", date(1987, 1, 18)), False),
        (Holder("NGUYEN VAN BINH"), False),
        (Holder("", date(1987, 1, 19)), False),
        (None, False),
    ],
    ids=str,
)
def test_a_declared_name_and_birth_date_are_compared_where_both_are_whole(
    make_book: MakeBook, holder: Holder | None, differs: bool
) -> None:
    assert HOLDER.born is not None
    digest = identity_digester(HASH_KEY)(HOLDER.name, HOLDER.born)
    book = make_book({CARD: PersonFacts(identity=digest), QID: PersonFacts()})
    for identifier, expected in ((CARD, differs), (QID, False)):
        credential = Credential(CredentialKind.PERSONAL_QR, (identifier,), holder)
        assert book.standing_of(credential, NOW).differs is expected


def test_the_declared_birth_date_counts_where_it_agrees_with_a_record_of_the_year(
    make_book: MakeBook,
) -> None:
    assert HOLDER.born is not None
    digest = identity_digester(HASH_KEY)(HOLDER.name, HOLDER.born)
    book = make_book({CARD: PersonFacts(born=date(1987, 1, 1), identity=digest)})
    for holder, born in (
        (HOLDER, HOLDER.born),
        (None, date(1987, 1, 1)),
        (Holder(HOLDER.name, date(1987, 1, 19)), date(1987, 1, 1)),
    ):
        credential = Credential(CredentialKind.PERSONAL_QR, (CARD,), holder)
        facts = book.standing_of(credential, NOW).facts
        assert facts == PersonFacts(born=born, identity=digest)
