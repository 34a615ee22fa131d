"""How far this gate has come: whether a head may be accepted now, and what is kept of one that was.

On disk: msgpack array [version, sequence, digest, key id, CRC-32 of the array before it].
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.errors import WireError
from admission.instant import Instant
from admission.local_time import MAX_CLOCK_BEHIND_NS
from admission.wire import unpack_bounded
from cache.errors import HeadError, HeadExpired, HeadRolledBack
from cache.replica.head import SignedHead, public_key_id

RATCHET_BYTES = 256
_VERSION = 2


class Ratchet(msgspec.Struct, frozen=True):
    """The newest head ever accepted here: nothing older is accepted again.

    It counts for as long as the key that signed that head is trusted. So whoever got hold of a key
    and signed the highest of all sequences is gone together with the key.
    """

    sequence: int
    digest: bytes
    key_id: bytes = b""
    """Names the key; empty = not known, and then it counts for ever."""

    @classmethod
    def of(cls, signed: SignedHead) -> Ratchet:
        """Return the mark that an accepted head leaves."""
        return cls(signed.head.sequence, signed.digest, signed.key_id)

    def counts(self, public_keys: Iterable[Ed25519PublicKey]) -> bool:
        """Return whether it holds where these keys are the trusted ones."""
        return not self.key_id or self.key_id in map(public_key_id, public_keys)


class _Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    sequence: int
    digest: bytes
    key_id: bytes
    crc: int


def judge(signed: SignedHead, ratchet: Ratchet | None, now: Instant) -> None:
    """Return if the head may be accepted now; pure.

    Time counts only where the clock is trusted: without one, a head is a floor of the time, and
    the law refers whatever depends on a date. Where it is trusted, a head from the future would
    turn the ratchet past every later one of a hub whose clock was put right, and would refer
    everybody until then.

    :raises HeadRolledBack: if it is older than the ratchet, or the same sequence with another body.
    :raises HeadExpired: if it expired before `now`.
    :raises HeadError: if it was issued more than `MAX_CLOCK_BEHIND_NS` after `now`.
    """
    head = signed.head
    if ratchet is not None:
        if head.sequence < ratchet.sequence:
            msg = f"head {head.sequence} is older than {ratchet.sequence}, accepted before"
            raise HeadRolledBack(
                msg,
                hint="the upstream is stale, hostile, or restored: docs/hub.md, Keys",
            )
        if head.sequence == ratchet.sequence and signed.digest != ratchet.digest:
            msg = f"head {head.sequence} was accepted before with another body"
            raise HeadRolledBack(msg, hint="two publishers share a key, or the upstream is hostile")
    if now.dated and now.wall_ns >= head.expires_ns:
        msg = f"head {head.sequence} has expired"
        raise HeadExpired(msg, hint="check the clock here and whether the hub still publishes")
    ahead_ns = head.issued_ns - now.wall_ns
    if now.dated and ahead_ns > MAX_CLOCK_BEHIND_NS:
        msg = f"head {head.sequence} was issued {ahead_ns // 1_000_000_000} s from now"
        raise HeadError(msg, hint="the hub's clock or this gate's clock is wrong")


def pack_ratchet(mark: Ratchet) -> bytes:
    """Return the bytes of the file that keeps it."""
    fields = (_VERSION, mark.sequence, mark.digest, mark.key_id)
    return msgspec.msgpack.encode((*fields, _crc(fields)))


def unpack_ratchet(data: bytes) -> Ratchet | None:
    """Return what a file keeps, or None where it is damaged or of another version."""
    try:
        record = msgspec.convert(unpack_bounded(data, RATCHET_BYTES), _Record)
    except (WireError, msgspec.ValidationError):
        return None
    fields = (record.version, record.sequence, record.digest, record.key_id)
    if record.crc != _crc(fields) or record.version != _VERSION:
        return None
    return Ratchet(record.sequence, record.digest, record.key_id)


def _crc(fields: tuple[int, int, bytes, bytes]) -> int:
    return zlib.crc32(msgspec.msgpack.encode(fields))
