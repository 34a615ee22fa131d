"""Protects the gate from health cards that nobody trustworthy signed, and people with good ones."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.credential import (
    UNRECOGNISED,
    Credential,
    CredentialKind,
    Evidence,
    Holder,
    Proof,
    Signature,
)
from admission.credentials.health_card_issuers import IssuerKey, Issuers
from admission.credentials.smart_health_card import MAX_PAYLOAD_BYTES, parse
from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts, Product, TestResult
from tests.admission.credentials.health_cards import (
    ISS,
    card,
    card_of_example,
    deflated,
    immunization,
    issuer_key,
    issuers,
    observation,
    payload,
)

Change = Callable[[Any], Any]


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    content = payload(immunization())
    change(content)
    return content


def test_a_card_tells_doses_product_days_holder_and_its_own_limits() -> None:
    content = payload(immunization(day="2021-08-22", code="210"), immunization(day="2021-06-01"))
    content |= {"exp": 1_700_000_000, "nbf": 1_630_000_000.924}
    content["vc"]["rid"] = "abc-DEF_123"
    found = parse(card(content), issuers())
    assert found.kind is CredentialKind.SMART_HEALTH_CARD
    assert found.holder == Holder("Nguyễn Văn An", date(1987, 1, 18))
    withdrawn_as = Identifier(IdentifierKind.HEALTH_CARD_RID, f"{issuer_key().kid}/abc-DEF_123")
    assert found.proof == Proof(
        Signature.VALID,
        ISS,
        1_630_000_000_924_000_000,
        1_700_000_000_000_000_000,
        (withdrawn_as,),
    )
    assert found.certificate is not None
    assert found.certificate.evidence is Evidence.VACCINATION
    assert found.certificate.facts == PersonFacts(
        doses=2, product=Product.ASTRAZENECA, last_dose=date(2021, 8, 22), born=date(1987, 1, 18)
    )


@pytest.mark.parametrize(
    ("result", "expected"),
    [("260415000", TestResult.NEGATIVE), ("10828004", TestResult.POSITIVE)],
)
def test_a_card_of_a_test_tells_its_result_and_hour(result: str, expected: TestResult) -> None:
    certificate = parse(card(payload(observation(result))), issuers()).certificate
    assert certificate is not None
    assert certificate.evidence is Evidence.TEST
    assert certificate.facts.test_result is expected
    assert certificate.facts.tested_h == 1_632_015_000 // 3_600


def test_the_last_of_several_tests_counts() -> None:
    earlier = observation("260415000", "2021-09-01")
    certificate = parse(card(payload(observation("260373001"), earlier)), issuers()).certificate
    assert certificate is not None
    assert certificate.facts.test_result is TestResult.POSITIVE


@pytest.mark.parametrize(
    "resource",
    [
        immunization(status="not-done"),
        immunization(status="entered-in-error"),
        immunization(code="141"),
        immunization(day="last summer"),
        immunization(patient={"reference": "resource:9"}),
        immunization(vaccineCode={"coding": [{"system": "http://other.example", "code": "208"}]}),
        immunization(vaccineCode={"coding": "208"}),
        observation() | {"status": "preliminary"},
        observation() | {"status": ["final"]},
        observation() | {"code": {"coding": [{"system": "http://loinc.org", "code": "94563-4"}]}},
        observation() | {"valueCodeableConcept": {"text": "negative"}},
        {"resourceType": "Patient"},
        {"resourceType": "Location", "name": "Clinic"},
    ],
)
def test_what_is_not_a_dose_or_a_test_of_this_person_proves_none(resource: dict[str, Any]) -> None:
    found = parse(card(payload(resource)), issuers())
    assert found.proof is not None
    assert found.proof.signature is Signature.VALID
    assert found.certificate is None


def test_two_records_of_one_day_are_one_dose_and_a_month_counts_from_its_end() -> None:
    content = payload(immunization(), immunization(code="207"), immunization(day="2021-08"))
    certificate = parse(card(content), issuers()).certificate
    assert certificate is not None
    assert (certificate.facts.doses, certificate.facts.last_dose) == (2, date(2021, 8, 31))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(iss="http://example.org/issuer"),
        lambda p: p.update(iss="https://example.org/issuer/"),
        lambda p: p.update(iss=None),
        lambda p: p.update(nbf="1630000000"),
        lambda p: p.update(nbf=1_630_000_000_000),
        lambda p: p.update(nbf=-1),
        lambda p: p.update(nbf=True),
        lambda p: p.update(exp=1_700_000_000_000),
        lambda p: p.pop("nbf"),
        lambda p: p["vc"].update(type=["https://smarthealth.cards#wrong-health-card"]),
        lambda p: p["vc"].update(rid="not base64url"),
        lambda p: p["vc"].update(rid="a" * 25),
        lambda p: p["vc"].pop("credentialSubject"),
        lambda p: p["vc"]["credentialSubject"].update(fhirBundle=[]),
    ],
)
def test_a_payload_against_the_rules_is_unrecognised_although_it_is_signed(change: Change) -> None:
    assert parse(card(changed(change)), issuers()) == UNRECOGNISED


@pytest.mark.parametrize(
    "header",
    [{"alg": "none"}, {"alg": "HS256"}, {"zip": None}, {"kid": 1}, {"crit": ["exp"]}],
)
def test_a_header_against_the_rules_is_unrecognised(header: dict[str, Any]) -> None:
    assert parse(card(payload(immunization()), header=header), issuers()) == UNRECOGNISED


def test_a_forged_card_has_nothing_but_its_proof() -> None:
    found = parse(card(payload(immunization()), forged=True), issuers())
    assert found.proof is not None
    assert found.proof.signature is Signature.INVALID
    assert (found.holder, found.certificate) == (None, None)


@pytest.mark.parametrize(
    "trusted",
    [[], [msgspec.structs.replace(issuer_key(), iss="https://example.org/other")]],
)
def test_a_key_vouches_for_its_own_issuer_only(trusted: list[IssuerKey]) -> None:
    found = parse(card(payload(immunization())), Issuers(trusted))
    assert found.proof is not None
    assert found.proof.signature is Signature.UNKNOWN_ISSUER
    assert found.certificate is None


def test_a_payload_that_inflates_over_the_limit_is_cut_short() -> None:
    bomb = b" " * (MAX_PAYLOAD_BYTES * 8) + msgspec.json.encode(payload())
    assert parse(card(bomb), issuers()) == UNRECOGNISED


@pytest.mark.parametrize("squeeze", [zlib.compress, bytes, lambda data: deflated(data) + b"x"])
def test_only_raw_deflate_and_nothing_after_it(squeeze: Callable[[bytes], bytes]) -> None:
    assert parse(card(payload(immunization()), squeeze=squeeze), issuers()) == UNRECOGNISED


def test_deep_json_is_unrecognised() -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    assert parse(card(deep[:60_000]), issuers()) == UNRECOGNISED
    content = msgspec.json.encode(payload()).replace(b'"collection"', b"[" * 9_000 + b"]" * 9_000)
    parse(card(content), issuers())


@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_ends_in_a_credential(text: str) -> None:
    for attempt in (text, "shc:/" + text, card_of_example().replace("5", text[:3])):
        assert isinstance(parse(attempt, issuers()), Credential)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.data())
def test_any_member_of_a_signed_card_may_be_anything(draw: st.DataObject) -> None:
    content = payload(immunization(), observation())
    at: Any = content
    while True:
        key = draw.draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key] or draw.draw(st.booleans()):
            break
        at = at[key]
    at[key] = draw.draw(json_values)
    assert isinstance(parse(card(content), issuers()), Credential)


@given(st.integers(0, 10_000), st.characters(categories=["Nd", "Ll"]))
def test_no_other_text_of_a_card_is_taken_for_it(at: int, character: str) -> None:
    text = card_of_example()
    at %= len(text)
    spoiled = text[:at] + character + text[at + 1 :]
    found = parse(spoiled, issuers())
    if spoiled != text:
        assert found.proof is None or found.proof.signature is not Signature.VALID
