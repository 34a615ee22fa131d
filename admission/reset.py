"""The daily reset: when a site forgets who passed and who is inside. Pure, no clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

import msgspec

from admission.hours import MINUTES_PER_DAY
from admission.instant import Instant


class Reset(msgspec.Struct, frozen=True, gc=False):
    """One reset: its day as `date.toordinal`, and its moment in ns since the Unix epoch."""

    ordinal: int
    wall_ns: int


class DailyReset(msgspec.Struct, frozen=True):
    """A reset every day at one minute of the local day.

    Where the hour is skipped or repeated by a change of the local time, the reset takes place once,
    at the first moment that the zone's rules give it (`datetime` with fold 0).

    :raises ValueError: if the minute is outside a day.
    """

    minute: int
    timezone: tzinfo

    def __post_init__(self) -> None:
        if not 0 <= self.minute < MINUTES_PER_DAY:
            msg = f"{self.minute} is no minute of a day"
            raise ValueError(msg)

    def latest(self, now: Instant) -> Reset | None:
        """Return the last reset that is due by now, None while nobody vouches for the date.

        >>> from datetime import UTC
        >>> from admission.instant import ClockTrust
        >>> now = Instant(1_631_318_400_000_000_000, 0, "b", ClockTrust.RTC)  # 2021-09-11 00:00
        >>> reset = DailyReset(4 * 60, UTC).latest(now)
        >>> date.fromordinal(reset.ordinal).isoformat(), (now.wall_ns - reset.wall_ns) / 3_600e9
        ('2021-09-10', 20.0)
        """
        if not now.dated:
            return None
        try:
            today = now.date_in(self.timezone)
            for day in (today, today - timedelta(days=1)):
                wall_ns = self._moment_ns(day)
                if wall_ns <= now.wall_ns:
                    return Reset(day.toordinal(), wall_ns)
        except (OverflowError, ValueError):
            pass  # outside the calendar: no clock that can be trusted shows that
        return None

    def next_ns(self, reset: Reset) -> int:
        """Return the moment of the reset after this one; its own where the calendar ends."""
        try:
            return self._moment_ns(date.fromordinal(reset.ordinal + 1))
        except (OverflowError, ValueError):
            return reset.wall_ns

    def _moment_ns(self, day: date) -> int:
        at = datetime.combine(day, time(*divmod(self.minute, 60)), tzinfo=self.timezone)
        return int(at.timestamp()) * 1_000_000_000
