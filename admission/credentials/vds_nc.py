"""ICAO Visible Digital Seals for non-constrained environments: proofs of vaccination and of tests.

ICAO Technical Report VDS-NC 1.1, profiles `icao.vacc` and `icao.test`. A seal is JSON,
`{"data": {"hdr": {"t", "v", "is"}, "msg"}, "sig": {"alg", "sigvl", "cer"}}`; the signature is over
the canonical form (RFC 8785) of `data`, and the signer's certificate comes along. The seal has no
end of its own: it counts as long as its signer's certificate does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from admission.credential import (
    UNRECOGNISED,
    Certificate,
    Credential,
    CredentialKind,
    Evidence,
    Proof,
    Signature,
)
from admission.credentials import base64url, canonical_json, vaccines
from admission.credentials.fhir import holder_of, hour_of, whole_date
from admission.credentials.vds_nc_authorities import Authorities, Signer
from admission.errors import MalformedError
from admission.identity import Identifier, IdentifierKind, normalise
from admission.reading import MAX_TEXT_LENGTH
from admission.standing import PersonFacts, Product, TestResult

MAX_EVENTS = 16
"""Vaccines of one seal, and doses of one vaccine, that are looked at."""
MAX_DOSES = 20

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "ES256": hashes.SHA256,
    "ES384": hashes.SHA384,
    "ES512": hashes.SHA512,
}
# ICD-11 and SNOMED CT for COVID-19, as `dis` names the disease.
_COVID_19 = frozenset({"RA01", "RA01.0", "RA01.1", "840539006"})
_ANTIBODY = "antibody"
_RESULTS = {
    "negative": TestResult.NEGATIVE,
    "not detected": TestResult.NEGATIVE,
    "positive": TestResult.POSITIVE,
    "detected": TestResult.POSITIVE,
}


class _Header(msgspec.Struct, frozen=True):
    t: Literal["icao.vacc", "icao.test"]
    v: Literal[1]
    issuer: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,3}\Z")] = msgspec.field(name="is")


class _Data(msgspec.Struct, frozen=True):
    hdr: _Header
    msg: dict[str, Any]


class _Signature(msgspec.Struct, frozen=True):
    alg: Literal["ES256", "ES384", "ES512"]
    sigvl: str
    cer: str


class _Seal(msgspec.Struct, frozen=True):
    data: _Data
    sig: _Signature


class _Dose(msgspec.Struct, frozen=True, gc=False):
    given: date
    number: int
    product: Product


def parse(text: str, authorities: Authorities) -> Credential:
    """Return what the seal claims and proves, or `UNRECOGNISED` if it is malformed. Never raises.

    Linear in the text but for sorting members. Only a seal whose signature holds names somebody:
    its UVCI or UTCI becomes an identifier, `<issuing state>/<number>`, under which it is withdrawn
    too. One of an authority that is not trusted here has a holder, for an officer to look at.
    """
    try:
        return _read(text, authorities)
    except (MalformedError, msgspec.ValidationError):
        return UNRECOGNISED


def _read(text: str, authorities: Authorities) -> Credential:
    if len(text) > MAX_TEXT_LENGTH:
        raise MalformedError("over the limit of a code")
    content = canonical_json.read(text)
    seal = msgspec.convert(content, _Seal)
    signature = base64url.decode(seal.sig.sigvl, padded=True)
    signer = authorities.signer(base64url.decode(seal.sig.cer, padded=True))
    if isinstance(signer, Signature):
        return _credential(seal.data, Proof(signer, issuer=seal.data.hdr.issuer))
    outcome = signer.outcome
    if seal.data.hdr.issuer not in signer.issuers:
        outcome = Signature.WRONG_USE
    if not _holds(signer, seal.sig.alg, signature, canonical_json.canonical(content["data"])):
        outcome = Signature.INVALID
    proof = Proof(outcome, seal.data.hdr.issuer, signer.from_ns, signer.until_ns)
    return _credential(seal.data, proof)


def _credential(data: _Data, proof: Proof) -> Credential:
    kind = CredentialKind.VDS_NC
    if proof.signature is Signature.INVALID:
        return Credential(kind, proof=proof)
    person = data.msg.get("pid")
    person = person if isinstance(person, dict) else {}
    born = whole_date(person.get("dob"))
    name = person.get("n")
    holder = holder_of(name, born) if isinstance(name, str) else None
    if proof.signature is not Signature.VALID:
        return Credential(kind, holder=holder, proof=proof)
    vaccinated = data.hdr.t == "icao.vacc"
    identifiers = _identifiers(data.hdr.issuer, data.msg.get("uvci" if vaccinated else "utci"))
    return Credential(
        kind,
        identifiers,
        holder,
        msgspec.structs.replace(proof, withdrawn_as=identifiers),
        _vaccination(data.msg, born) if vaccinated else _test(data.msg, born),
    )


def _holds(signer: Signer, algorithm: str, signature: bytes, signed: bytes) -> bool:
    key = signer.key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    half = (key.key_size + 7) // 8
    if len(signature) != 2 * half:
        return False
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_HASHES[algorithm]()))
    except InvalidSignature:
        return False
    return True


def _identifiers(issuer: str, number: Any) -> tuple[Identifier, ...]:
    if not isinstance(number, str) or not 0 < len(number) <= 64 or not number.isascii():
        return ()
    return (normalise(IdentifierKind.CERTIFICATE, f"{issuer}/{number}"),)


def _vaccination(message: dict[str, Any], born: date | None) -> Certificate | None:
    """Return what the vaccination events prove: doses against COVID-19 that have a date.

    Doses of one day are one dose; a seal that lists only the last dose says its number in `seq`.
    """
    doses = [dose for event in _listed(message.get("ve")) for dose in _doses(event)]
    if not doses:
        return None
    last = max(doses, key=lambda dose: dose.given)
    count = max(len({dose.given for dose in doses}), *(dose.number for dose in doses))
    facts = PersonFacts(doses=count, product=last.product, last_dose=last.given, born=born)
    return Certificate(Evidence.VACCINATION, facts)


def _doses(event: dict[str, Any]) -> list[_Dose]:
    code, name, disease = (_string(event.get(key)) for key in ("des", "nam", "dis"))
    product = vaccines.product_of_code(vaccines.ICD_11, code)
    if disease not in _COVID_19 if disease else product is None:
        return []
    if product in (None, Product.OTHER):
        product = vaccines.product_of_name(name)
    return [
        _Dose(given, _dose_number(dose.get("seq")), product or Product.OTHER)
        for dose in _listed(event.get("vd"))
        if (given := whole_date(dose.get("dvc"))) is not None
    ]


def _test(message: dict[str, Any], born: date | None) -> Certificate | None:
    """Return what the test proves: a result of a test for the virus whose sample has a time."""
    dates, result = message.get("dat"), message.get("tr")
    if not isinstance(dates, dict) or not isinstance(result, dict):
        return None
    taken_h = hour_of(dates.get("sc"))
    found = _RESULTS.get(_string(result.get("r")).strip().lower())
    if taken_h is None or found is None or _ANTIBODY in _string(result.get("tc")).lower():
        return None
    facts = PersonFacts(born=born, tested_h=taken_h, test_result=found)
    return Certificate(Evidence.TEST, facts)


def _listed(value: Any) -> list[dict[str, Any]]:
    listed = value[:MAX_EVENTS] if isinstance(value, list) else []
    return [item for item in listed if isinstance(item, dict)]


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dose_number(value: Any) -> int:
    """Return a dose's number, which issuers write as a number or as text; 1 where it is neither."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 1
    return number if number <= MAX_DOSES else 1
