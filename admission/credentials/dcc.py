"""EU Digital COVID Certificates: `HC1:`, base45, zlib, COSE_Sign1, CWT (eu-dcc-hcert-spec 1.0.5).

`parse` is the gate's reading: lenient towards what the issuers of 77 countries printed
(`dcc_payload`), exact about signature, key, dates and use. `verify` says step by step how a code
fares, its payload held to the letter of the schema (`dcc_schema`): for tests and issuers.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from admission.credential import (
    UNRECOGNISED,
    Credential,
    CredentialKind,
    Evidence,
    Proof,
    Signature,
)
from admission.credentials import base45, cbor, cose, dcc_certificate, dcc_payload, dcc_schema
from admission.credentials.cose import Sign1
from admission.credentials.dcc_signers import PURPOSES, USE_OF, Signer, Signers, signer_of
from admission.errors import MalformedError, TrustError
from admission.identity import Identifier, IdentifierKind, normalise

PREFIX = "HC1:"
MAX_TEXT_LENGTH = 4_296
"""Characters of the longest code: what a QR code of the largest size holds. Those of the field have
500 to 900."""
MAX_INFLATED_BYTES = 4_096
"""Bytes of the longest COSE message. Those of the field have 250 to 800; a code of a hundred
characters can inflate to megabytes, and be slow to take apart long before that."""
WITHDRAWN_HASH_BYTES = 16

_NS = 1_000_000_000
_MAX_TIME_S = 1 << 36
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISSUER, _EXPIRES, _ISSUED, _HEALTH, _DCC = 1, 4, 6, -260, 1
_GROUP_EVIDENCE = {"v": Evidence.VACCINATION, "t": Evidence.TEST, "r": Evidence.RECOVERY}


class _Claims(msgspec.Struct, frozen=True):
    """A CWT's claims (RFC 8392); times None where they are missing."""

    issuer: str
    issued_ns: int | None
    expires_ns: int | None
    payload: dict[Any, Any]


def parse(text: str, signers: Signers) -> Credential:
    """Return what a code claims and proves, `UNRECOGNISED` for anything else. Never raises.

    Linear in the text, of which at most `MAX_TEXT_LENGTH` characters are looked at, and which may
    inflate to `MAX_INFLATED_BYTES`.
    """
    if len(text) > MAX_TEXT_LENGTH or not text.startswith(PREFIX):
        return UNRECOGNISED
    try:
        message = cose.decode(_inflated(base45.decode(_body(text))))
        claims = _claims(message.payload)
    except MalformedError:
        return UNRECOGNISED
    content = dcc_payload.read(claims.payload)
    if content is None:
        return UNRECOGNISED
    uci = normalise(IdentifierKind.CERTIFICATE, content.uci)
    return Credential(
        CredentialKind.DCC,
        (uci,) if uci.value else (),
        content.holder,
        _proof(message, claims, content, signers),
        content.certificate,
    )


def verify(text: str, *, dsc: Sequence[bytes], now: datetime) -> Mapping[str, Any]:
    """Return how a code fares step by step, under certificates that are trusted. Never raises.

    | key | value |
    |---|---|
    | `base45` | text after the prefix, None without it |
    | `compressed`, `cose` | bytes after base45 and zlib, None if refused |
    | `hcert` | the payload, None if the CWT holds none |
    | `signature` | it holds under a certificate of its key id |
    | `time` | `now` lies within `iat` to `exp` and the certificate's validity |
    | `key_usage` | the certificate's extended key usage lists this kind, or is empty |
    | `schema` | `dcc_schema.is_valid` |

    :param dsc: certificates in DER; those that cannot be read count as absent.
    :param now: aware of its time zone.
    """
    result: dict[str, Any] = dict.fromkeys(("base45", "compressed", "cose", "hcert"))
    result |= dict.fromkeys(("signature", "time", "key_usage", "schema"), False)
    try:
        if not text.startswith(PREFIX) or len(text) > MAX_TEXT_LENGTH:
            return result
        result["base45"] = text[len(PREFIX) :]
        result["compressed"] = base45.decode(_body(text))
        result["cose"] = _inflated(result["compressed"])
        message = cose.decode(result["cose"])
        claims = _claims(message.payload)
    except MalformedError:
        return result
    result["hcert"] = claims.payload
    result["schema"] = dcc_schema.is_valid(claims.payload)
    known = [(signer, der) for der in dsc if (signer := _readable(der)) is not None]
    chosen = [pair for pair in known if pair[0].key_id == message.key_id]
    signers = Signers(signer for signer, _ in chosen)
    result["signature"] = any(_holds(message, signer, signers) for signer in signers)
    now_ns = (now - _EPOCH) // timedelta(microseconds=1) * 1000
    result["time"] = any(_is_current(claims, signer, now_ns) for signer, _ in chosen or known)
    result["key_usage"] = any(_lists_use(der, claims.payload) for _, der in chosen or known)
    return result


def withdrawn_as(message: Sign1, uci: str, countries: Sequence[str]) -> tuple[Identifier, ...]:
    """Return the names under which a certificate's revocation is published.

    The first 16 bytes of SHA-256, in hexadecimal, over the UVCI, over country and UVCI, and over
    the signature: of ES256 only its first half, r, because anybody can make another valid s.
    """
    signature = message.signature
    if message.algorithm == cose.ES256:
        signature = signature[: len(signature) // 2]
    names = [Identifier(IdentifierKind.DCC_SIGNATURE, _withdrawn_hash(signature))]
    if uci:
        code = uci.encode("utf-8", "surrogatepass")
        names.append(Identifier(IdentifierKind.DCC_UCI, _withdrawn_hash(code)))
        names += [
            Identifier(
                IdentifierKind.DCC_COUNTRY_UCI,
                _withdrawn_hash(country.encode("utf-8", "surrogatepass") + code),
            )
            for country in dict.fromkeys(filter(None, countries))
        ]
    return tuple(names)


def _withdrawn_hash(data: bytes) -> str:
    return hashlib.sha256(data).digest()[:WITHDRAWN_HASH_BYTES].hex()


def _body(text: str) -> str:
    """Return what follows the prefix, without the line's end that a scanner may have added."""
    return text[len(PREFIX) :].rstrip("\r\n")


def _inflated(data: bytes) -> bytes:
    """Return the one zlib stream that `data` is (RFC 1950), inflated up to the limit.

    :raises MalformedError: if it is none, is incomplete, too large, or followed by anything.
    """
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise MalformedError("not a zlib stream") from error
    if not stream.eof or stream.unused_data:
        raise MalformedError("a zlib stream that is cut off, too large or followed by something")
    return inflated


def _claims(data: bytes) -> _Claims:
    claims = cbor.decode(data)
    health = claims.get(_HEALTH) if isinstance(claims, dict) else None
    payload = health.get(_DCC) if isinstance(health, dict) else None
    if not isinstance(payload, dict):
        raise MalformedError("no EU certificate among the claims")
    issuer = claims.get(_ISSUER)
    return _Claims(
        issuer if isinstance(issuer, str) and len(issuer) <= 80 else "",
        _time_ns(claims.get(_ISSUED)),
        _time_ns(claims.get(_EXPIRES)),
        payload,
    )


def _time_ns(value: object) -> int | None:
    """Return a NumericDate in ns; None where there is none."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _epoch_s(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError("a time of the CWT that is no number")
    if not -_MAX_TIME_S < value < _MAX_TIME_S:
        raise MalformedError("a time of the CWT beyond all calendars")
    return value * _NS if isinstance(value, int) else int(value * _NS)


def _epoch_s(text: str) -> float:
    """Return the seconds of a date-time: some write a NumericDate as CBOR's tag 0 or 1."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise MalformedError("a time of the CWT that is none") from error


def _proof(
    message: Sign1, claims: _Claims, content: dcc_payload.Content, signers: Signers
) -> Proof:
    withdrawn = withdrawn_as(message, content.uci, (content.country, claims.issuer))
    known = [s for s in signers.of(message.key_id) if signers.key_of(s) is not None]
    if not known:
        return Proof(
            Signature.UNKNOWN_ISSUER,
            claims.issuer,
            claims.issued_ns,
            claims.expires_ns,
            withdrawn,
            message.key_id,
        )
    evidence = content.certificate.evidence
    proven = [signer for signer in known if _holds(message, signer, signers)]
    allowed = [signer for signer in proven if signer.may_certify(evidence)]
    if allowed:
        outcome, signer = Signature.VALID, allowed[0]
    elif proven:
        outcome, signer = Signature.WRONG_USE, proven[0]
    else:
        outcome, signer = Signature.INVALID, known[0]
    return Proof(
        outcome,
        signer.country or claims.issuer,
        _latest(claims.issued_ns, signer.not_before_s * _NS),
        _earliest(claims.expires_ns, (signer.not_after_s + 1) * _NS),
        withdrawn,
        message.key_id,
    )


def _holds(message: Sign1, signer: Signer, signers: Signers) -> bool:
    key = signers.key_of(signer)
    return key is not None and cose.verify(message, key)


def _latest(claimed_ns: int | None, certificate_ns: int) -> int:
    return certificate_ns if claimed_ns is None else max(claimed_ns, certificate_ns)


def _earliest(claimed_ns: int | None, certificate_ns: int) -> int:
    return certificate_ns if claimed_ns is None else min(claimed_ns, certificate_ns)


def _readable(der: bytes) -> Signer | None:
    try:
        return signer_of(der)
    except TrustError:
        return None


def _is_current(claims: _Claims, signer: Signer, now_ns: int) -> bool:
    return (
        claims.issued_ns is not None
        and claims.expires_ns is not None
        and claims.issued_ns <= now_ns <= claims.expires_ns
        and signer.not_before_s * _NS <= now_ns < (signer.not_after_s + 1) * _NS
    )


def _lists_use(der: bytes, payload: dict[Any, Any]) -> bool:
    """Return whether the certificate's purposes name the payload's one kind, or none at all."""
    kinds = [evidence for group, evidence in _GROUP_EVIDENCE.items() if group in payload]
    purposes = dcc_certificate.read(der).purposes
    if len(kinds) != 1:
        return False
    return not purposes or any(PURPOSES.get(purpose) == USE_OF[kinds[0]] for purpose in purposes)
