"""Which head to follow: the newest that an upstream offers and that may be accepted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from admission.instant import Instant
from cache.errors import HeadKeyUnknown, ReplicaError
from cache.replica.contents import Contents
from cache.replica.head import SignedHead, verify_head
from cache.replica.ratchet import judge
from cache.replica.source import ReplicaSource
from cache.replica.store import ReplicaStore


class Offer(msgspec.Struct, frozen=True):
    """A head that may be accepted, what this gate takes of it, and whom to ask for its files."""

    signed: SignedHead
    contents: Contents
    sources: Sequence[ReplicaSource]


async def offers(
    sources: Sequence[ReplicaSource], store: ReplicaStore, now: Instant
) -> Sequence[Offer]:
    """Return the acceptable heads, the highest sequence first; there is at least one.

    The first source is the hub. The others, such as a folder that somebody carried here, count only
    where they offer something newer than what was accepted: they do not stand in for the hub's
    answer that nothing is new.

    :raises ReplicaError: why the first source's head cannot be had or accepted, if no other's can.
    """
    found: list[Offer] = []
    failure = ReplicaError("there is no upstream")
    for source in sources:
        is_hub = source is sources[0]
        try:
            signed, contents = await _acceptable(source, store, now)
        except ReplicaError as error:
            # What was carried here is older, or not there: as usual. The hub's failure counts.
            failure = error if is_hub else failure
            continue
        ratchet = store.ratchet
        if is_hub or ratchet is None or signed.head.sequence > ratchet.sequence:
            others = [other for other in sources if other is not source]
            found.append(Offer(signed, contents, [source, *others]))
    if not found:
        raise failure
    return sorted(found, key=lambda offer: offer.signed.head.sequence, reverse=True)


async def _acceptable(
    source: ReplicaSource, store: ReplicaStore, now: Instant
) -> tuple[SignedHead, Contents]:
    data, trust = await source.head(), store.trust
    try:
        signed = _judged(data, store, now)
        known = signed.head.targets <= trust.version
    except HeadKeyUnknown:
        known = False
    if not known:
        # Judged anew: what is newer of the trust may be that this key is trusted no more.
        await trust.refresh(source, now)
        signed = _judged(data, store, now)
    trust.require(signed.head)
    return signed, store.usable(signed)


def _judged(data: bytes, store: ReplicaStore, now: Instant) -> SignedHead:
    signed = verify_head(data, store.trust.head_keys)
    judge(signed, store.ratchet, now)
    return signed
