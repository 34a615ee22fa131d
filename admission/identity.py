"""Identifiers, their normal form, and the keyed hash under which the replica knows a person.

The replica holds no document numbers: it holds `PersonKey`s, 64-bit BLAKE2b hashes keyed with a
secret of the region. One person may be known by several identifiers, each with a key of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import NewType

import msgspec

PersonKey = NewType("PersonKey", int)
"""Unsigned 64-bit keyed hash of one identifier."""

HASH_KEY_BYTES = 32


class IdentifierKind(StrEnum):
    """Registers that number people. The value's first letter is hashed with the number."""

    DOCUMENT = "document"
    """CCCD (12 digits), CMND (9 digits) or passport: SoGiayTo of Decision 1405."""
    QID = "qid"
    """The national QR platform's own identifier: QID of Decision 1405."""
    TYPED_CODE = "typed_code"
    """The numeric code sent by SMS, with its Damm digit."""


_DOMAIN = {
    IdentifierKind.DOCUMENT: b"D",
    IdentifierKind.QID: b"Q",
    IdentifierKind.TYPED_CODE: b"T",
}


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One number of one person, in its normal form (see `normalise`)."""

    kind: IdentifierKind
    value: str


def normalise(kind: IdentifierKind, value: str) -> Identifier:
    """Return the identifier with white space and separators dropped and letters in upper case.

    >>> normalise(IdentifierKind.DOCUMENT, " b 123-4567 ").value
    'B1234567'
    """
    kept = "".join(c for c in value.upper() if not c.isspace() and c not in "-.")
    return Identifier(kind, kept)


def person_keyer(hash_key: bytes) -> Callable[[Identifier], PersonKey]:
    """Return the function that hashes identifiers under `hash_key` (16 to 64 bytes).

    BLAKE2b (RFC 7693) with an 8-byte digest read as a little-endian integer, over one domain byte
    and the UTF-8 value. The keyed state is built once and copied: half the cost.

    :raises ValueError: if the key's length is not 16 to 64 bytes.
    """
    if not 16 <= len(hash_key) <= 64:
        msg = f"a hash key has 16 to 64 bytes, not {len(hash_key)}"
        raise ValueError(msg)
    keyed = hashlib.blake2b(digest_size=8, key=hash_key)

    def key_of(identifier: Identifier) -> PersonKey:
        state = keyed.copy()
        state.update(_DOMAIN[identifier.kind] + identifier.value.encode("utf-8", "surrogatepass"))
        return PersonKey(int.from_bytes(state.digest(), "little"))

    return key_of
