"""The Book port: what every book keeps, be it a dict in a test or a segment on a card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from admission.credential import (
    UNRECOGNISED,
    Credential,
    CredentialKind,
    Holder,
    Pass,
    PassKind,
    Proof,
    Signature,
)
from admission.hours import Hours
from admission.identity import (
    Identifier,
    IdentifierKind,
    PersonKey,
    identity_digester,
    permit_keys,
)
from admission.instant import ClockTrust, Instant
from admission.ports import Book
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
from cache.replica.alias import Alias, person_of
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


CODE = Identifier(IdentifierKind.TYPED_CODE, "55555555558")
ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED


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
