"""Whose Chốt passes are trusted here: the document of issuers, and the keys read from it.

A `trust_document` of the format `chot-pass-issuers/1`, at most 256 KiB, each entry a map:

    {"kid": bin 8, "key": bin 32, "name": str, "kinds": [str, ...]}

`key` is a raw Ed25519 public key (RFC 8032), `kid` the first 8 bytes of its SHA-256, `kinds` the
values of `PassKind` that it may sign. The document is as trusted as the way on which it came: it is
a target of the release, or a file that somebody put there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.credential import PassKind
from admission.credentials import fields
from admission.credentials.trust_document import DocumentForm
from admission.errors import MalformedError

KEY_BYTES = 32
KEY_ID_BYTES = 8
MAX_ISSUERS = 1_024
FORM = DocumentForm("chot-pass-issuers/1", "pass issuers", 256 * 1024, MAX_ISSUERS)
MAX_NAME_LENGTH = 64

_MEMBERS = frozenset({"kid", "key", "name", "kinds"})


class PassIssuer(msgspec.Struct, frozen=True):
    """One key that signs passes, whose it is, and the kinds it may sign."""

    key: Ed25519PublicKey
    name: str
    kinds: frozenset[PassKind]


class Refused(msgspec.Struct, frozen=True):
    """One entry that was left out: its place in the list, from 0, and why."""

    index: int
    reason: str


class PassIssuers(msgspec.Struct, frozen=True):
    """The trusted issuers by key id. An entry that could not be used is in `refused`."""

    issuers: dict[bytes, PassIssuer] = {}
    refused: tuple[Refused, ...] = ()


def key_id(key: Ed25519PublicKey) -> bytes:
    """Return the 8 bytes that name a public key: the first of the SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def read_issuers(data: bytes) -> PassIssuers:
    """Return the issuers of a document. One bad entry does not take the others with it.

    :raises TrustError: if the document as a whole cannot be used: oversized, malformed, of another
        version, or with more than `MAX_ISSUERS` entries.
    """
    issuers: dict[bytes, PassIssuer] = {}
    refused = []
    for index, entry in enumerate(FORM.read(data)):
        try:
            kid, issuer = _issuer(entry)
        except MalformedError as error:
            refused.append(Refused(index, str(error)))
            continue
        if kid in issuers:
            refused.append(Refused(index, "the same key twice"))
        else:
            issuers[kid] = issuer
    return PassIssuers(issuers, tuple(refused))


def pack_issuers(issuers: Iterable[PassIssuer]) -> bytes:
    """Return the document of these issuers. `read_issuers` gives them back."""
    return FORM.write(
        [
            {
                "kid": key_id(issuer.key),
                "key": issuer.key.public_bytes_raw(),
                "name": issuer.name,
                "kinds": sorted(kind.value for kind in issuer.kinds),
            }
            for issuer in issuers
        ]
    )


def _issuer(entry: Any) -> tuple[bytes, PassIssuer]:
    if not isinstance(entry, dict) or entry.keys() != _MEMBERS:
        raise MalformedError("an entry has kid, key, name and kinds")
    kid, raw, name, kinds = entry["kid"], entry["key"], entry["name"], entry["kinds"]
    if not isinstance(raw, bytes) or len(raw) != KEY_BYTES:
        raise MalformedError("a key has 32 bytes")
    key = Ed25519PublicKey.from_public_bytes(raw)
    if kid != key_id(key):
        raise MalformedError("the key id is not that of the key")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH:
        raise MalformedError("an issuer has a name")
    if not fields.is_clean(name):
        raise MalformedError("the issuer's name cannot be printed")
    if not isinstance(kinds, list) or not kinds:
        raise MalformedError("an issuer signs at least one kind")
    try:
        return kid, PassIssuer(key, name, frozenset(PassKind(kind) for kind in kinds))
    except (ValueError, TypeError) as error:
        raise MalformedError("a kind of pass that is not known here") from error
