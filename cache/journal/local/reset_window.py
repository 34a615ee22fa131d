"""Which records the zone's daily reset has left: those after the last one of a day that is over.

The same records in the same order always give the same answer, however often it is interrupted:
what is kept of a run are two numbers.
"""

from __future__ import annotations

from admission.instant import ClockTrust, Instant
from admission.logged_passage import ZonePassage
from admission.reset import DailyReset


class ResetWindow:
    """Follows records in their order.

    :ivar ordinal: the day of the last reset that a dated record has shown, None before the first.
    :ivar last_dated: sequence of the last dated record, 0 = none.
    """

    def __init__(self, reset: DailyReset, ordinal: int | None = None, last_dated: int = 0) -> None:
        self._reset = reset
        self._day_ns = (0, 0)  # from that reset up to the next one, the day is `_day`
        self._day = 0
        self.ordinal = ordinal
        self.last_dated = last_dated

    def take(self, sequence: int, record: ZonePassage) -> int:
        """Take the next record; return through which sequence those before do not count any more.

        0 if this record changes nothing. One without a trusted date never does; those behind the
        last dated one of a day that is over are kept, as they may be of the day that has begun.
        """
        if record.clock_trust is ClockTrust.UNKNOWN:
            return 0
        day = self._day_of(record.wall_ns)
        if day is None:
            return 0
        over = 0
        if self.ordinal is not None and day > self.ordinal:
            over = self.last_dated
        # A clock that is set back a little brings no day back; one that was far ahead ends with it.
        if self.ordinal is None or day > self.ordinal or day < self.ordinal - 1:
            self.ordinal = day
        self.last_dated = sequence
        return over

    def over_by(self, now: Instant) -> int:
        """Return through which sequence records do not count any more by the date of today."""
        day = self._day_of(now.wall_ns) if now.dated else None
        if day is None or self.ordinal is None or day <= self.ordinal:
            return 0
        return self.last_dated

    def _day_of(self, wall_ns: int) -> int | None:
        since_ns, until_ns = self._day_ns
        if not since_ns <= wall_ns < until_ns:
            latest = self._reset.latest(Instant(wall_ns, 0, "", ClockTrust.RTC))
            if latest is None:
                return None  # outside the calendar
            self._day = latest.ordinal
            self._day_ns = (latest.wall_ns, self._reset.next_ns(latest))
        return self._day
