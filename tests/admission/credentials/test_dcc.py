"""Protects the reading of EU Digital COVID Certificates: what they prove, and that none harms."""

from __future__ import annotations

import base64
import hashlib
import zlib
from datetime import UTC, datetime
from typing import Any

import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, CredentialKind, Evidence, Signature
from admission.credentials import base45, dcc
from admission.credentials.dcc_signers import NOBODY, Signers, signer_of
from admission.identity import Identifier, IdentifierKind
from tests.admission.credentials import dcc_codes as codes
from tests.admission.credentials.dcc_codes import NS, claims, code, vaccination

DER = codes.certificate()
SIGNERS = Signers([signer_of(DER)])
CODE = code(claims(vaccination()), DER)


def test_a_valid_code_proves_its_issuer_its_dates_and_its_content() -> None:
    credential = dcc.parse(CODE, SIGNERS)
    assert credential.kind is CredentialKind.DCC
    assert credential.identifiers == (
        Identifier(IdentifierKind.CERTIFICATE, "URN:UVCI:01:VN:0123456789ABCDEF#7"),
    )
    proof, certificate = credential.proof, credential.certificate
    assert proof is not None
    assert certificate is not None
    assert (proof.signature, proof.issuer) == (Signature.VALID, "VN")
    assert proof.key_id == hashlib.sha256(DER).digest()[:8]
    assert (proof.not_before_ns, proof.expires_ns) == (
        codes.ISSUED_S * NS,
        codes.EXPIRES_S * NS,
    )
    assert certificate.evidence is Evidence.VACCINATION
    assert certificate.data["v"][0]["dn"] == 2


def test_a_line_end_of_a_scanner_is_no_part_of_the_code() -> None:
    assert dcc.parse(CODE + "\r\n", SIGNERS) == dcc.parse(CODE, SIGNERS)


def test_times_may_be_tagged_as_date_times() -> None:
    tagged = claims(
        vaccination(),
        issued=cbor2.CBORTag(1, codes.ISSUED_S),
        expires=cbor2.CBORTag(0, "2022-08-08T23:06:40Z"),
    )
    proof = dcc.parse(code(tagged, DER), SIGNERS).proof
    assert proof is not None
    assert (proof.not_before_ns, proof.expires_ns) == (
        codes.ISSUED_S * NS,
        codes.EXPIRES_S * NS,
    )


def test_the_certificates_own_validity_narrows_the_claims() -> None:
    wide = code(claims(vaccination(), issued=1_500_000_000, expires=1_900_000_000), DER)
    proof = dcc.parse(wide, SIGNERS).proof
    assert proof is not None
    assert proof.not_before_ns == int(codes.FROM.timestamp()) * NS
    assert proof.expires_ns == (int(codes.UNTIL.timestamp()) + 1) * NS
    without = dcc.parse(code(claims(vaccination(), issued=None, expires=None), DER), SIGNERS).proof
    assert without is not None
    assert (without.not_before_ns, without.expires_ns) == (proof.not_before_ns, proof.expires_ns)
    fraction = code(claims(vaccination(), issued=1_630_000_000.5), DER)
    proof = dcc.parse(fraction, SIGNERS).proof
    assert proof is not None
    assert proof.not_before_ns == 1_630_000_000_500_000_000


@pytest.mark.parametrize(
    ("purposes", "allowed"),
    [
        ((), "vtr"),
        ((codes.VACCINATION,), "v"),
        ((codes.TEST,), "t"),
        ((codes.RECOVERY, codes.TEST), "tr"),
        (("1.3.6.1.4.1.0.1847.2021.1.2",), "v"),
        ((codes.CLIENT,), "vtr"),
        ((codes.CLIENT, codes.RECOVERY), "r"),
    ],
)
def test_a_signer_certifies_only_what_its_certificate_allows(
    purposes: tuple[str, ...], allowed: str
) -> None:
    der = codes.certificate(codes.P256, *purposes)
    signers = Signers([signer_of(der)])
    found = ""
    for group, payload in zip("vtr", (vaccination(), codes.test(), codes.recovery()), strict=True):
        proof = dcc.parse(code(claims(payload), der), signers).proof
        assert proof is not None
        assert proof.signature in (Signature.VALID, Signature.WRONG_USE)
        found += group if proof.signature is Signature.VALID else ""
    assert found == allowed


def test_a_signature_under_another_key_is_invalid_and_an_unknown_key_id_unknown() -> None:
    other = ec.derive_private_key(0xBAD, ec.SECP256R1())
    forged = dcc.parse(code(claims(vaccination()), DER, other), SIGNERS).proof
    strange = dcc.parse(CODE, NOBODY).proof
    assert forged is not None
    assert strange is not None
    assert forged.signature is Signature.INVALID
    assert (strange.signature, strange.issuer) == (Signature.UNKNOWN_ISSUER, "VN")


def test_every_signer_with_the_key_id_is_tried() -> None:
    mine = signer_of(DER)
    other = ec.derive_private_key(0xBAD, ec.SECP256R1())
    clash = msgspec.structs.replace(
        signer_of(codes.certificate(other)), key_id=mine.key_id, country="XX"
    )
    broken = msgspec.structs.replace(mine, public_key=b"none")
    for order in ([clash, mine], [mine, clash], [broken, clash, mine]):
        proof = dcc.parse(CODE, Signers(order)).proof
        assert proof is not None
        assert (proof.signature, proof.issuer) == (Signature.VALID, "VN")
    unusable = dcc.parse(CODE, Signers([broken])).proof
    assert unusable is not None
    assert unusable.signature is Signature.UNKNOWN_ISSUER


@pytest.mark.parametrize("key", [codes.P256, codes.RSA], ids=["ES256", "PS256"])
def test_revocation_names_are_the_eus_hashes(key: Any) -> None:
    der = codes.certificate(key)
    text = code(claims(vaccination(co="FR")), der, key)
    message = cbor2.loads(zlib.decompress(base45.decode(text[4:]))).value
    signature = message[3][:32] if key is codes.P256 else message[3]
    uci = "URN:UVCI:01:VN:0123456789ABCDEF#7"
    proof = dcc.parse(text, Signers([signer_of(der)])).proof
    assert proof is not None
    assert proof.signature is Signature.VALID

    def name(kind: IdentifierKind, data: bytes) -> Identifier:
        return Identifier(kind, hashlib.sha256(data).hexdigest()[:32])

    assert set(proof.withdrawn_as) == {
        name(IdentifierKind.DCC_SIGNATURE, signature),
        name(IdentifierKind.DCC_UCI, uci.encode()),
        name(IdentifierKind.DCC_COUNTRY_UCI, f"FR{uci}".encode()),
        name(IdentifierKind.DCC_COUNTRY_UCI, f"VN{uci}".encode()),
    }


BOMB = zlib.compress(bytes(50_000_000), 9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HC1:",
        CODE[4:],
        CODE.replace("HC1:", "HC2:"),
        CODE.replace("HC1:", "hc1:"),
        "HC1:" + CODE[4:].lower(),
        CODE[:-1],
        CODE + "0",
        "HC1:" + base45.encode(BOMB)[: dcc.MAX_TEXT_LENGTH - 4],
        "HC1:" + base45.encode(zlib.compress(bytes(dcc.MAX_INFLATED_BYTES + 1))),
        "HC1:" + base45.encode(zlib.compress(b"\x81" * 4_000)),
        "HC1:" + base45.encode(b"\xd2\x84\x40\xa0\x40\x40"),
        codes.text(b"\xd2\x84\x40\xa0\x40\x40"),
        "HC1:" + "0" * 5_000,
        code({}, DER),
        code({-260: {2: vaccination()}}, DER),
        code({-260: {1: b"bytes"}}, DER),
        code({-260: vaccination()}, DER),
        code(claims(vaccination(), expires="tomorrow"), DER),
        code(claims(vaccination(), expires=2**60), DER),
        code(claims(vaccination(), expires=True), DER),
        code(claims(codes.person()), DER),
        code(claims(codes.person(v=[], t=None)), DER),
        code(claims(codes.person(v=[{}])), DER),
        code(claims({**vaccination(), **codes.test()}), DER),
        code(claims(codes.person(v=vaccination()["v"] * 2)), DER),
    ],
)
def test_what_is_no_certificate_is_not_recognised(text: str) -> None:
    assert dcc.parse(text, SIGNERS) is UNRECOGNISED


def test_a_stream_that_goes_on_is_refused() -> None:
    compressed = base45.decode(CODE[4:])
    assert dcc.parse("HC1:" + base45.encode(compressed + b"\x00"), SIGNERS) is UNRECOGNISED


@given(st.text(max_size=40).map("HC1:".__add__) | st.text(base45.ALPHABET).map("HC1:".__add__))
def test_no_text_raises(text: str) -> None:
    assert dcc.parse(text, SIGNERS) is UNRECOGNISED
    dcc.verify(text, dsc=[DER], now=codes.NOW)


@settings(max_examples=150)
@given(st.integers(0, len(CODE) - 1), st.sampled_from(base45.ALPHABET), st.integers(0, 3))
def test_no_mutated_code_counts(at: int, character: str, dropped: int) -> None:
    text = CODE[:at] + character + CODE[at + dropped :]
    credential = dcc.parse(text, SIGNERS)
    valid = credential.proof is not None and credential.proof.signature is Signature.VALID
    assert valid == (text == CODE)


@settings(max_examples=150)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3), st.sampled_from([SIGNERS, NOBODY]))
def test_no_mutated_message_raises_or_counts(at: int, damage: bytes, signers: Signers) -> None:
    message = zlib.decompress(base45.decode(CODE[4:]))
    damaged = message[:at] + damage + message[at + len(damage) :]
    credential = dcc.parse(codes.text(damaged), signers)
    if credential.proof is not None and credential.proof.signature is Signature.VALID:
        original = dcc.parse(CODE, signers)
        assert (credential.certificate, credential.proof) == (original.certificate, original.proof)


def expectations(vector: dict[str, Any], result: Any) -> dict[str, Any]:
    """Return what the suite's keys find, absent where the vector holds nothing to compare with."""

    def same(found: bytes | None, field: str) -> bool:
        if found is None or field not in vector:
            return found is not None
        return found == bytes.fromhex(vector[field])

    return {
        "EXPECTEDUNPREFIX": result["base45"] is not None
        and result["base45"] == vector.get("BASE45", result["base45"]),
        "EXPECTEDB45DECODE": same(result["compressed"], "COMPRESSED"),
        "EXPECTEDCOMPRESSION": same(result["cose"], "COSE"),
        "EXPECTEDDECODE": result["hcert"] is not None,
        "EXPECTEDVERIFY": result["signature"],
        "EXPECTEDEXPIRATIONCHECK": result["time"],
        "EXPECTEDKEYUSAGE": result["key_usage"],
        "EXPECTEDSCHEMAVALIDATION": result["schema"],
    }


# Schema expectations that the suite itself lists as known issues, and the value sets of PL/7-9.
AT_FAULT = ("BG/2DCode/raw/1", "BG/2DCode/raw/2", "HU/2DCode/raw/3", "raw/7", "raw/8", "raw/9")


@pytest.mark.data
def test_dgc_testdata_is_read_as_its_authors_expect() -> None:
    checks, wrong = 0, []
    for name, vector in codes.vectors():
        context = vector["TESTCTX"]
        encoded = "".join((context.get("CERTIFICATE") or "").split())
        der = [base64.b64decode(encoded)] if encoded else []
        clock = (context.get("VALIDATIONCLOCK") or "2021-09-20T00:00:00Z").strip()
        now = datetime.fromisoformat(clock)
        now = now if now.tzinfo else now.replace(tzinfo=UTC)
        found = expectations(vector, dcc.verify(vector["PREFIX"], dsc=der, now=now))
        for key, wanted in vector["EXPECTEDRESULTS"].items():
            if key in found:
                checks += 1
                if bool(found[key]) != wanted:
                    wrong.append((name, key))
    unexplained = [
        (name, key)
        for name, key in wrong
        if key != "EXPECTEDSCHEMAVALIDATION"
        or not (name[:-5].endswith(AT_FAULT) and name[:2] in ("BG", "HU", "PL"))
    ]
    assert unexplained == []
    assert checks > 1_000


@pytest.mark.data
def test_a_vector_that_verifies_is_valid_at_the_gate() -> None:
    read = 0
    for _name, vector in codes.vectors():
        expected = vector["EXPECTEDRESULTS"]
        encoded = "".join((vector["TESTCTX"].get("CERTIFICATE") or "").split())
        if not encoded or not expected.get("EXPECTEDVERIFY"):
            continue
        signers = Signers([signer_of(base64.b64decode(encoded))])
        credential = dcc.parse(vector["PREFIX"], signers)
        if credential is UNRECOGNISED:
            assert expected.get("EXPECTEDSCHEMAVALIDATION") is False
            continue
        assert credential.proof is not None
        allowed = expected.get("EXPECTEDKEYUSAGE")
        if allowed is None:
            assert credential.proof.signature in (Signature.VALID, Signature.WRONG_USE)
            continue
        wanted = Signature.VALID if allowed else Signature.WRONG_USE
        assert credential.proof.signature is wanted
        read += 1
    assert read >= 30
