"""The form of people protects what a file does not speak of: withdrawals, and the first number."""

from __future__ import annotations

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, PersonFacts
from hub.people_form import joined, people_form
from hub.store.port import KnownIdentifier, Person

ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
QID = Identifier(IdentifierKind.QID, "Q1")
CARD = Identifier(IdentifierKind.DOCUMENT, "000190000001")
NEW_CARD = Identifier(IdentifierKind.DOCUMENT, "000190000002")
BEFORE = Person(
    7, (KnownIdentifier(QID, ACTIVE), KnownIdentifier(CARD, REVOKED)), PersonFacts(doses=1)
)


def after(columns: dict[str, object], values: dict[str, object]) -> Person:
    row = people_form(columns).build(values)
    return joined(row, BEFORE, 99, lambda name, born: 1)


def test_a_withdrawn_number_stays_withdrawn_where_the_file_has_no_status() -> None:
    values = {"document": CARD, "doses": 2}
    person = after(values, values)
    assert person.identifiers == BEFORE.identifiers
    assert person.facts.doses == 2


def test_a_stated_status_counts_and_an_empty_one_means_active() -> None:
    columns = {"document": CARD, "status": ""}
    for values, status in (
        ({"document": CARD, "status": ACTIVE}, ACTIVE),
        ({"document": CARD, "status": REVOKED}, REVOKED),
        ({"document": CARD}, ACTIVE),
    ):
        assert after(columns, values).identifiers[1] == KnownIdentifier(CARD, status)


def test_the_first_number_stays_the_first_whichever_the_file_has() -> None:
    values = {"document": CARD, "qid": QID}
    assert [known.identifier for known in after(values, values).identifiers] == [QID, CARD]


def test_a_new_number_takes_the_place_of_the_one_of_its_kind() -> None:
    values = {"document": NEW_CARD}
    assert after(values, values).identifiers == (
        KnownIdentifier(QID, ACTIVE),
        KnownIdentifier(NEW_CARD, ACTIVE),
    )
