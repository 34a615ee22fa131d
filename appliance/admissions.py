"""Which admission a board speaks of: none that the journal does not know is believed.

A board names an admission by the last 32 bits of its entry's sequence, and may do so after this
process has been started anew: the board went on meanwhile. What it names may also be nonsense, or
of another journal that it remembers; a followup about the wrong entry would annul somebody else's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from admission.errors import WireError
from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, FollowupKind, PassageRecord, unpack_record
from admission.logged_passage import LoggedPassage
from admission.passage import Event, Passage
from admission.people import Token
from admission.site import Direction
from admission.verdict import Outcome
from appliance.event_pace import EventPace
from cache.errors import CacheError
from cache.journal.reader import JournalReader

ENTRY_MASK = 0xFFFF_FFFF
MAX_REMEMBERED = 256
LOOKED_BACK = 4_096
"""So many entries of before the start are looked at: a gate's window is seconds."""
_ADMITTING = frozenset({Event.SCAN, Event.OVERRIDE})
_ENDED = frozenset({FollowupKind.PASSED, FollowupKind.NOT_PASSED})


class Admitted(msgspec.Struct):
    """An admission of this lane. `ended` is set once it is known whether anybody passed."""

    sequence: int
    token: Token | None
    direction: Direction
    wall_ns: int
    monotonic_ns: int
    boot_id: str
    clock_trust: ClockTrust
    ended: bool = False

    def age_ns(self, now: Instant) -> int:
        """Return how long ago it was entered, 0 where nobody can tell."""
        if self.boot_id == now.boot_id:
            return max(0, now.monotonic_ns - self.monotonic_ns)
        if self.clock_trust is ClockTrust.UNKNOWN or not now.dated:
            return 0
        return max(0, now.wall_ns - self.wall_ns)


class LookBack(Protocol):
    """Finds admissions of before this process's start."""

    async def find(self, entry: int, lane: str) -> Admitted | None:
        """Return the newest admission of the lane whose sequence ends in these 32 bits.

        None if there is none, it is too long ago, or it cannot be read. Never raises.
        """
        ...


class Admissions:
    """The admissions of one lane that a board may still speak of."""

    def __init__(
        self, lane: str, look_back: LookBack, now: Callable[[], Instant], pace: EventPace
    ) -> None:
        self._lane = lane
        self._look_back = look_back
        self._now = now
        self._pace = pace
        self._known: OrderedDict[int, Admitted] = OrderedDict()

    def admitted(self, entry: Passage, sequence: int) -> None:
        """Remember an admission whose entry stands under this sequence."""
        self._remember(_admitted(sequence, entry))

    async def find(self, entry: int) -> Admitted | None:
        """Return the admission that a board names, None if it is none to be believed.

        Looking into the journal takes a moment of the disk's: a board that makes numbers up is not
        looked after more often than the pace allows.
        """
        known = self._known.get(entry)
        if known is not None or not entry:
            return known
        if not self._pace.take("look back", self._now().monotonic_ns):
            return None
        found = await self._look_back.find(entry, self._lane)
        if found is not None:
            self._remember(found)
        return found

    def _remember(self, admitted: Admitted) -> None:
        self._known[admitted.sequence & ENTRY_MASK] = admitted
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)


class JournalLookBack:
    """Looks into the journal in this folder.

    :param started_through: its last sequence at the start: what came later is remembered by the
        lanes themselves, and is not looked for.
    """

    def __init__(self, folder: Path, started_through: int) -> None:
        self._folder = folder
        self._through = started_through

    async def find(self, entry: int, lane: str) -> Admitted | None:
        """Return the admission; see `LookBack`."""
        sequence = (self._through & ~ENTRY_MASK) | entry
        if sequence > self._through:
            sequence -= ENTRY_MASK + 1
        if sequence <= max(0, self._through - LOOKED_BACK):
            return None
        reader = JournalReader(self._folder)
        found: Admitted | None = None
        after = sequence - 1
        while after < self._through:
            try:
                entries = await reader.read(
                    after, self._through, max_entries=LOOKED_BACK, max_bytes=1 << 20
                )
            except CacheError:
                return None
            for one in entries:
                if one.sequence == sequence:
                    found = _read(sequence, one.packed, lane)
                elif found is not None and _ends(one.packed, sequence):
                    found.ended = True
            if found is None:
                return None
            after = entries[-1].sequence
        return found


def _admitted(sequence: int, entry: Passage | LoggedPassage) -> Admitted:
    return Admitted(
        sequence,
        entry.token,
        entry.direction,
        entry.wall_ns,
        entry.monotonic_ns,
        entry.boot_id,
        entry.clock_trust,
    )


def _read(sequence: int, packed: bytes, lane: str) -> Admitted | None:
    try:
        record = unpack_record(packed) if packed else None
    except WireError:
        return None
    if not isinstance(record, PassageRecord):
        return None
    seen = record.passage
    if seen.lane != lane or seen.outcome is not Outcome.ADMIT or seen.event not in _ADMITTING:
        return None
    return _admitted(sequence, seen)


def _ends(packed: bytes, sequence: int) -> bool:
    try:
        record = unpack_record(packed) if packed else None
    except WireError:
        return False
    return isinstance(record, Followup) and record.about == sequence and record.kind in _ENDED
