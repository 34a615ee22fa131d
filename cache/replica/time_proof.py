"""The signed time: by which a gate without a clock learns the time from the hub.

A signed head proves only that the present is later than its issue time, and whoever carries it may
hold it back. A time proof answers one fresh nonce, so nobody can have kept it from an earlier day.

Envelope: msgpack array [version, nonce, wall_ns, key id, signature]. Ed25519 signs a domain prefix,
apart from the head's, and every field that is read.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError
from admission.wire import unpack_bounded
from cache.errors import TimeProofError
from cache.replica.head import SIGNATURE_BYTES, public_key_id

TIME_PATH = "/v1/time"
"""Where the hub answers `?nonce=` (hex) with a time proof."""
MAX_TIME_PROOF_BYTES = 512
TIME_PROOF_VERSION = 1
NONCE_BYTES = 16
_DOMAIN = b"chot time\x00"
_WALL_BYTES = 8


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    nonce: bytes
    wall_ns: int
    key_id: bytes
    signature: bytes


_pack = msgspec.msgpack.Encoder().encode


def sign_time(nonce: bytes, wall_ns: int, key: Ed25519PrivateKey) -> bytes:
    """Return the envelope that proves this time to whoever made up the nonce.

    :param nonce: `NONCE_BYTES` that the asker has never used before.
    :param wall_ns: now, in ns since the Unix epoch (UTC).
    :raises TimeProofError: if the nonce has another length or the time is out of range.
    """
    if len(nonce) != NONCE_BYTES or not 0 < wall_ns < 1 << 63:
        raise TimeProofError("the nonce or the time to sign is out of range")
    key_id = public_key_id(key.public_key())
    signature = key.sign(_signed(nonce, wall_ns))
    return _pack(_Envelope(TIME_PROOF_VERSION, nonce, wall_ns, key_id, signature))


def verify_time(data: bytes, nonce: bytes, public_keys: Iterable[Ed25519PublicKey]) -> int:
    """Return the time in this envelope, in ns since the Unix epoch, if it answers our nonce.

    It was the signer's time at some moment between asking and now: the caller bounds that interval
    with its monotonic clock, and asks again with a fresh nonce rather than verify twice.

    :raises TimeProofError: if the envelope is oversized, malformed, of another version, about
        another nonce, or not signed by any of the keys.
    """
    envelope = _envelope(data)
    if len(nonce) != NONCE_BYTES or not hmac.compare_digest(envelope.nonce, nonce):
        raise TimeProofError(
            "the time proof answers another question",
            hint="the upstream, or something on the way to it, repeats old answers",
        )
    key = {public_key_id(k): k for k in public_keys}.get(envelope.key_id)
    if key is None:
        raise TimeProofError(
            "the time is signed by a key that is not trusted here",
            hint="compare root.json here with the hub's: chot hub keys names it",
        )
    try:
        key.verify(envelope.signature, _signed(envelope.nonce, envelope.wall_ns))
    except InvalidSignature as error:
        raise TimeProofError("the time proof's signature does not hold") from error
    return envelope.wall_ns


def _envelope(data: bytes) -> _Envelope:
    try:
        envelope = msgspec.convert(unpack_bounded(data, MAX_TIME_PROOF_BYTES), _Envelope)
    except (WireError, msgspec.ValidationError) as error:
        msg = f"not a time proof: {error}"
        raise TimeProofError(msg) from error
    if envelope.version != TIME_PROOF_VERSION:
        msg = f"time proof version {envelope.version} is unknown here"
        raise TimeProofError(msg, hint="update this appliance")
    sound = (
        len(envelope.nonce) == NONCE_BYTES
        and 0 < envelope.wall_ns < 1 << 63
        and len(envelope.signature) == SIGNATURE_BYTES
        # One proof has one form, so that no byte of it is outside the signature's reach.
        and _pack(envelope) == data
    )
    if not sound:
        raise TimeProofError("not a time proof: its fields are out of range or not in short form")
    return envelope


def _signed(nonce: bytes, wall_ns: int) -> bytes:
    return _DOMAIN + bytes([TIME_PROOF_VERSION]) + nonce + wall_ns.to_bytes(_WALL_BYTES, "big")
