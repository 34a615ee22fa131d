"""SMART Health Cards: `shc:/` and digits, a compact JWS over a compressed FHIR bundle.

SMART Health Cards Framework 1.4 (https://spec.smarthealth.cards), with RFC 7515 (JWS), RFC 7518
3.4 (ES256) and RFC 1951 (DEFLATE). The scanner joins the deprecated chunks `shc:/<n>/<of>/` before
they come here, so how long one code may be is not seen here; the whole is bounded by
`reading.MAX_TEXT_LENGTH`.

What the framework asks of an issuer in order to keep cards small (no `Resource.meta`, no `text`, no
`display`) is not a verifier's business: such members are not read.
"""

from __future__ import annotations

import math
import re
import zlib
from functools import lru_cache
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Proof, Signature
from admission.credentials import base64url, fhir
from admission.credentials.health_card_issuers import Issuers, is_issuer_url
from admission.errors import MalformedError
from admission.identity import Identifier, IdentifierKind
from admission.reading import MAX_TEXT_LENGTH

PREFIX = "shc:/"
HEALTH_CARD_TYPE = "https://smarthealth.cards#health-card"
MAX_PAYLOAD_BYTES = 64 * 1024
"""Bytes of a payload as it is after inflating; more is never inflated."""
MAX_TIME_S = 253_402_300_800
"""Seconds from the epoch to the year 10000: a larger time was written in milliseconds."""

_HEADERS_KEPT = 64
_DIGITS = b"0123456789"
_VALUES = bytes.maketrans(_DIGITS, bytes(range(10)))
_CODES = bytes(range(78))
_CHARACTERS = bytes.maketrans(_CODES, bytes(range(45, 123)))
_RID = re.compile(r"[A-Za-z0-9_-]{1,24}", re.ASCII)
_ES256 = ec.ECDSA(hashes.SHA256())


class _Header(msgspec.Struct, frozen=True):
    alg: Literal["ES256"]
    zip: Literal["DEF"]
    kid: str
    crit: Any = msgspec.UNSET


class _Subject(msgspec.Struct, frozen=True, rename="camel"):
    fhir_version: str
    fhir_bundle: dict[str, Any]


class _VerifiableCredential(msgspec.Struct, frozen=True, rename={"subject": "credentialSubject"}):
    type: list[str]
    subject: _Subject
    rid: str = ""


class _Payload(msgspec.Struct, frozen=True):
    iss: str
    nbf: float
    vc: _VerifiableCredential
    exp: float | None = None


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_payload = msgspec.json.Decoder(_Payload).decode


def parse(text: str, issuers: Issuers) -> Credential:
    """Return what the card claims and proves, or `UNRECOGNISED` if it is malformed. Never raises.

    Linear in the text. Only a card whose signature holds has a certificate; one of an issuer that
    is not trusted here has a holder, for an officer to look at, and one whose signature does not
    hold has nothing but its proof.
    """
    try:
        return _read(text, issuers)
    except (MalformedError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return UNRECOGNISED


def _read(text: str, issuers: Issuers) -> Credential:
    jws = _jws(text)
    parts = jws.split(".")
    if len(parts) != 3:
        raise MalformedError("a compact JWS has three parts")
    kid = _key_id(parts[0])
    payload = _decode_payload(_inflate(base64url.decode(parts[1])))
    _check(payload)
    signature = base64url.decode(parts[2])
    if len(signature) != 64:
        raise MalformedError("a signature of ES256 has 64 bytes (RFC 7518 3.4)")
    signed = jws[: -len(parts[2]) - 1].encode("ascii")
    outcome = _verify(issuers.public_key(payload.iss, kid), signature, signed)
    return _credential(payload, kid, outcome)


@lru_cache(_HEADERS_KEPT)
def _key_id(encoded: str) -> str:
    """Return the `kid` of an encoded header: the cards of one issuer's key all have the same.

    :raises MalformedError: if the header is not one of a health card; `msgspec.MsgspecError` too.
    """
    header = _decode_header(base64url.decode(encoded))
    if header.crit is not msgspec.UNSET:
        raise MalformedError("the header asks for an extension (RFC 7515 4.1.11)")
    return header.kid


def _credential(payload: _Payload, kid: str, outcome: Signature) -> Credential:
    rid = payload.vc.rid
    withdrawn_as = (Identifier(IdentifierKind.HEALTH_CARD_RID, f"{kid}/{rid}"),) if rid else ()
    proof = Proof(
        outcome,
        issuer=payload.iss,
        not_before_ns=_ns(payload.nbf),
        expires_ns=None if payload.exp is None else _ns(payload.exp),
        withdrawn_as=withdrawn_as,
    )
    kind = CredentialKind.SMART_HEALTH_CARD
    if outcome is Signature.INVALID:
        return Credential(kind, proof=proof)
    holder, certificate = fhir.read_bundle(payload.vc.subject.fhir_bundle)
    if outcome is not Signature.VALID:
        certificate = None
    return Credential(kind, holder=holder, proof=proof, certificate=certificate)


def _jws(text: str) -> str:
    """Return the JWS that the digits spell: each pair is a character's code less 45."""
    digits = text[len(PREFIX) :]
    if not text.startswith(PREFIX) or len(text) > MAX_TEXT_LENGTH or len(digits) % 2:
        raise MalformedError("not shc:/ and pairs of digits within the limit")
    characters = digits.encode("utf-8", "replace")
    if characters.translate(None, _DIGITS):
        raise MalformedError("not digits throughout")
    values = characters.translate(_VALUES)
    # All pairs at once, in one integer with a byte for each: at most 99, so that none runs over.
    tens, units = int.from_bytes(values[0::2], "big"), int.from_bytes(values[1::2], "big")
    codes = (tens * 10 + units).to_bytes(len(values) // 2, "big")
    if codes.translate(None, _CODES):
        raise MalformedError("a pair of digits names no character")
    return codes.translate(_CHARACTERS).decode("ascii")


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        payload = inflater.decompress(data, MAX_PAYLOAD_BYTES)
    except zlib.error as error:
        raise MalformedError("the payload is not raw DEFLATE") from error
    if not inflater.eof or inflater.unused_data:
        raise MalformedError("the payload is cut off, followed by bytes, or over the limit")
    return payload


def _check(payload: _Payload) -> None:
    if not is_issuer_url(payload.iss):
        raise MalformedError("iss is not an https URL without a / at its end")
    if HEALTH_CARD_TYPE not in payload.vc.type:
        raise MalformedError("not of the type of a health card")
    if payload.vc.rid and not _RID.fullmatch(payload.vc.rid):
        raise MalformedError("rid is not base64url of at most 24 characters")
    for moment in (payload.nbf, payload.exp):
        if moment is not None and not (math.isfinite(moment) and 0 <= moment < MAX_TIME_S):
            raise MalformedError("a time is not in seconds since the epoch")


def _verify(key: ec.EllipticCurvePublicKey | None, signature: bytes, signed: bytes) -> Signature:
    if key is None:
        return Signature.UNKNOWN_ISSUER
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, _ES256)
    except InvalidSignature:
        return Signature.INVALID
    return Signature.VALID


def _ns(seconds: float) -> int:
    return round(seconds * 1_000) * 1_000_000
