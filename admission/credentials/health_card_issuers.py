"""Trusted issuers of SMART Health Cards: their keys, as the hub publishes and the gate holds them.

A `trust_document` of the format `chot-health-card-issuers/1`, each entry a map
`{"iss", "kid", "x", "y"}` with `x`, `y` the 32-byte coordinates of a P-256 point, and `crl`, the
version of the issuer's revocation list for that key, where it has one. An issuer is trusted under
its exact URL: a key never vouches for another issuer's cards.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from admission.credentials import base64url
from admission.credentials.trust_document import DocumentForm
from admission.errors import MalformedError, TrustError

MAX_KEYS = 20_000
FORM = DocumentForm("chot-health-card-issuers/1", "health-card keys", 4 << 20, MAX_KEYS)
MAX_JWKS_BYTES = 256 * 1024
MAX_URL_LENGTH = 512
COORDINATE_BYTES = 32

_URL = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*")


class IssuerKey(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One key of one issuer. `kid` is the key's JWK thumbprint (RFC 7638)."""

    iss: str
    kid: str
    x: bytes
    y: bytes
    crl: int | None = None


class Issuers:
    """The keys of a document. A key is made of its coordinates when it is first wanted.

    `refused` names, each with the reason, the entries that are not trusted: those that the document
    got wrong, and those whose point turned out not to lie on the curve.
    """

    def __init__(self, keys: Iterable[IssuerKey], refused: Iterable[str] = ()) -> None:
        self.refused = list(refused)
        self._keys: dict[tuple[str, str], IssuerKey] = {}
        self._made: dict[tuple[str, str], ec.EllipticCurvePublicKey | None] = {}
        for key in keys:
            self._keys.setdefault((key.iss, key.kid), key)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: tuple[str, str]) -> bool:
        return name in self._keys

    def public_key(self, iss: str, kid: str) -> ec.EllipticCurvePublicKey | None:
        """Return the key of that issuer and thumbprint, or None. Never raises."""
        name = (iss, kid)
        if name not in self._keys:
            return None
        if name not in self._made:
            self._made[name] = self._make(self._keys[name])
        return self._made[name]

    def _make(self, key: IssuerKey) -> ec.EllipticCurvePublicKey | None:
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(
                ec.SECP256R1(), b"\x04" + key.x + key.y
            )
        except ValueError:
            self.refused.append(f"{key.iss} {key.kid}: the point is not on the curve P-256")
            return None


class KeySet(msgspec.Struct, frozen=True):
    """What a JWK set holds: usable keys, and for each other one the reason why it is not."""

    keys: tuple[IssuerKey, ...]
    refused: tuple[str, ...]


def read_issuers(data: bytes) -> Issuers:
    """Return the issuers of a document. An entry that is wrong is left out and named in `refused`.

    :raises TrustError: if the document is unusable as a whole: too large, no msgpack, of another
        format, or with over `MAX_KEYS` entries.
    """
    keys: list[IssuerKey] = []
    refused: list[str] = []
    for i, entry in enumerate(FORM.read(data)):
        try:
            keys.append(_checked(msgspec.convert(entry, IssuerKey)))
        except (msgspec.ValidationError, MalformedError) as error:
            refused.append(f"entry {i}: {error}")
    return Issuers(keys, refused)


def write_issuers(keys: Iterable[IssuerKey]) -> bytes:
    """Return the document of these keys: the same bytes for the same keys in any order."""
    return FORM.write(sorted(set(keys), key=lambda key: (key.iss, key.kid)))


def issuers_from_jwks(iss: str, jwks: bytes) -> KeySet:
    """Return the keys of an issuer's `<iss>/.well-known/jwks.json`.

    What the specification asks of a key (Determining keys associated with an issuer) is checked,
    and that its point lies on the curve.

    :raises TrustError: if `iss` is no issuer's URL, or the file is no JWK set.
    """
    if not is_issuer_url(iss):
        msg = f"{iss[:MAX_URL_LENGTH]!r} is not an issuer's URL"
        raise TrustError(msg, hint="it begins with https:// and has no / at its end")
    if len(jwks) > MAX_JWKS_BYTES:
        msg = f"a JWK set of {len(jwks)} bytes is over the limit of {MAX_JWKS_BYTES}"
        raise TrustError(msg)
    try:
        entries = msgspec.json.decode(jwks, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"not a JWK set: {error}"
        raise TrustError(msg, hint='it is JSON: {"keys": [...]}') from error
    if not isinstance(entries, list) or not 0 < len(entries) <= 256:
        raise TrustError("not a JWK set", hint='it is JSON: {"keys": [...]}, with 1 to 256 keys')
    keys: list[IssuerKey] = []
    refused: list[str] = []
    for i, entry in enumerate(entries):
        try:
            keys.append(_key_of_jwk(iss, entry))
        except MalformedError as error:
            refused.append(f"key {i}: {error}")
    return KeySet(tuple(keys), tuple(refused))


def is_issuer_url(text: str) -> bool:
    """Return whether an `iss` is an https URL without a slash at its end, a query or a fragment.

    >>> is_issuer_url("https://example.org/issuer"), is_issuer_url("https://example.org/")
    (True, False)
    """
    return len(text) <= MAX_URL_LENGTH and _URL.fullmatch(text) is not None


def thumbprint(x: bytes, y: bytes) -> str:
    """Return the JWK thumbprint (RFC 7638, SHA-256, base64url) of a P-256 key."""
    members = (
        f'{{"crv":"P-256","kty":"EC","x":"{base64url.encode(x)}","y":"{base64url.encode(y)}"}}'
    )
    return base64url.encode(hashlib.sha256(members.encode("ascii")).digest())


class _Jwk(msgspec.Struct, frozen=True, rename={"crl_version": "crlVersion"}):
    kty: Literal["EC"]
    use: Literal["sig"]
    alg: Literal["ES256"]
    crv: Literal["P-256"]
    kid: str
    x: str
    y: str
    d: Any = msgspec.UNSET
    crl_version: int | None = None


def _key_of_jwk(iss: str, entry: Any) -> IssuerKey:
    try:
        jwk = msgspec.convert(entry, _Jwk)
    except msgspec.ValidationError as error:
        raise MalformedError(str(error)) from error
    if jwk.d is not msgspec.UNSET:
        raise MalformedError("the private key is published with it")
    x, y = base64url.decode(jwk.x), base64url.decode(jwk.y)
    key = _checked(IssuerKey(iss, jwk.kid, x, y, jwk.crl_version))
    trial = Issuers([key])
    if trial.public_key(iss, jwk.kid) is None:
        raise MalformedError("the point is not on the curve P-256")
    return key


def _checked(key: IssuerKey) -> IssuerKey:
    if not is_issuer_url(key.iss):
        raise MalformedError("its issuer is not an https URL without a / at its end")
    if {len(key.x), len(key.y)} != {COORDINATE_BYTES}:
        msg = f"its coordinates have not {COORDINATE_BYTES} bytes"
        raise MalformedError(msg)
    if key.kid != thumbprint(key.x, key.y):
        raise MalformedError("its kid is not the thumbprint of the key (RFC 7638)")
    return key
