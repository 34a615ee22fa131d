"""The issuing office: applications become passes, and passes that are to be printed are read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import PassKind, Signature
from admission.credentials.chot_pass import parse, read_unverified, sign_pass
from admission.credentials.pass_content import NUMBER_BYTES, PassClaims
from admission.credentials.pass_issuers import PassIssuer, PassIssuers
from admission.errors import MalformedError
from admission.identity import person_keyer
from cache.replica.keys import load_hash_key
from hub.clock import HubClock
from hub.errors import PassError
from hub.passes.application import Keyer, claims_for
from hub.passes.key_files import issuers_file, listed_issuer, load_issuing_key

_REFUSALS = {
    Signature.UNKNOWN_ISSUER: "signed by nobody on the list of issuers",
    Signature.INVALID: "the signature does not hold: altered or forged",
    Signature.WRONG_USE: "signed with a key that may not sign this kind of pass",
}


class IssuedPass(msgspec.Struct, frozen=True):
    """One pass: its text, what it says, and the office that signed it, empty if not known."""

    text: str
    claims: PassClaims
    issuer: str = ""


class Office:
    """Signs passes with one key. `now_s` is the moment of issue, seconds since the Unix epoch.

    `issuer` is the key's entry in a list of issuers; None where there is none to judge by.
    """

    def __init__(
        self,
        key: Ed25519PrivateKey,
        *,
        now_s: int,
        random_bytes: Callable[[int], bytes],
        keyer: Keyer | None = None,
        issuer: PassIssuer | None = None,
    ) -> None:
        self.issuer = issuer
        self._key = key
        self._now_s = now_s
        self._random_bytes = random_bytes
        self._keyer = keyer

    def issue(self, application: Mapping[str, str]) -> IssuedPass:
        """Return the pass that is asked for (fields: `application`), under a new number.

        :raises PassError: if a field cannot be read, or the key may not sign passes of this kind.
        :raises admission.errors.IssueError: if the fields together make no pass, or too long a one.
        """
        claims = claims_for(
            application,
            number=self._random_bytes(NUMBER_BYTES),
            issued_s=self._now_s,
            keyer=self._keyer,
        )
        self._require_allowed(claims.granted.kind)
        text = sign_pass(claims, self._key)
        return IssuedPass(text, read_unverified(text), self.issuer.name if self.issuer else "")

    def _require_allowed(self, kind: PassKind) -> None:
        if self.issuer is not None and kind not in self.issuer.kinds:
            may = ", ".join(sorted(self.issuer.kinds))
            msg = f"this key may not sign a pass of the kind {kind}: gates would refuse it"
            hint = f"it signs: {may}; `chot pass key --kind {kind}` makes a key for others"
            raise PassError(msg, hint=hint)


def open_office(key_file: Path, hash_key_file: Path | None) -> Office:
    """Return the office of an issuing key, at this moment.

    :param hash_key_file: the region's hash key, needed where documents are named.
    :raises ChotError: if one of the files cannot be used.
    """
    keyer = person_keyer(load_hash_key(hash_key_file)) if hash_key_file else None
    now_s = HubClock().now().wall_ns // 1_000_000_000
    key = load_issuing_key(key_file)
    issuer = listed_issuer(key_file, key)
    return Office(key, now_s=now_s, random_bytes=secrets.token_bytes, keyer=keyer, issuer=issuer)


def warning_of(office: Office, key_file: Path) -> str:
    """Return what the office cannot check of its passes, empty if it can check all."""
    if office.issuer is not None:
        return ""
    return (
        f"{issuers_file(key_file)} does not name this key:"
        " whether gates take passes of these kinds from it is not checked"
    )


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
    issuer = ""
    if issuers is not None:
        proof = parse(text, issuers).proof
        if proof is None or proof.signature is not Signature.VALID:
            raise PassError("no pass" if proof is None else _REFUSALS[proof.signature])
        issuer = proof.issuer
    return IssuedPass(text, claims, issuer)
