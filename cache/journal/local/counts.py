"""Counts: how many entries of which kind there were on each day and lane. Nobody in them."""

from __future__ import annotations

from collections import Counter, deque
from datetime import tzinfo
from typing import NamedTuple

from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, PassageRecord, Record
from admission.logged_passage import LoggedPassage
from cache.journal.local.blocks import LANE
from cache.journal.local.names import Names

FOLLOWED = "followup"
"""The event of a count of what followed."""
ATTRIBUTED_ENTRIES = 4_096
"""How far back an entry is looked for of which something followed."""
UNDATED = 0
_QUARTER_NS = 900 * 1_000_000_000  # no zone's day begins between two quarters of an hour


class Counted(NamedTuple):
    """What is counted as one. `day` is `date.toordinal` at the site, `UNDATED` where unknown.

    `lane` is empty for one that got no number of its own. `what` is the outcome or what followed.
    """

    day: int
    lane: str
    direction: str
    event: str
    what: str


class Tally:
    """Counts what it is given, entry by entry; `take_counts` hands over what came together."""

    def __init__(self, timezone: tzinfo, names: Names) -> None:
        self._timezone = timezone
        self._names = names
        self._counts: Counter[Counted] = Counter()
        self._recent: dict[int, tuple[int, str, str]] = {}
        self._order: deque[int] = deque()
        self._days: dict[int, int] = {}

    def remember(self, sequence: int, passage: LoggedPassage) -> tuple[int, str, str]:
        """Know an entry's day, lane and direction when something follows on it, uncounted."""
        self._names.bit(LANE, passage.lane)
        lane = passage.lane if self._names.known(LANE, passage.lane) else ""
        seen = (self._day_of(passage), lane, passage.direction.value)
        self._recent[sequence] = seen
        self._order.append(sequence)
        while self._order[0] <= sequence - ATTRIBUTED_ENTRIES:
            del self._recent[self._order.popleft()]
        return seen

    def take(self, sequence: int, record: Record) -> None:
        """Count the next entry."""
        if isinstance(record, PassageRecord):
            passage = record.passage
            day, lane, direction = self.remember(sequence, passage)
            event, what = passage.event.value, passage.outcome.value
        elif isinstance(record, Followup):
            known = self._recent if sequence - record.about < ATTRIBUTED_ENTRIES else {}
            day, lane, direction = known.get(record.about, (UNDATED, "", ""))
            event, what = FOLLOWED, record.kind.name.lower()
        else:
            return
        self._counts[Counted(day, lane, direction, event, what)] += 1

    def take_counts(self) -> Counter[Counted]:
        """Return what was counted since the last call."""
        counts, self._counts = self._counts, Counter()
        return counts

    def _day_of(self, passage: LoggedPassage) -> int:
        if passage.clock_trust is ClockTrust.UNKNOWN:
            return UNDATED
        quarter = passage.wall_ns // _QUARTER_NS
        day = self._days.get(quarter)
        if day is None:
            moment = Instant(quarter * _QUARTER_NS, 0, "", ClockTrust.RTC)
            try:
                day = moment.date_in(self._timezone).toordinal()
            except (OverflowError, ValueError):
                day = UNDATED  # outside the calendar
            self._days = {quarter: day}
        return day
