"""Identifiers, their normal form, and the keyed hash under which the replica knows a person.

The replica holds no document numbers: it holds `PersonKey`s, 64-bit BLAKE2b hashes keyed with a
secret of the region. One person may be known by several identifiers, each with a key of its own.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from typing import Literal, NewType, cast

import msgspec

PersonKey = NewType("PersonKey", int)
"""Unsigned 64-bit keyed hash of one identifier."""

HASH_KEY_BYTES = 32
IDENTITY_DIGEST_BITS = 16
MAX_PERMITS = 8
"""Permits on record of one person at a time."""
_KEY_MASK = (1 << 64) - 1
_SLOT_STEPS = tuple(slot * 0x9E37_79B9_7F4A_7C15 for slot in range(MAX_PERMITS))


class IdentifierKind(StrEnum):
    """Registers that number people and credentials. A letter of each is hashed with the number."""

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

    DOCUMENT = "document"
    """CCCD (12 digits), CMND (9 digits) or passport: SoGiayTo of Decision 1405."""
    QID = "qid"
    """The national QR platform's own identifier: QID of Decision 1405."""
    TYPED_CODE = "typed_code"
    """The numeric code sent by SMS, with its Damm digit."""
    INSURANCE = "insurance"
    """Health-insurance number (BHYT)."""
    BACKUP_NUMBER = "backup_number"
    """The number printed on paper, with its Damm digit."""
    WALLET_OBJECT = "wallet_object"
    """The object id of a wallet's rotating code."""
    CERTIFICATE = "certificate"
    """The identifier of a health certificate (UVCI of a DCC or VDS-NC)."""
    PASS_NUMBER = "pass_number"  # noqa: S105 - the name of a register
    """The number (`cti`, hex) of a Chốt pass."""
    DCC_UCI = "dcc_uci"
    """EU revocation: first 16 bytes of SHA-256 over a DCC's UVCI, hex."""
    DCC_COUNTRY_UCI = "dcc_country_uci"
    """EU revocation: the same over country and UVCI, hex."""
    DCC_SIGNATURE = "dcc_signature"
    """EU revocation: the same over the COSE signature (ES256: r only), hex."""
    HEALTH_CARD_RID = "health_card_rid"
    """A SMART Health Card's `kid` and `rid`, as `kid/rid`."""
    FOREIGN = "foreign"
    """A number of an integrator's own register, `<format>/<number>`."""


_DROPPED = {code: None for code in range(128) if chr(code).isspace() or chr(code) in "-."}
_INSURANCE_CARD = re.compile(r"[A-Z]{2}[0-9]{13}", re.ASCII)

_DOMAIN = {
    IdentifierKind.DOCUMENT: b"D",
    IdentifierKind.QID: b"Q",
    IdentifierKind.TYPED_CODE: b"T",
    IdentifierKind.INSURANCE: b"I",
    IdentifierKind.BACKUP_NUMBER: b"B",
    IdentifierKind.WALLET_OBJECT: b"W",
    IdentifierKind.CERTIFICATE: b"C",
    IdentifierKind.PASS_NUMBER: b"P",
    IdentifierKind.DCC_UCI: b"u",
    IdentifierKind.DCC_COUNTRY_UCI: b"c",
    IdentifierKind.DCC_SIGNATURE: b"s",
    IdentifierKind.HEALTH_CARD_RID: b"r",
    IdentifierKind.FOREIGN: b"F",
}


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One number of one person, in its normal form (see `normalise`)."""

    kind: IdentifierKind
    value: str


def normalise(kind: IdentifierKind, value: str) -> Identifier:
    """Return the identifier with white space and separators dropped and letters in upper case.

    An insurance card's fifteen characters become the ten digits that stay with the person
    (Decision 1351/QĐ-BHXH of 2015: group, benefit, province, social insurance number), which is
    what cards of since April 2021 show (Decision 1666/QĐ-BHXH of 2020).

    >>> normalise(IdentifierKind.DOCUMENT, " b 123-4567 ").value
    'B1234567'
    >>> normalise(IdentifierKind.INSURANCE, "DN 4 79 0123456789").value
    '0123456789'
    """
    kept = value.upper()
    if kept.isascii():
        if not kept.isalnum():  # most have nothing to drop
            kept = kept.translate(_DROPPED)
    else:
        kept = "".join(c for c in kept if not c.isspace() and c not in "-.")
    if kind is IdentifierKind.INSURANCE and _INSURANCE_CARD.fullmatch(kept):
        kept = kept[5:]
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
    keyed = {
        kind: hashlib.blake2b(domain, digest_size=8, key=hash_key).copy
        for kind, domain in _DOMAIN.items()
    }
    # A call of the type would be felt: this runs for every number that is shown.
    person_key = cast("Callable[[bytes, Literal['little']], PersonKey]", int.from_bytes)

    def key_of(identifier: Identifier) -> PersonKey:
        state = keyed[identifier.kind]()
        try:
            value = identifier.value.encode()
        except UnicodeEncodeError:
            value = identifier.value.encode("utf-8", "surrogatepass")
        state.update(value)
        return person_key(state.digest(), "little")

    return key_of


def hashed(identifier: Identifier) -> bytes:
    """Return what is hashed of an identifier: one byte for its register, and its value.

    >>> hashed(Identifier(IdentifierKind.QID, "9"))
    b'Q9'
    """
    return domain_of(identifier.kind) + identifier.value.encode("utf-8", "surrogatepass")


def domain_of(kind: IdentifierKind) -> bytes:
    """Return the byte for a register that is hashed before a value."""
    return _DOMAIN[kind]


def bulk_keyer(hash_key: bytes) -> Callable[[Iterable[bytes]], bytes]:
    """Return the function that hashes many identifiers, given as `hashed` makes them.

    It returns their keys one after the other, 8 bytes little-endian each: those of `person_keyer`.

    :raises ValueError: as `person_keyer`.
    """
    person_keyer(hash_key)
    copy = hashlib.blake2b(digest_size=8, key=hash_key).copy

    def keys_of(identifiers: Iterable[bytes]) -> bytes:
        digests: list[bytes] = []
        append = digests.append
        for one in identifiers:
            state = copy()
            state.update(one)
            append(state.digest())
        return b"".join(digests)

    return keys_of


def permit_keys(key: PersonKey) -> tuple[PersonKey, ...]:
    """Return the keys of the rows that hold one person's permits, of slot 0 first.

    Slots are filled without gaps, and only up to `MAX_PERMITS`: the first that is empty ends them.
    Slot 0 has the person's own key; each further one the key before plus `9e3779b97f4a7c15` (hex),
    modulo 2⁶⁴. The person's key is a keyed hash: moved by a constant it is as hard to guess, and
    meets another person's by chance only.

    >>> [f"{key:x}" for key in permit_keys(PersonKey(1))[:3]]
    ['1', '9e3779b97f4a7c16', '3c6ef372fe94f82b']
    """
    return tuple([permit_key(key, slot) for slot in range(MAX_PERMITS)])


def permit_key(key: PersonKey, slot: int) -> PersonKey:
    """Return the key of one slot, 0 to `MAX_PERMITS` - 1, as `permit_keys` lists them."""
    return PersonKey(key + _SLOT_STEPS[slot] & _KEY_MASK)


def identity_digester(hash_key: bytes) -> Callable[[str, date], int]:
    """Return the function that digests a holder's name and birth date to 1 to 2¹⁶ - 1.

    BLAKE2b (RFC 7693) keyed with `hash_key`, personalised `chot identity`, over the name without
    diacritics, in upper case and single spaces, a line feed, and `YYYY-MM-DD`; two bytes of it,
    little-endian, and 1 in place of 0, which means not on record. Another person's data agree
    with a probability of 1 in 65,535: enough to catch mistakes, too little to find out a name.

    :raises ValueError: if the key's length is not 16 to 64 bytes.

    >>> digest = identity_digester(bytes(32))
    >>> digest("Đặng Thị  Ánh", date(1987, 1, 18)) == digest("DANG THI ANH", date(1987, 1, 18))
    True
    """
    if not 16 <= len(hash_key) <= 64:
        msg = f"a hash key has 16 to 64 bytes, not {len(hash_key)}"
        raise ValueError(msg)
    keyed = hashlib.blake2b(digest_size=2, key=hash_key, person=b"chot identity")

    def digest(name: str, born: date) -> int:
        state = keyed.copy()
        text = f"{without_diacritics(name)}\n{born.isoformat()}"
        state.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "little") or 1

    return digest


def without_diacritics(name: str) -> str:
    """Return `name` as the national platform writes it: upper case, no diacritics, single spaces.

    >>> without_diacritics("Đặng  Thị Ngọc Ánh")
    'DANG THI NGOC ANH'
    """
    if not name.isascii():
        decomposed = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
        name = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(name.upper().split())
