"""Protects the pass: what was signed reads back, nothing else is believed, and it fits its code."""

from __future__ import annotations

import random
from itertools import count

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, CredentialKind, PassKind, Signature
from admission.credentials import base45, chot_pass, cose, pass_claims
from admission.credentials.chot_pass import (
    MAX_TEXT_LENGTH,
    PREFIX,
    parse,
    sign_pass,
)
from admission.credentials.pass_content import PassClaims
from admission.credentials.pass_issuers import PassIssuers, key_id
from admission.errors import MalformedError
from admission.identity import Identifier, IdentifierKind
from admission.site import Place
from tests.admission.credentials.passes import (
    DAY_S,
    ISSUED_S,
    KEY,
    OTHER_KEY,
    a_permit,
    trusting,
)
from tests.admission.credentials.passes import pass_claims as all_claims

TRUSTED = trusting()


def _text(message: bytes) -> str:
    return PREFIX + base45.encode(message)


def _signed(payload: bytes) -> str:
    """A payload of somebody's own making under the trusted key."""
    return _text(cose.sign(payload, KEY, key_id=key_id(KEY.public_key()))[1:])


def _message(text: str) -> bytes:
    return base45.decode(text.removeprefix(PREFIX))


def _content(**changes: object) -> dict[object, object]:
    content: dict[object, object] = cbor2.loads(pass_claims.encode(a_permit()))
    return content | changes


@settings(max_examples=50)
@given(all_claims())
def test_what_is_signed_reads_back(claims: PassClaims) -> None:
    credential = parse(sign_pass(claims, KEY), TRUSTED)
    assert credential.kind is CredentialKind.CHOT_PASS
    assert credential.granted == claims.granted
    assert credential.holder == claims.holder
    assert credential.identifiers == ()
    proof = credential.proof
    assert proof is not None
    assert (proof.signature, proof.issuer) == (Signature.VALID, "Sở Y tế")
    assert proof.key_id == key_id(KEY.public_key())
    assert proof.not_before_ns == claims.from_s * 10**9
    assert proof.expires_ns == claims.expires_s * 10**9
    number = claims.granted.number.hex()
    assert proof.withdrawn_as == (Identifier(IdentifierKind.PASS_NUMBER, number),)


@settings(max_examples=50)
@given(all_claims())
def test_one_content_has_one_text(claims: PassClaims) -> None:
    text = sign_pass(claims, KEY)
    assert sign_pass(chot_pass.read_unverified(text), KEY) == text
    assert text == text.strip()  # readers strip


def test_lists_are_sorted_and_named_once_by_whoever_issues() -> None:
    untidy = a_permit(
        districts=(769, 760, 769),
        places=(Place.SUPERMARKET, Place.CONTROL_STATION),
        sites=("b", "a", "b"),
    )
    granted = parse(sign_pass(untidy, KEY), TRUSTED).granted
    assert granted is not None
    assert (granted.districts, granted.sites) == ((760, 769), ("a", "b"))
    assert granted.places == (Place.CONTROL_STATION, Place.SUPERMARKET)


# ---- what is not believed


@pytest.mark.parametrize(
    ("issuers", "signature"),
    [
        (PassIssuers(), Signature.UNKNOWN_ISSUER),
        (trusting(OTHER_KEY), Signature.UNKNOWN_ISSUER),
        (trusting(kinds=frozenset({PassKind.VISITOR})), Signature.WRONG_USE),
    ],
)
def test_without_a_trusted_key_for_its_kind_nothing_is_granted(
    issuers: PassIssuers, signature: Signature
) -> None:
    credential = parse(sign_pass(a_permit(), KEY), issuers)
    assert credential.proof is not None
    assert credential.proof.signature is signature
    assert credential.granted is None
    assert credential.holder is None


def test_under_another_key_of_that_id_the_signature_is_invalid() -> None:
    forged = cose.sign(pass_claims.encode(a_permit()), OTHER_KEY, key_id=key_id(KEY.public_key()))
    proof = parse(_text(forged[1:]), TRUSTED).proof
    assert proof is not None
    assert proof.signature is Signature.INVALID


def test_no_changed_byte_is_valid() -> None:
    data = _message(sign_pass(a_permit(), KEY))
    for position in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[position] ^= flip
            credential = parse(_text(bytes(changed)), TRUSTED)
            assert credential.granted is None
            assert credential.proof is None or credential.proof.signature is not Signature.VALID


@pytest.mark.parametrize(
    "message",
    [
        b"\xd2" + _message(sign_pass(a_permit(), KEY)),
        b"\xd8\x3d\xd2" + _message(sign_pass(a_permit(), KEY)),
        _message(sign_pass(a_permit(), KEY)) + b"\x00",
        b"\x98\x04" + _message(sign_pass(a_permit(), KEY))[1:],
        b"\x9f" + _message(sign_pass(a_permit(), KEY))[1:] + b"\xff",
        _message(sign_pass(a_permit(), KEY)).replace(b"\xa0", b"\xa1\x04\x41\x00", 1),
        b"\x84\x58" + _message(sign_pass(a_permit(), KEY))[1:].replace(b"\x4d", b"\x0d", 1),
    ],
    ids=["tag 18", "tags 61 and 18", "more behind", "long head", "indefinite", "header", "long"],
)
def test_another_form_of_the_same_message_is_refused(message: bytes) -> None:
    assert len(_text(message)) <= MAX_TEXT_LENGTH
    assert parse(_text(message), TRUSTED) == UNRECOGNISED


PRIVATE = cbor2.loads(pass_claims.encode(a_permit()))[pass_claims.PASS]


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {**_content(), 8: 1},
        {**_content(), "iss": "x"},
        {key: value for key, value in _content().items() if key != 4},
        {**_content(), 4: float(ISSUED_S + DAY_S)},
        {**_content(), 4: True},
        {**_content(), 4: ISSUED_S},
        {**_content(), 4: 1 << 32},
        {**_content(), 5: ISSUED_S - 1},
        {**_content(), 6: -1},
        {**_content(), 7: b"1234567"},
        {**_content(), 7: "12345678"},
        {**_content(), pass_claims.PASS: []},
        *(
            {**_content(), pass_claims.PASS: {**PRIVATE, **changed}}
            for changed in (
                {10: 1},
                {1: 0},
                {1: 5},
                {1: True},
                {2: bytes(7)},
                {2: 5},
                {3: 0},
                {3: 1 << len(Place)},
                {4: []},
                {4: [769, 760]},
                {4: [760, 760]},
                {4: [0]},
                {4: [65_536]},
                {4: list(range(1, 18))},
                {4: 760},
                {5: ["A"]},
                {5: ["cổng-1"]},
                {5: [b"a"]},
                {6: [[300, 1260]]},
                {6: [[1440, 0, 127]]},
                {6: [[0, 0, 0]]},
                {6: [[0, 0, 128]]},
                {6: [[300, 1260, 31], [240, 260, 31]]},
                {7: ""},
                {7: " A"},
                {7: "A\u202eB"},
                {7: "a\u0301"},
                {8: -(1 << 40)},
                {8: 1 << 62},
                {8: 3.0},
                {9: 1},
                {9: -1},
            )
        ),
        {**_content(), pass_claims.PASS: {k: v for k, v in PRIVATE.items() if k != 1}},
        {**_content(), pass_claims.PASS: {k: v for k, v in PRIVATE.items() if k != 7}},
        {**_content(), pass_claims.PASS: {**PRIVATE, 1: 1}},
        {**_content(), pass_claims.PASS: {**PRIVATE, 1: 4}},
        {**_content(), pass_claims.PASS: {1: 1, 7: "A"}},
        {**_content(), pass_claims.PASS: {1: 2, 7: "A" * 65}},
        {**_content(), pass_claims.PASS: {1: 4, 9: 7}},
    ],
    ids=count(),
)
def test_claims_outside_the_registry_are_refused_even_if_signed(content: object) -> None:
    text = _signed(cbor2.dumps(content, canonical=True))
    assert len(text) <= MAX_TEXT_LENGTH
    assert parse(text, TRUSTED) == UNRECOGNISED


@pytest.mark.parametrize(
    "payload",
    [
        cbor2.dumps(dict(reversed(_content().items()))),
        pass_claims.encode(a_permit()) + b"\x00",
        pass_claims.encode(a_permit()).replace(b"\x02\x48", b"\x18\x02\x48", 1),
        b"\xbf" + pass_claims.encode(a_permit())[1:] + b"\xff",
        pass_claims.encode(a_permit()).replace(b"\x04\x1a", b"\x04\xc1\x1a", 1),
    ],
    ids=["order", "more behind", "long integer", "indefinite", "tagged time"],
)
def test_a_payload_that_is_not_deterministic_is_refused_even_if_signed(payload: bytes) -> None:
    assert parse(_signed(payload), TRUSTED) == UNRECOGNISED


GOOD = sign_pass(a_permit(), KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PREFIX,
        GOOD.lower(),
        "CHOT2:" + GOOD.removeprefix(PREFIX),
        " " + GOOD,
        GOOD + " A",
        GOOD[:-1],
        PREFIX + ":" * 305,
        PREFIX + "A" * (MAX_TEXT_LENGTH - 5),
        PREFIX + "\ud800" * 12,
        PREFIX + "0Ỉ0",
    ],
    ids=ascii,
)
def test_other_texts_are_unrecognised(text: str) -> None:
    assert parse(text, TRUSTED) == UNRECOGNISED
    with pytest.raises(MalformedError):
        chot_pass.read_unverified(text)


def test_white_space_that_a_reader_ends_with_is_not_part_of_the_text() -> None:
    assert parse(GOOD + " \r\n", TRUSTED) == parse(GOOD, TRUSTED)


@given(st.text() | st.text(base45.ALPHABET, max_size=320).map(lambda text: PREFIX + text))
def test_no_text_raises(text: str) -> None:
    assert parse(text, TRUSTED).granted is None


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_no_mutated_payload_under_the_trusted_key_raises(seed: int, changes: int) -> None:
    source = random.Random(seed)
    payload = bytearray(pass_claims.encode(a_permit()))
    for _ in range(changes):
        position = source.randrange(len(payload))
        if source.random() < 0.3:
            del payload[position]
        else:
            payload[position] = source.randrange(256)
    text = _signed(bytes(payload))
    credential = parse(text, TRUSTED)
    if credential.granted is not None:
        assert sign_pass(chot_pass.read_unverified(text), KEY) == text


# ---- what fits
