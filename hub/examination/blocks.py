"""Since when the hub has known that somebody may not pass, and which gates could know it.

An entry names a person by a `PersonKey` alone. So what is judged is the person: isolation, and that
one of the person's numbers was withdrawn. Which number was shown no entry says, nor which pass,
certificate or permit: a withdrawn one of these is found at the gate, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

import msgspec

from admission.identity import Identifier, PersonKey
from admission.site import Direction
from admission.standing import CredentialStatus
from cache.replica.alias import person_of
from hub.examination.seen import Movement
from hub.store.port import Person

VIETNAM = timezone(timedelta(hours=7))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_MS = 1_000_000

KeyOf = Callable[[Identifier], PersonKey]


class Why(StrEnum):
    """Why somebody may not pass. Values are in the examiner's file and in flags."""

    ISOLATED = "isolated"
    NUMBER_WITHDRAWN = "number_withdrawn"


class Bar(msgspec.Struct, frozen=True, order=True):
    """What stands against the person with this key: until its last day, if it has one."""

    person: int
    why: Why
    last_day: date | None = None


class Block(msgspec.Struct, frozen=True):
    """One bar, and since when.

    :ivar since_ns: when the hub knew, by its own clock; `lifted_ns` when it ended to count.
    :ivar release: the first release that told gates; None while none has.
    """

    bar: Bar
    since_ns: int
    lifted_ns: int | None = None
    release: int | None = None


def bars_of(person: Person, key_of: KeyOf) -> Iterable[Bar]:
    """Yield what stands against somebody, under every key that a gate may write for the person.

    That is the key of the record (`alias.person_of`), and of somebody whom a gate did not have on
    record yet, that of the number shown.
    """
    until = person.facts.isolation_until
    withdrawn = {k.identifier for k in person.identifiers if k.status is CredentialStatus.REVOKED}
    if until is None and not withdrawn:
        return
    keys = {known.identifier: key_of(known.identifier) for known in person.identifiers}
    standing = {person_of(key) for key in keys.values()}
    if until is not None:
        for key in {*keys.values(), *standing}:
            yield Bar(key, Why.ISOLATED, until)
    if withdrawn:
        for key in {*(keys[one] for one in withdrawn), *standing}:
            yield Bar(key, Why.NUMBER_WITHDRAWN)


def known_then(movement: Movement, blocks: Iterable[Block]) -> Block | None:
    """Return what the hub knew against an admission when it happened, and its gate could not know.

    The way out is open to everybody. Of several blocks it is the one that was known first.
    """
    if movement.direction is not Direction.IN:
        return None
    against = [block for block in blocks if _against(block, movement)]
    return min(against, key=lambda block: (block.since_ns, block.bar.why), default=None)


def _against(block: Block, movement: Movement) -> bool:
    wall_ns = movement.wall_ms * _NS_PER_MS
    if wall_ns < block.since_ns or (block.lifted_ns is not None and wall_ns >= block.lifted_ns):
        return False
    if block.bar.last_day is not None and _day(movement.wall_ms) > block.bar.last_day:
        return False
    told, release = block.release, movement.release
    return told is None or release is None or release < told


def _day(wall_ms: int) -> date:
    try:
        return (_EPOCH + timedelta(milliseconds=wall_ms)).astimezone(VIETNAM).date()
    except OverflowError:
        return date.max
