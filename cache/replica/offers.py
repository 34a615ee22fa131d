"""Which head to follow: the newest that an upstream offers and that may be accepted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from admission.instant import Instant
from cache.errors import HeadKeyUnknown, ReplicaError
from cache.replica.head import SignedHead, verify_head
from cache.replica.ratchet import Ratchet, judge
from cache.replica.source import ReplicaSource
from cache.replica.vouching import Vouching


class Offer(msgspec.Struct, frozen=True):
    """A head that may be accepted, and the upstreams to ask for its files, best first."""

    signed: SignedHead
    sources: Sequence[ReplicaSource]


async def best_offer(
    sources: Sequence[ReplicaSource], trust: Vouching, ratchet: Ratchet | None, now: Instant
) -> Offer:
    """Return the acceptable head of the highest sequence.

    The first source is the hub. The others, such as a folder that somebody carried here, count only
    where they offer something newer than what was accepted: they do not stand in for the hub's
    answer that nothing is new.

    :raises ReplicaError: why the first source's head cannot be had or accepted, if no other's can.
    """
    best: Offer | None = None
    failure = ReplicaError("there is no upstream")
    for source in sources:
        try:
            signed = await _acceptable(source, trust, ratchet, now)
        except ReplicaError as error:
            # What was carried here is older, or not there: as usual. The hub's failure counts.
            failure = error if source is sources[0] else failure
            continue
        newer = best is None or signed.head.sequence > best.signed.head.sequence
        if source is sources[0] or (newer and _is_news(signed, ratchet)):
            others = [other for other in sources if other is not source]
            best = Offer(signed, [source, *others])
    if best is None:
        raise failure
    return best


def _is_news(signed: SignedHead, ratchet: Ratchet | None) -> bool:
    return ratchet is None or signed.head.sequence > ratchet.sequence


async def _acceptable(
    source: ReplicaSource, trust: Vouching, ratchet: Ratchet | None, now: Instant
) -> SignedHead:
    data = await source.head()
    try:
        signed = verify_head(data, trust.head_keys)
    except HeadKeyUnknown:
        # The key may be newer than what is known here of the keys.
        await trust.refresh(source, now)
        signed = verify_head(data, trust.head_keys)
    if ratchet is not None and not ratchet.counts(trust.head_keys):
        ratchet = None
    judge(signed, ratchet, now)
    return signed
