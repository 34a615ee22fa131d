"""Protects the reset: yesterday is over, and no odd clock or missing date brings it back."""

from __future__ import annotations

from admission.instant import ClockTrust, Instant
from admission.logged_passage import for_zone, logged
from cache.journal.local.reset_window import ResetWindow
from cache.journal.local.zone_records import ZoneRecord, since_reset
from tests.cache.journal.entries import an_entry
from tests.cache.journal.local.history import HOUR_NS, PLAN, a_passage

UNDATED = ClockTrust.UNKNOWN


def told(*hours: float | None) -> list[ZoneRecord]:
    """Return passages some hours after 7:00 (the reset is at 4:00), None = undated."""
    return [
        (
            sequence,
            for_zone(
                logged(
                    a_passage(wall_ns=int((hour or 0) * HOUR_NS))
                    if hour is not None
                    else a_passage(trust=UNDATED)
                )
            ),
        )
        for sequence, hour in enumerate(hours, start=1)
    ]


def left(records: list[ZoneRecord], hour: float | None = 0) -> list[int]:
    wall_ns = an_entry(0).wall_ns + int((hour or 0) * HOUR_NS)
    trust = UNDATED if hour is None else ClockTrust.SYNCHRONISED
    now = Instant(wall_ns, 0, "boot-9", trust)
    return [sequence for sequence, _ in since_reset(records, PLAN.reset, now)]


def test_one_day_is_whole() -> None:
    assert left(told(0, 5, 20.9), 20.95) == [1, 2, 3]


def test_what_was_before_the_reset_is_over_once_something_comes_after_it() -> None:
    assert left(told(0, 20.9, 21.1, 22), 22) == [3, 4]


def test_it_is_over_by_the_date_of_today_though_nothing_came() -> None:
    assert left(told(0, 5), 22) == []
    assert left(told(0, 5), None) == [1, 2]


def test_what_has_no_date_stays_behind_the_last_dated_one_of_a_day_that_is_over() -> None:
    assert left(told(0, None, 5, None, None, 22), 22) == [4, 5, 6]
    assert left(told(None, None), 22) == [1, 2]


def test_a_clock_that_is_set_back_over_the_reset_brings_no_day_back_and_ends_none() -> None:
    assert left(told(0, 21.1, 20.9, 21.2), 22) == [2, 3, 4]


def test_a_clock_that_was_far_ahead_puts_no_reset_off() -> None:
    assert left(told(0, 24 * 400, 1, 22), 22) == [4]


def test_it_goes_on_where_it_was_interrupted() -> None:
    records = told(0, 5, 22, 23, 46)
    whole = ResetWindow(PLAN.reset)
    overs = [whole.take(n, one) for n, one in records if not hasattr(one, "kind")]
    resumed = ResetWindow(PLAN.reset)
    again = []
    for n, one in records:
        resumed = ResetWindow(PLAN.reset, resumed.ordinal, resumed.last_dated)
        again.append(resumed.take(n, one))  # type: ignore[arg-type]
    assert overs == again == [0, 0, 2, 0, 4]
