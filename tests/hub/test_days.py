"""Protects retention from lying clocks: which day an entry lies in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust
from hub.days import DAY_NS, day_named, day_of, filled, name_of, own_day

TODAY = 18_890
NOON = TODAY * DAY_NS + DAY_NS // 2
RTC = ClockTrust.RTC


@pytest.mark.parametrize(
    ("wall_ns", "trust", "day"),
    [
        (NOON, RTC, TODAY),
        (TODAY * DAY_NS, ClockTrust.SYNCHRONISED, TODAY),
        (TODAY * DAY_NS - 1, RTC, TODAY - 1),
        (NOON - 60 * DAY_NS, RTC, TODAY - 60),
        (NOON - 60 * DAY_NS - 1, RTC, None),
        (NOON + DAY_NS, RTC, TODAY + 1),
        (NOON + DAY_NS + 1, RTC, None),
        (NOON, ClockTrust.UNKNOWN, None),
        (-(1 << 62), RTC, None),
    ],
)
def test_an_entry_is_believed_within_bounds(wall_ns: int, trust: ClockTrust, day: int) -> None:
    assert own_day(wall_ns, trust, NOON) == day


def test_who_knows_no_day_lies_with_the_one_before() -> None:
    assert filled([None, 5, None, 6, None], 9) == [5, 5, 5, 6, 6]
    assert filled([None, None], 9) == [9, 9]
    assert filled([], 9) == []


@given(st.integers(-400_000, 2_000_000))
def test_a_days_name_is_its_own(day: int) -> None:
    assert day_named(name_of(day)) == day
    assert day_of(day * DAY_NS) == day_of(day * DAY_NS + DAY_NS - 1) == day


@pytest.mark.parametrize("name", ["", "2021-9-6", "2021-02-30", "2021-09-16.part", "hub"])
def test_other_files_are_no_days(name: str) -> None:
    assert day_named(name) is None
