"""A held entry as the examiner sees it: who moved where and when, and what it takes back."""

from __future__ import annotations

import msgspec

from admission.errors import WireError
from admission.instant import ClockTrust
from admission.journal_record import Followup, PassageRecord, Record, unpack_record
from admission.logged_passage import LoggedPassage
from admission.passage import Event
from admission.site import Direction
from admission.verdict import Outcome
from admission.zone import ANNULS
from hub.store.entries import JournalKey
from hub.store.examined import HeldEntry

_MOVING = frozenset({Event.SCAN, Event.OVERRIDE})


class Movement(msgspec.Struct, frozen=True):
    """Somebody known was let through at a moment that counts: in, or out.

    `wall_ms` is the gate's date, which somebody vouched for; `release` that of its replica.
    """

    key: JournalKey
    sequence: int
    person: int
    site: str
    direction: Direction
    wall_ms: int
    release: int | None

    @property
    def order(self) -> tuple[int, str, bytes, int]:
        """By time; among those of one millisecond the same order for whoever asks."""
        return self.wall_ms, self.key.device, self.key.journal, self.sequence


class Seen(msgspec.Struct, frozen=True):
    """One entry that was read. `record` is None for one that is missing or of an unknown form.

    `in_part` is one whose columns are known all the same: they ask for less than to understand it.
    """

    sequence: int
    received_ns: int
    missing: bool
    record: Record | None
    movement: Movement | None
    in_part: bool = False

    @property
    def passage(self) -> LoggedPassage | None:
        """The passage that it is, if it is one."""
        return self.record.passage if isinstance(self.record, PassageRecord) else None


def see(key: JournalKey, entry: HeldEntry) -> Seen:
    """Return an entry as the examiner sees it."""
    record = _record(entry.packed) if entry.packed else None
    person = None if entry.decoded is None else entry.decoded.person
    moved = _moved(key, entry.sequence, record, person)
    in_part = record is None and entry.decoded is not None
    return Seen(entry.sequence, entry.received_ns, not entry.packed, record, moved, in_part)


def movement_of(key: JournalKey, sequence: int, packed: bytes, person: int) -> Movement | None:
    """Return the movement that an entry of this person is, None if it is none."""
    return _moved(key, sequence, _record(packed), person)


def annulled_by(seen: Seen) -> int | None:
    """Return the sequence of the earlier entry that this one takes back, None if it takes none.

    A followup by which nobody passed; an officer who turned somebody back behind a green light.
    """
    about: int | None = None
    passage = seen.passage
    if isinstance(seen.record, Followup) and seen.record.kind in ANNULS:
        about = seen.record.about
    elif passage is not None and passage.event is Event.OVERRIDE:
        about = None if passage.outcome is Outcome.ADMIT else passage.about
    return about if about is not None and 0 < about < seen.sequence else None


def _record(packed: bytes) -> Record | None:
    try:
        return unpack_record(packed)
    except WireError:
        return None


def _moved(
    key: JournalKey, sequence: int, record: Record | None, person: int | None
) -> Movement | None:
    if not isinstance(record, PassageRecord) or person is None:
        return None
    passage = record.passage
    if passage.outcome is not Outcome.ADMIT or passage.event not in _MOVING:
        return None
    if passage.clock_trust is ClockTrust.UNKNOWN:
        return None
    return Movement(
        key,
        sequence,
        person,
        passage.site,
        passage.direction,
        passage.wall_ms,
        passage.release,
    )
