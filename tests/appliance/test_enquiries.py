"""Enquiries protect that nobody looks anybody up without an entry that says who was asked for."""

from __future__ import annotations

from datetime import UTC, date

import msgspec
import pytest

from admission.credential import Credential
from admission.enquiry import Purpose
from admission.identity import Identifier, IdentifierKind, PersonKey
from admission.instant import ClockTrust, Instant
from admission.passage import Event
from admission.site import Place, Site
from admission.standing import Lookup, PersonFacts, Product, Release, Standing
from admission.verdict import Outcome
from admission.wire import pack_passage, unpack_passage
from appliance.control_answers import control_answers
from appliance.enquiries import Enquiries, described
from appliance.errors import ApplianceError
from tests.doors import BrokenDoorError, MemoryJournal, MemoryTokens

NOW = Instant(1_632_099_600_000_000_000, 1, "boot", ClockTrust.SYNCHRONISED)
SITE = Site("gate-7", "Cổng 7", Place.FACTORY, "thu-duc", 16, UTC)
KNOWN = Identifier(IdentifierKind.DOCUMENT, "079080000001")
STANDING = Standing(
    Lookup.FOUND, PersonKey(7), PersonFacts(doses=2, identity=4711), Release(9, 1, 2)
)


class Clock:
    def now(self) -> Instant:
        return NOW


class Book:
    def standing_of(
        self, credential: Credential, now: Instant, *, permits: bool = True
    ) -> Standing:
        return STANDING if credential.identifiers == (KNOWN,) else Standing(Lookup.NOT_FOUND)


def an_enquiry(journal: MemoryJournal) -> Enquiries:
    return Enquiries(SITE, book=Book(), journal=journal, clock=Clock(), digest_key=bytes(32))


async def test_the_entry_says_why_and_whom_and_admits_nobody() -> None:
    journal = MemoryJournal()
    answer = await an_enquiry(journal).answer(KNOWN, Purpose.AUDIT)
    assert answer["lookup"] == "found"
    assert answer["facts"]["doses"] == 2
    (entry,) = journal.entries
    assert unpack_passage(pack_passage(entry)) == entry
    assert (entry.event, entry.note, entry.person) == (Event.ENQUIRY, "audit", 7)
    assert (entry.outcome, entry.release) == (Outcome.REFER, 9)
    assert KNOWN.value.encode() not in pack_passage(entry)


async def test_the_entry_bears_the_token_of_who_is_on_record_and_of_nobody_else() -> None:
    journal = MemoryJournal()
    enquiries = Enquiries(
        SITE,
        book=Book(),
        journal=journal,
        clock=Clock(),
        digest_key=bytes(32),
        tokens=MemoryTokens(),
    )
    for identifier in (KNOWN, Identifier(IdentifierKind.DOCUMENT, "079080000002")):
        await enquiries.answer(identifier, Purpose.AUDIT)
    assert [entry.token for entry in journal.entries] == [7, None]


async def test_nothing_is_told_that_could_not_be_written_down() -> None:
    journal = MemoryJournal()
    journal.broken = True
    with pytest.raises(BrokenDoorError):
        await an_enquiry(journal).answer(KNOWN, Purpose.AUDIT)


def test_key_and_digest_of_the_person_stay_inside() -> None:
    plain = described(STANDING)
    assert "person" not in plain
    assert plain["facts"]["identity"] == "on record"
    assert "4711" not in repr(plain)


def test_it_is_told_in_words_and_times() -> None:
    facts = PersonFacts(product=Product.PFIZER, tested_h=453_300, last_dose=date(2021, 8, 1))
    plain = described(msgspec.structs.replace(STANDING, facts=facts))
    assert plain["facts"]["product"] == "pfizer"
    assert plain["facts"]["status"] == "active"
    assert plain["facts"]["tested"] == "2021-09-17T12:00+00:00"
    assert plain["facts"]["last_dose"] == "2021-08-01"
    assert plain["lookup"] == "found"


async def test_what_is_typed_is_brought_to_its_normal_form() -> None:
    journal = MemoryJournal()
    answers = control_answers(an_enquiry(journal), lambda: None)  # type: ignore[arg-type,return-value]
    question = {"ask": "lookup", "kind": "document", "value": " 079 080 000001", "purpose": "audit"}
    assert (await answers["lookup"](question))["lookup"] == "found"


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "lookup"},
        {"ask": "lookup", "kind": "document", "value": "1", "purpose": "curiosity"},
        {"ask": "lookup", "kind": "shoe size", "value": "1", "purpose": "audit"},
        {"ask": "lookup", "kind": "document", "value": " - ", "purpose": "audit"},
        {"ask": "lookup", "kind": "document", "value": "1" * 300, "purpose": "audit"},
    ],
)
async def test_half_a_question_is_refused_and_leaves_no_entry(question: dict[str, str]) -> None:
    journal = MemoryJournal()
    answers = control_answers(an_enquiry(journal), lambda: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(ApplianceError):
        await answers["lookup"](question)
    assert not journal.entries
