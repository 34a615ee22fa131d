"""Protects the gate from seals that no trusted state signed, and travellers with good ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, Credential, Evidence, Holder, Signature
from admission.credentials import base64url
from admission.credentials.vds_nc import parse
from admission.credentials.vds_nc_authorities import (
    Authorities,
    AuthorityEntry,
)
from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts, Product, TestResult
from tests.admission.credentials import seals
from tests.admission.credentials.seals import P384, P521, authorities, example, ministry, outcome_of
from tests.worlds import chot_data

Change = Callable[[dict[str, Any]], Any]


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def test_a_seal_tells_doses_holder_number_and_how_long_its_signer_counts() -> None:
    text = json.dumps(seals.seal(seals.vaccination(), ministry(), seals.ec_key()), indent=1)
    found = parse(text, authorities())
    number = Identifier(IdentifierKind.CERTIFICATE, "UTO/U32870")
    assert found.holder == Holder("Nguyen Van An", date(1987, 1, 18))
    assert found.identifiers == (number,)
    assert found.proof is not None
    assert found.proof.signature is Signature.VALID
    assert found.proof.withdrawn_as == (number,)
    assert found.proof.not_before_ns == ns(seals.SIGNER_FROM)
    assert found.proof.expires_ns == ns(seals.AUTHORITY_UNTIL) + 1_000_000_000
    assert found.certificate is not None
    assert found.certificate.evidence is Evidence.VACCINATION
    assert found.certificate.facts == PersonFacts(
        doses=2, product=Product.ASTRAZENECA, last_dose=date(2021, 8, 22), born=date(1987, 1, 18)
    )


def test_order_of_members_does_not_matter_but_their_values_do() -> None:
    content = seals.seal(seals.vaccination(), ministry(), seals.ec_key())
    turned = json.dumps(content, sort_keys=True)
    assert outcome_of(parse(turned, authorities())) is Signature.VALID
    content["data"]["msg"]["pid"]["n"] = "Somebody Else"
    found = parse(json.dumps(content), authorities())
    assert outcome_of(found) is Signature.INVALID
    assert (found.holder, found.certificate, found.identifiers) == (None, None, ())


@pytest.mark.parametrize(
    ("algorithm", "curve"),
    [("ES256", ec.SECP256R1), ("ES384", P384), ("ES512", P521), ("ES256", ec.BrainpoolP256R1)],
)
def test_every_algorithm_of_the_specification(
    algorithm: str, curve: type[ec.EllipticCurve]
) -> None:
    key = seals.ec_key(13, curve)
    certificate = seals.signer(seals.ec_key(5, P384), key)
    content = seals.seal(seals.vaccination(), certificate, key, algorithm)
    assert outcome_of(parse(json.dumps(content), authorities())) is Signature.VALID


@pytest.mark.parametrize(
    ("change", "doses"),
    [
        (lambda m: m["ve"][0].update(dis="RA02"), None),
        (lambda m: m["ve"][0].update(dis=""), 2),
        (lambda m: (m["ve"][0].pop("dis"), m["ve"][0].update(des="XM0N24")), None),
        (lambda m: m["ve"][0]["vd"].pop(0), 2),
        (lambda m: m["ve"][0]["vd"][1].update(dvc="2021-06-01", seq=1), 1),
        (lambda m: m["ve"][0]["vd"][1].update(seq=True), 2),
        (lambda m: m["ve"][0]["vd"][1].update(seq=99), 2),
        (lambda m: m["ve"][0].update(vd="none"), None),
        (lambda m: m.update(ve=None), None),
    ],
)
def test_only_dated_doses_against_covid_19_count(change: Change, doses: int | None) -> None:
    data = seals.vaccination()
    change(data["msg"])
    found = parse(json.dumps(seals.seal(data, ministry(), seals.ec_key())), authorities())
    assert outcome_of(found) is Signature.VALID
    assert (found.certificate and found.certificate.facts.doses) == doses


@pytest.mark.parametrize(
    ("kind", "result", "expected"),
    [
        ("molecular(PCR)", "negative", TestResult.NEGATIVE),
        ("antigen", "Positive", TestResult.POSITIVE),
        ("antibody", "positive", None),
        ("antigen", "inconclusive", None),
    ],
)
def test_a_seal_of_a_test(kind: str, result: str, expected: TestResult | None) -> None:
    message = {
        "utci": "U01932",
        "pid": {"n": "Cook Gerald"},
        "dat": {"sc": "2021-09-19T08:30:00+07:00", "ri": "2021-09-19T12:00:00+07:00"},
        "tr": {"tc": kind, "r": result},
    }
    data = {"hdr": {"t": "icao.test", "v": 1, "is": "UTO"}, "msg": message}
    found = parse(json.dumps(seals.seal(data, ministry(), seals.ec_key())), authorities())
    assert outcome_of(found) is Signature.VALID
    if expected is None:
        assert found.certificate is None
    else:
        assert found.certificate is not None
        assert found.certificate.evidence is Evidence.TEST
        assert found.certificate.facts.test_result is expected
        hour = datetime(2021, 9, 19, 1, 30, tzinfo=UTC).timestamp() // 3_600
        assert found.certificate.facts.tested_h == hour


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["data"]["hdr"].update(t="icao.visa"),
        lambda c: c["data"]["hdr"].update(v=2),
        lambda c: c["data"]["hdr"].update({"is": "utopia"}),
        lambda c: c["data"].pop("msg"),
        lambda c: c["sig"].update(alg="none"),
        lambda c: c["sig"].update(alg="RS256"),
        lambda c: c["sig"].update(sigvl="!"),
        lambda c: c["sig"].update(cer=""),
        lambda c: c["sig"].update(cer=base64url.encode(ministry()[:-1])),
        lambda c: c.pop("sig"),
    ],
)
def test_a_malformed_seal_is_unrecognised(change: Change) -> None:
    content = seals.seal(seals.vaccination(), ministry(), seals.ec_key())
    change(content)
    assert parse(json.dumps(content), authorities()) == UNRECOGNISED


@pytest.mark.parametrize("length", [0, 63, 65, 96])
def test_a_signature_of_another_length_does_not_hold(length: int) -> None:
    content = seals.seal(seals.vaccination(), ministry(), seals.ec_key())
    content["sig"]["sigvl"] = base64url.encode(bytes(length))
    assert outcome_of(parse(json.dumps(content), authorities())) is Signature.INVALID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 8_000,
        '{"data":' * 1_000,
        "1" * 9_000,
        '{"data":"\\ud800","sig":{}}',
        '{"\udc81":1}',
    ],
)
def test_what_is_no_seal_is_unrecognised(text: str) -> None:
    assert parse(text, authorities()) == UNRECOGNISED


@given(st.text(st.characters(codec=None), max_size=100))
def test_any_text_ends_in_a_credential(text: str) -> None:
    assert isinstance(parse(text, authorities()), Credential)


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_seal_never_counts(draw: st.DataObject) -> None:
    text = example()
    at = draw.draw(st.integers(0, len(text) - 1))
    character = draw.draw(st.sampled_from('aZ09{}[]":,\\=-_é'))
    spoiled = text[:at] + character + text[at + 1 :]
    found = parse(spoiled, authorities())
    try:
        same = json.loads(spoiled) == json.loads(text)
    except ValueError:
        same = False
    assert same or outcome_of(found) is not Signature.VALID


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=25)
@given(st.data())
def test_any_member_of_a_signed_message_may_be_anything(draw: st.DataObject) -> None:
    data = seals.vaccination()
    at: Any = data["msg"]
    while True:
        key = draw.draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key] or draw.draw(st.booleans()):
            break
        at = at[key]
    at[key] = draw.draw(json_values)
    found = parse(json.dumps(seals.seal(data, ministry(), seals.ec_key())), authorities())
    assert outcome_of(found) is Signature.VALID


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "issuer", "facts"),
    [
        (
            "single-vaccine",
            "UTO",
            PersonFacts(
                doses=1,
                product=Product.PFIZER,
                last_dose=date(2021, 3, 3),
                born=date(1990, 1, 2),
            ),
        ),
        (
            "test",
            "UTO",
            PersonFacts(born=date(1990, 1, 29), tested_h=446_596, test_result=TestResult.NEGATIVE),
        ),
        (
            "jpn-triple-vaccine",
            "JPN",
            PersonFacts(
                doses=3,
                product=Product.PFIZER,
                last_dose=date(2021, 12, 1),
                born=date(1991, 2, 18),
            ),
        ),
    ],
)
def test_samples_of_others_are_valid_under_their_signers(
    name: str, issuer: str, facts: PersonFacts
) -> None:
    content = json.loads(chot_data("icao-vds-nc", f"{name}.txt").read_text())
    seal = content[0] if isinstance(content, list) else content  # one file is a list of seals
    text, certificate = json.dumps(seal), base64url.decode(seal["sig"]["cer"], padded=True)
    trusted = Authorities([AuthorityEntry((issuer,), certificate, signer=True)])
    found = parse(text, trusted)
    assert outcome_of(found) is Signature.VALID
    assert found.certificate is not None
    assert found.certificate.facts == facts
    assert outcome_of(parse(text, authorities())) is Signature.UNKNOWN_ISSUER
