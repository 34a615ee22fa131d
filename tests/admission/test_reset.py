"""Protects the hour at which a zone forgets: the site's own, once a day, by a sure clock only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from admission.instant import ClockTrust, Instant
from admission.reset import DailyReset
from tests.worlds import VIETNAM

AT_FOUR = DailyReset(4 * 60, VIETNAM)


def instant(at: datetime, trust: ClockTrust = ClockTrust.RTC) -> Instant:
    return Instant(int(at.timestamp()) * 10**9, 0, "boot-1", trust)


@pytest.mark.parametrize(
    ("hour", "minute", "day"),
    [(0, 0, 19), (3, 59, 19), (4, 0, 20), (23, 59, 20)],
)
def test_it_is_the_gates_own_time(hour: int, minute: int, day: int) -> None:
    reset = AT_FOUR.latest(instant(datetime(2021, 9, 20, hour, minute, tzinfo=VIETNAM)))
    assert reset is not None
    assert date.fromordinal(reset.ordinal) == date(2021, 9, day)
    assert reset.wall_ns == instant(datetime(2021, 9, day, 4, tzinfo=VIETNAM)).wall_ns


def test_an_undated_clock_resets_nothing() -> None:
    at = instant(datetime(2021, 9, 20, 12, tzinfo=UTC), ClockTrust.UNKNOWN)
    assert AT_FOUR.latest(at) is None


def test_neither_does_one_outside_the_calendar() -> None:
    assert AT_FOUR.latest(Instant(10**21, 0, "b", ClockTrust.RTC)) is None
    assert AT_FOUR.latest(Instant(-(10**21), 0, "b", ClockTrust.RTC)) is None


def test_once_a_day_also_where_the_hour_is_skipped_or_comes_twice() -> None:
    zone = ZoneInfo("Europe/Berlin")
    for day in (datetime(2021, 3, 28, tzinfo=zone), datetime(2021, 10, 31, tzinfo=zone)):
        reset = DailyReset(2 * 60 + 30, zone)
        hours = [
            instant(datetime.fromtimestamp(day.timestamp() + h * 3600, UTC)) for h in range(23)
        ]
        seen = [found.ordinal for h in hours if (found := reset.latest(h)) is not None]
        assert seen == sorted(seen)
        assert set(seen) == {day.toordinal() - 1, day.toordinal()}


@pytest.mark.parametrize("minute", [-1, 1440])
def test_a_minute_outside_the_day_is_refused(minute: int) -> None:
    with pytest.raises(ValueError, match="no minute"):
        DailyReset(minute, UTC)
