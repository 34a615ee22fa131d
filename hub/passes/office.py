"""The issuing office: applications become passes, and passes that are to be printed are read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import Signature
from admission.credentials.chot_pass import parse, read_unverified, sign_pass
from admission.credentials.pass_content import NUMBER_BYTES, PassClaims
from admission.credentials.pass_issuers import PassIssuers
from admission.errors import MalformedError
from admission.identity import person_keyer
from cache.replica.keys import load_hash_key
from hub.clock import HubClock
from hub.errors import PassError
from hub.passes.application import Keyer, claims_for
from hub.passes.key_files import load_issuing_key

_REFUSALS = {
    Signature.UNKNOWN_ISSUER: "signed by nobody on the list of issuers",
    Signature.INVALID: "the signature does not hold: altered or forged",
    Signature.WRONG_USE: "signed with a key that may not sign this kind of pass",
}


class IssuedPass(msgspec.Struct, frozen=True):
    """One pass: its text, and what it says."""

    text: str
    claims: PassClaims


class Office:
    """Signs passes with one key. `now_s` is the moment of issue, seconds since the Unix epoch."""

    def __init__(
        self,
        key: Ed25519PrivateKey,
        *,
        now_s: int,
        random_bytes: Callable[[int], bytes],
        keyer: Keyer | None = None,
    ) -> None:
        self._key = key
        self._now_s = now_s
        self._random_bytes = random_bytes
        self._keyer = keyer

    def issue(self, application: Mapping[str, str]) -> IssuedPass:
        """Return the pass that is asked for (fields: `application`), under a new number.

        :raises PassError: if a field cannot be read.
        :raises admission.errors.IssueError: if the fields together make no pass, or too long a one.
        """
        claims = claims_for(
            application,
            number=self._random_bytes(NUMBER_BYTES),
            issued_s=self._now_s,
            keyer=self._keyer,
        )
        text = sign_pass(claims, self._key)
        return IssuedPass(text, read_unverified(text))


def open_office(key_file: Path, hash_key_file: Path | None) -> Office:
    """Return the office of an issuing key, at this moment.

    :param hash_key_file: the region's hash key, needed where documents are named.
    :raises ChotError: if one of the files cannot be used.
    """
    keyer = person_keyer(load_hash_key(hash_key_file)) if hash_key_file else None
    now_s = HubClock().now().wall_ns // 1_000_000_000
    key = load_issuing_key(key_file)
    return Office(key, now_s=now_s, random_bytes=secrets.token_bytes, keyer=keyer)


def pass_in(text: str, issuers: PassIssuers | None = None) -> IssuedPass:
    """Return the pass that a text is.

    :param issuers: who may have signed it; None takes what it says for granted.
    :raises PassError: if it is no pass, or none of these issuers'.
    """
    text = text.strip()
    try:
        claims = read_unverified(text)
    except MalformedError as error:
        msg = f"no pass: {error}"
        raise PassError(msg, hint="a pass begins with CHOT1: and is in capital letters") from error
    if issuers is not None:
        proof = parse(text, issuers).proof
        if proof is None or proof.signature is not Signature.VALID:
            raise PassError("no pass" if proof is None else _REFUSALS[proof.signature])
    return IssuedPass(text, claims)
