"""Protects dates: wall time in the site's zone, to the microsecond, and no date without trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust, Instant

VIETNAM = timezone(timedelta(hours=7))


@given(st.integers(0, 1 << 63), st.sampled_from([UTC, VIETNAM]))
def test_wall_time_is_exact_to_the_microsecond(wall_ns: int, zone: timezone) -> None:
    now = Instant(wall_ns, 0, "boot-1", ClockTrust.RTC).at(zone)
    assert (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == wall_ns // 1000
    assert now.utcoffset() == zone.utcoffset(None)


def test_the_date_changes_at_the_sites_midnight() -> None:
    before = int(datetime(2021, 9, 20, 16, 59, 59, tzinfo=UTC).timestamp()) * 10**9
    for wall_ns, day in ((before, 20), (before + 10**9, 21)):
        now = Instant(wall_ns, 0, "boot-1", ClockTrust.SYNCHRONISED)
        assert now.date_in(VIETNAM).day == day


@pytest.mark.parametrize("trust", list(ClockTrust))
def test_only_an_unknown_clock_gives_no_date(trust: ClockTrust) -> None:
    assert Instant(0, 0, "boot-1", trust).dated is (trust is not ClockTrust.UNKNOWN)
