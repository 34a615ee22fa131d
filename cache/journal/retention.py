"""How long which entries stay on the gate once the hub holds them. Pure.

An entry is old only if two clocks say so: the gate's own, which must be trusted, and the hub's, as
its last signed mark tells. A clock that jumped ahead, here or there, therefore prunes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum, StrEnum

import msgspec

from admission.errors import WireError
from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, PassageRecord, Record, unpack_record
from admission.passage import Event
from admission.sealing import SealSession
from admission.upload import Mark

_DAY_MS = 86_400_000
_NS_PER_MS = 1_000_000


class Nature(StrEnum):
    """By what an entry's keeping time is chosen."""

    SCAN = "scan"
    ACT = "act"
    """What an officer did (an override, a correction, a count), and what happened at the gate."""
    ENQUIRY = "enquiry"
    UNKNOWN = "unknown"
    """Cannot be read, or is of a later version: kept as long as anything."""


_NATURES = {Event.SCAN: Nature.SCAN, Event.ENQUIRY: Nature.ENQUIRY}


class Keeping(msgspec.Struct, frozen=True):
    """Days for which acknowledged entries are kept. What the hub does not hold stays for ever."""

    scan_days: int = 21
    act_days: int = 21
    enquiry_days: int = 21

    def days(self, nature: Nature) -> int:
        """Return how long entries of this nature are kept."""
        match nature:
            case Nature.SCAN:
                return self.scan_days
            case Nature.ACT:
                return self.act_days
            case Nature.ENQUIRY:
                return self.enquiry_days
            case Nature.UNKNOWN:
                return max(self.scan_days, self.act_days, self.enquiry_days)

    def expired(self, newest_ms: int, limit_ms: int) -> frozenset[Nature]:
        """Return what is not kept any more of a file.

        :param newest_ms: wall time of the file's newest entry: none of it is younger.
        :param limit_ms: `limit_ms` of now.
        """
        return frozenset(
            nature for nature in Nature if newest_ms + self.days(nature) * _DAY_MS <= limit_ms
        )


def limit_ms(now: Instant, mark: Mark) -> int | None:
    """Return the time that has certainly come, ms since the epoch; None with an untrusted clock."""
    return min(now.wall_ns, mark.wall_ns) // _NS_PER_MS if now.dated else None


def record_of(packed: bytes) -> Record | None:
    """Return an entry's record, None where it cannot be read."""
    try:
        return unpack_record(packed)
    except WireError:
        return None


def nature_of(record: Record | None, others: Mapping[int, Nature]) -> Nature | None:
    """Return an entry's nature: a followup has that of what it is about, a session has none.

    :param others: natures of earlier entries that are not scans, by sequence.
    """
    match record:
        case PassageRecord():
            return _NATURES.get(record.passage.event, Nature.ACT)
        case Followup():
            return others.get(record.about, Nature.SCAN)
        case SealSession():
            return None
        case _:
            return Nature.UNKNOWN


def wall_ms_of(record: Record | None) -> int | None:
    """Return the wall time that an entry states, None where it states none to be believed."""
    if not isinstance(record, PassageRecord):
        return None
    seen = record.passage
    return None if seen.clock_trust is ClockTrust.UNKNOWN else seen.wall_ms


class Plan(Enum):
    """What becomes of one file."""

    STAY = "stay"
    """It is too young, and so is every file after it."""
    PASS = "pass"  # noqa: S105 - no password
    """Old enough, but nothing of it may go now."""
    REWRITE = "rewrite"
    REMOVE = "remove"


def plan_of(natures: AbstractSet[Nature], expired: AbstractSet[Nature], *, sound: bool) -> Plan:
    """Return what becomes of a file that holds these natures, of which some have expired.

    >>> plan_of({Nature.SCAN, Nature.ACT}, {Nature.SCAN}, sound=True)
    <Plan.REWRITE: 'rewrite'>
    """
    if not expired:
        return Plan.STAY
    if natures <= expired:
        return Plan.REMOVE
    return Plan.REWRITE if natures & expired and sound else Plan.PASS
