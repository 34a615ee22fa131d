"""Hours of the week in which something holds: a shift, a permit's hours, a shop's opening."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

EVERY_DAY = 0b111_1111
MINUTES_PER_DAY = 24 * 60


class Hours(msgspec.Struct, frozen=True, gc=False):
    """From a minute of the day up to, not including, another one, on some days of the week.

    Local time at the gate. `weekdays` holds Monday in its lowest bit. Where `until_min` is not
    after `from_min` the hours end on the next day, and belong to the day on which they began;
    both the same is a full day.

    :raises ValueError: if a minute is outside a day or no day of the week is named.
    """

    from_min: int
    until_min: int
    weekdays: int = EVERY_DAY

    def __post_init__(self) -> None:
        sound = 0 <= self.from_min < MINUTES_PER_DAY and 0 <= self.until_min <= MINUTES_PER_DAY
        if not sound or not 0 < self.weekdays <= EVERY_DAY:
            msg = f"{self.from_min} to {self.until_min} on {self.weekdays:#b} are no hours"
            raise ValueError(msg)

    def include(self, at: datetime) -> bool:
        """Return whether this local time lies within the hours.

        >>> night = Hours(22 * 60, 6 * 60, weekdays=0b000_0001)  # the night of Monday
        >>> night.include(datetime(2021, 9, 20, 23)), night.include(datetime(2021, 9, 21, 5))
        (True, True)
        >>> night.include(datetime(2021, 9, 20, 5))
        False
        """
        minute, today = at.hour * 60 + at.minute, at.weekday()
        if self.from_min < self.until_min:
            return self._on(today) and self.from_min <= minute < self.until_min
        if minute >= self.from_min:
            return self._on(today)
        return minute < self.until_min and self._on(today - 1)

    def day_of(self, at: datetime) -> date:
        """Return the day to which a time within the hours belongs: the one on which they began.

        >>> Hours(22 * 60, 6 * 60).day_of(datetime(2021, 9, 21, 5))
        datetime.date(2021, 9, 20)
        """
        wraps = self.until_min <= self.from_min and at.hour * 60 + at.minute < self.from_min
        return at.date() - timedelta(days=1) if wraps else at.date()

    def _on(self, weekday: int) -> bool:
        return bool(self.weekdays >> weekday % 7 & 1)


def within(hours: tuple[Hours, ...], at: datetime) -> bool:
    """Return whether `at` lies within one of the hours; none at all means at any time.

    >>> within((), datetime(2021, 9, 20, 3)), within((Hours(480, 1020),), datetime(2021, 9, 20, 3))
    (True, False)
    """
    return not hours or any(some.include(at) for some in hours)
