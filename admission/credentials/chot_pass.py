"""Chốt's own pass: a signed code for printed cards, permits, visitors and officers, read offline.

    CHOT1: + base45 (RFC 9285) of a COSE_Sign1 (RFC 9052), untagged, of a CWT (RFC 8392)

    84                             array of four
       4d a2 01 27 04 48 <8 bytes>    protected header: alg EdDSA (-8), kid
       a0                             unprotected header: empty
       58 <n> <n bytes>               payload: `pass_claims`
       58 40 <64 bytes>               Ed25519 signature (RFC 8032)

`docs/pass.md` goes through it byte by byte. There is one form of each message: what is not exactly
so is refused before anything of it is believed. The text is at most 311 characters, which a QR code
of version 10 holds at level M.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Proof, Signature
from admission.credentials import base45, cbor, cose, pass_claims
from admission.credentials.pass_content import PassClaims
from admission.credentials.pass_issuers import KEY_ID_BYTES, PassIssuers, key_id
from admission.errors import IssueError, MalformedError
from admission.identity import Identifier, IdentifierKind

PREFIX = "CHOT1:"
MAX_TEXT_LENGTH = 311
"""Characters that a QR code of version 10 holds at level M in alphanumeric mode (ISO/IEC 18004)."""
MAX_MESSAGE_BYTES = (MAX_TEXT_LENGTH - len(PREFIX)) * 2 // 3
"""Bytes of the longest message: two of them make three characters."""

_NS = 1_000_000_000
_TAG = b"\xd2"
_ENCODED_HEADER = b"\xa2\x01\x27\x04\x48"
_SHORTER = (
    "write the name without diacritics, or leave it or the birth date out; "
    "name fewer sites, districts or hours"
)


def parse(text: str, issuers: PassIssuers) -> Credential:
    """Return what the pass claims and proves, or `UNRECOGNISED`. Never raises, linear in the text.

    Only a pass that holds under a key which may sign its kind is granted anything: with any other
    proof `granted` and `holder` are None. `identifiers` is empty, `granted.subject` leads to the
    record.
    """
    try:
        message = _message(text)
    except MalformedError:
        return UNRECOGNISED
    issuer = issuers.issuers.get(message.key_id)
    if issuer is None:
        return _unproven(Signature.UNKNOWN_ISSUER, message)
    if not cose.verify(message, issuer.key):
        return _unproven(Signature.INVALID, message, issuer.name)
    try:
        claims = pass_claims.decode(message.payload)
    except MalformedError:
        return UNRECOGNISED
    if claims.granted.kind not in issuer.kinds:
        return _unproven(Signature.WRONG_USE, message, issuer.name)
    return Credential(
        CredentialKind.CHOT_PASS,
        holder=claims.holder,
        proof=Proof(
            Signature.VALID,
            issuer.name,
            claims.from_s * _NS,
            claims.expires_s * _NS,
            (Identifier(IdentifierKind.PASS_NUMBER, claims.granted.number.hex()),),
            message.key_id,
        ),
        granted=claims.granted,
    )


def read_unverified(text: str) -> PassClaims:
    """Return what a pass says, for printing it. Proves nothing: `parse` is the gate's.

    :raises MalformedError: if it is no pass.
    """
    return pass_claims.decode(_message(text).payload)


def sign_pass(claims: PassClaims, key: Ed25519PrivateKey) -> str:
    """Return the text of a pass. The same claims under the same key give the same text.

    :raises IssueError: if the claims make no pass that would read back, or one that is too long for
        its code; the hint says what to shorten.
    """
    payload = pass_claims.encode(claims)
    message = cose.sign(payload, key, key_id=key_id(key.public_key())).removeprefix(_TAG)
    over = len(message) - MAX_MESSAGE_BYTES
    if over > 0:
        msg = f"the pass is {over} byte{'s' * (over > 1)} too long for a QR code of version 10"
        raise IssueError(msg, hint=_SHORTER)
    return PREFIX + base45.encode(message)


def _unproven(signature: Signature, message: cose.Sign1, issuer: str = "") -> Credential:
    proof = Proof(signature, issuer, key_id=message.key_id)
    return Credential(CredentialKind.CHOT_PASS, proof=proof)


def _message(text: str) -> cose.Sign1:
    """Return the signed message in its one form, nothing verified.

    White space behind the text is what a reader ends it with: base45 never ends in a space.

    :raises MalformedError: if it is in any other.
    """
    text = text.rstrip()
    if len(text) > MAX_TEXT_LENGTH or not text.startswith(PREFIX):
        raise MalformedError("not the text of a pass")
    data = base45.decode(text[len(PREFIX) :])
    message = cose.decode(data)
    well_formed = (
        len(message.key_id) == KEY_ID_BYTES
        and message.protected == _ENCODED_HEADER + message.key_id
        and cbor.rewritten([message.protected, {}, message.payload, message.signature]) == data
    )
    if not well_formed:
        raise MalformedError("not in the one form of a pass")
    return message
