"""The seal on what an entry says of a person: only the hub's private key opens it.

A session agrees on one key by X25519 (RFC 7748) between a key pair that exists for this session
alone and the hub's public key; HKDF-SHA256 (RFC 5869) derives the key, ChaCha20-Poly1305
(RFC 8439) seals with it. The session's private key never leaves the memory of the process that made
it: whoever takes the gate away finds public keys only.

A nonce is a counter of the session, not the entry's sequence: a write that failed gives its
sequence to another entry, and a nonce must never be used for two.
"""

from __future__ import annotations

import hashlib
import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from admission.errors import SealError

KEY_ID_BYTES = 8
PUBLIC_KEY_BYTES = 32
COUNTER_BYTES = 3
MAX_SEALS = 1 << 8 * COUNTER_BYTES
"""How many entries one session seals at most."""
MAX_PERSONAL_BYTES = 128
_TAG_BYTES = 16
_NONCE_REST = bytes(12 - COUNTER_BYTES)
_INFO = b"chot journal seal 1\x00"
_PERSON, _OFFICER = 1, 2
_U64 = struct.Struct("<Q")
_SCAN = struct.Struct("<BQ")


class Personal(msgspec.Struct, frozen=True, gc=False):
    """What an entry says of people, and nobody but the hub reads.

    `person` is the `PersonKey` that was looked up, `code_digest` tells a code from others,
    `officer` is the number of the account of whoever acted.
    """

    person: int | None
    code_digest: bytes
    officer: int | None = None

    def __repr__(self) -> str:
        return "Personal(...)"


class SealSession(msgspec.Struct, frozen=True, gc=False):
    """What it takes, besides a private key, to open the seals of a session.

    `recipient` is the `key_id` of the hub's public key, `ephemeral` the session's public key.
    """

    recipient: bytes
    ephemeral: bytes


class Sealer:
    """One session of one journal. For one thread.

    :param recipient: the hub's public key.
    :param ephemeral_private: 32 random bytes that are used for nothing else, ever.
    :param journal: the journal's 16-byte id.
    :raises SealError: if the public key is none that a key can be agreed on with.
    """

    def __init__(
        self, recipient: X25519PublicKey, ephemeral_private: bytes, journal: bytes
    ) -> None:
        private = X25519PrivateKey.from_private_bytes(ephemeral_private)
        self.session = SealSession(key_id(recipient), raw_public(private.public_key()))
        self._box = _box(private, recipient, self.session, journal)
        self._used = 0

    @property
    def spent(self) -> bool:
        """Whether the session has sealed as much as it may."""
        return self._used >= MAX_SEALS

    def seal(self, personal: bytes, public: bytes) -> bytes:
        """Return the seal over `personal`, which opens only beside the same `public` bytes.

        :raises SealError: if the session is `spent`, or `personal` is over `MAX_PERSONAL_BYTES`:
            what nobody would open again is not sealed.
        """
        if len(personal) > MAX_PERSONAL_BYTES:
            raise SealError("more personal data than a seal holds")
        if self._used >= MAX_SEALS:
            raise SealError("the session has sealed all that it may")
        counter = self._used.to_bytes(COUNTER_BYTES, "little")
        self._used += 1
        return counter + self._box.encrypt(counter + _NONCE_REST, personal, public)


class Opener:
    """Opens seals with one private key of the hub."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        self.key_id = key_id(self._public)

    def begin(self, session: SealSession, journal: bytes) -> OpenedSession:
        """Return what opens the seals of one session of one journal.

        :raises SealError: if the session is sealed for another key, or is none.
        """
        if session.recipient != self.key_id:
            raise SealError("the session is sealed for another key")
        try:
            ephemeral = X25519PublicKey.from_public_bytes(session.ephemeral)
        except ValueError as error:
            raise SealError("the session's public key is none") from error
        return OpenedSession(_box(self._private, ephemeral, session, journal))


class OpenedSession:
    """Opens the seals of one session."""

    def __init__(self, box: ChaCha20Poly1305) -> None:
        self._box = box

    def open(self, seal: bytes, public: bytes) -> bytes:
        """Return what was sealed beside `public`.

        :raises SealError: if the seal or what stands beside it was altered, or is of another
            session.
        """
        counter, sealed = seal[:COUNTER_BYTES], seal[COUNTER_BYTES:]
        if len(sealed) < _TAG_BYTES or len(sealed) > MAX_PERSONAL_BYTES + _TAG_BYTES:
            raise SealError("the seal is cut short or too long")
        try:
            return self._box.decrypt(counter + _NONCE_REST, sealed, public)
        except InvalidTag as error:
            raise SealError("the seal was altered, or is of another session") from error


def pack_personal(personal: Personal) -> bytes:
    """Return the bytes to be sealed.

    One byte of flags, what they announce (u64, little-endian), then the code's digest.
    """
    person, officer = personal.person, personal.officer
    if person is not None and officer is None:  # a scan, of which there are many
        return _SCAN.pack(_PERSON, person) + personal.code_digest
    flags = (person is not None) * _PERSON | (officer is not None) * _OFFICER
    data = bytes((flags,))
    if person is not None:
        data += _U64.pack(person)
    if officer is not None:
        data += _U64.pack(officer)
    return data + personal.code_digest


def unpack_personal(data: bytes) -> Personal:
    """Return what was sealed.

    :raises SealError: if these are no such bytes.
    """
    if not data or data[0] & ~(_PERSON | _OFFICER):
        raise SealError("what was sealed is of an unknown form")
    fields = [bool(data[0] & _PERSON), bool(data[0] & _OFFICER)]
    if len(data) < 1 + _U64.size * sum(fields):
        raise SealError("what was sealed is cut short")
    values: list[int | None] = []
    place = 1
    for there in fields:
        values.append(_U64.unpack_from(data, place)[0] if there else None)
        place += _U64.size * there
    return Personal(values[0], data[place:], values[1])


def person_in(data: bytes) -> int | None:
    """Return the person alone of what was sealed: what `unpack_personal` says.

    :raises SealError: if these are no such bytes.
    """
    if len(data) > _U64.size and data[0] == _PERSON:
        person: int = _U64.unpack_from(data, 1)[0]
        return person
    return unpack_personal(data).person


def key_id(public: X25519PublicKey) -> bytes:
    """Return the `KEY_ID_BYTES` by which a public key is named: of its SHA-256."""
    return hashlib.sha256(raw_public(public)).digest()[:KEY_ID_BYTES]


def raw_public(public: X25519PublicKey) -> bytes:
    """Return the key's 32 bytes."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _box(
    private: X25519PrivateKey, other: X25519PublicKey, session: SealSession, journal: bytes
) -> ChaCha20Poly1305:
    try:
        shared = private.exchange(other)
    except ValueError as error:  # a point of small order: the result would be known to everybody
        raise SealError("no key can be agreed on with this public key") from error
    salt = session.ephemeral + session.recipient
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, _INFO + journal).derive(shared))
