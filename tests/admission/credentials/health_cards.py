"""An issuer, its key and the SMART Health Cards that it signs, for tests."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from admission.credentials import base64url
from admission.credentials.health_card_issuers import IssuerKey, Issuers, thumbprint

ISS = "https://example.org/issuer"


@cache
def private_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(20_210_911, ec.SECP256R1())


@cache
def issuer_key() -> IssuerKey:
    numbers = private_key().public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    return IssuerKey(ISS, thumbprint(x, y), x, y)


def key_of(secret: int, iss: str = ISS) -> IssuerKey:
    numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    return IssuerKey(iss, thumbprint(x, y), x, y)


def jwk(key: IssuerKey, **changed: Any) -> dict[str, Any]:
    entry = {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": key.kid}
    return entry | {"x": base64url.encode(key.x), "y": base64url.encode(key.y)} | changed


def issuers() -> Issuers:
    return Issuers([issuer_key()])


def immunization(code: str = "208", day: str = "2021-08-01", **changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}]},
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": day,
    } | changed


def observation(result: str = "260415000", at: str = "2021-09-19T08:30:00+07:00") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94500-6"}]},
        "subject": {"reference": "resource:0"},
        "effectiveDateTime": at,
        "valueCodeableConcept": {
            "coding": [{"system": "http://snomed.info/sct", "code": result}],
        },
    }


PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Nguyễn", "given": ["Văn", "An"]}],
    "birthDate": "1987-01-18",
}


def payload(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"resource:{i}", "resource": resource}
        for i, resource in enumerate([PATIENT, *resources])
    ]
    return {
        "iss": ISS,
        "nbf": 1_630_000_000.5,
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "credentialSubject": {
                "fhirVersion": "4.0.1",
                "fhirBundle": {"resourceType": "Bundle", "type": "collection", "entry": entries},
            },
        },
    }


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def shc(jws: str) -> str:
    return "shc:/" + "".join(f"{ord(character) - 45:02}" for character in jws)


def card(
    content: Any,
    *,
    header: dict[str, Any] | None = None,
    squeeze: Callable[[bytes], bytes] = deflated,
    forged: bool = False,
) -> str:
    """Return a signed card; `header` is merged into the right one."""
    head = {"zip": "DEF", "alg": "ES256", "kid": issuer_key().kid} | (header or {})
    data = content if isinstance(content, bytes) else msgspec.json.encode(content)
    signed = f"{base64url.encode(msgspec.json.encode(head))}.{base64url.encode(squeeze(data))}"
    key = ec.derive_private_key(7, ec.SECP256R1()) if forged else private_key()
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = base64url.encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return shc(f"{signed}.{signature}")


@cache
def card_of_example() -> str:
    return card(payload(immunization()))
