"""What a new head follows: the sequence of the one before, and a clock that can be believed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.errors import WireError
from admission.instant import Instant
from admission.local_time import MAX_CLOCK_BEHIND_NS
from admission.wire import unpack_bounded
from cache.replica.head import (
    HEAD_VERSION,
    MAX_HEAD_BYTES,
    Head,
    public_key_id,
    verify_head,
)
from hub.errors import PublishError

MAX_AHEAD_NS = 60 * 24 * 3600 * 1_000_000_000
"""How much later than the one before a head may be: a person knows of a hub that was off longer."""
MAX_DRIFT_NS = 3600 * 1_000_000_000
"""How far a clock may move against the time since start-up while a hub runs."""
_DOMAIN = b"chot head\x00"
_HINT = "put the clock right; if it is right: chot hub publish --accept-clock"


class Before(msgspec.Struct, frozen=True):
    """The head that is published. `head` is None if it is of an older version than this one's."""

    sequence: int
    issued_ns: int
    head: Head | None


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    key_id: bytes
    payload: bytes
    signature: bytes


class _Numbers(msgspec.Struct, frozen=True):
    sequence: int
    issued_ns: int


def read_before(data: bytes, keys: Iterable[Ed25519PublicKey]) -> Before:
    """Return what the published head says.

    Heads of all versions up to this one are signed alike and say their sequence alike.

    :raises HeadError: if it is no head that one of our keys signed.
    """
    keys = list(keys)
    older = _older(data, keys)
    if older is not None:
        return Before(older.sequence, older.issued_ns, None)
    head = verify_head(data, keys).head
    return Before(head.sequence, head.issued_ns, head)


def _older(data: bytes, keys: list[Ed25519PublicKey]) -> _Numbers | None:
    try:
        envelope = msgspec.convert(unpack_bounded(data, MAX_HEAD_BYTES), _Envelope)
        key = {public_key_id(key): key for key in keys}.get(envelope.key_id)
        if key is None or not 0 < envelope.version < HEAD_VERSION:
            return None
        key.verify(envelope.signature, _DOMAIN + bytes([envelope.version]) + envelope.payload)
        numbers = msgspec.convert(unpack_bounded(envelope.payload, MAX_HEAD_BYTES), _Numbers)
    except (WireError, msgspec.ValidationError, InvalidSignature):
        return None
    return numbers if numbers.sequence > 0 and numbers.issued_ns > 0 else None


def issued_ns(before: Before | None, last: Instant | None, now: Instant, *, accept: bool) -> int:
    """Return the `issued` time of a head that is signed now.

    Never earlier than the head before, or gates would see their replica grow older.

    :param last: when this process signed the head before, if it did.
    :param accept: whether a person vouches for the clock.
    :raises PublishError: if the clock cannot be believed: gates with the right time would refuse
        heads from the future, and a head far from the one before says that a clock was wrong.
    """
    if before is None:
        return max(now.wall_ns, 1)
    behind_ns = before.issued_ns - now.wall_ns
    if behind_ns > MAX_CLOCK_BEHIND_NS:
        if accept:
            return now.wall_ns
        msg = f"the clock is {_span(behind_ns)} behind the head that is published"
        raise PublishError(msg, hint=_HINT)
    if not accept:
        _require_no_leap(-behind_ns, last, now)
    return max(now.wall_ns, before.issued_ns + 1)


def _require_no_leap(ahead_ns: int, last: Instant | None, now: Instant) -> None:
    if ahead_ns > MAX_AHEAD_NS:
        msg = f"the clock is {_span(ahead_ns)} ahead of the head that is published"
        raise PublishError(msg, hint=_HINT)
    if last is None or last.boot_id != now.boot_id:
        return
    leapt_ns = (now.wall_ns - last.wall_ns) - (now.monotonic_ns - last.monotonic_ns)
    if leapt_ns > MAX_DRIFT_NS and ahead_ns > MAX_DRIFT_NS:
        msg = f"the clock has leapt {_span(leapt_ns)} ahead since the last head"
        raise PublishError(msg, hint=_HINT)


def _span(ns: int) -> str:
    hours = ns / 3_600_000_000_000
    return f"{hours / 24:,.0f} days" if hours >= 48 else f"{hours:,.1f} hours"
