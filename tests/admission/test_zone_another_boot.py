"""Protects who is inside when power was lost between the entry and now."""

from __future__ import annotations

import pytest

from admission.instant import ClockTrust
from admission.passage import Event
from tests.admission.zones import DAY_S, IN, entry, rebuilt
from tests.worlds import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()  # eight in the morning in Viet Nam


class TestAnotherBoot:
    """Power was lost between the entry and now."""

    def after(self, clock: ManualClock, seconds: float) -> None:
        clock.boot_id, clock.monotonic_ns = "boot-2", 5 * 10**9
        clock.wall_ns += int(seconds * 1e9)

    def test_ages_go_by_the_date(self, clock: ManualClock) -> None:
        entries = [entry(clock.now(), token=1)]
        self.after(clock, 600)
        zone = rebuilt(entries, clock.now())
        assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 600 * 10**9

    def test_a_date_ahead_of_now_gives_no_negative_age(self, clock: ManualClock) -> None:
        entries = [entry(clock.now(), token=1)]
        self.after(clock, -600)
        zone = rebuilt(entries, clock.now())
        assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 0

    def test_without_a_date_it_counts_from_the_start_until_there_is_one(
        self, clock: ManualClock
    ) -> None:
        entries = [entry(clock.now(), token=1)]
        self.after(clock, 600)
        clock.trust = ClockTrust.UNKNOWN
        zone = rebuilt(entries, clock.now())
        clock.advance(7)
        assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 7 * 10**9
        clock.trust = ClockTrust.SYNCHRONISED
        assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 607 * 10**9

    def test_yesterday_is_forgotten_as_soon_as_there_is_a_date(self, clock: ManualClock) -> None:
        entries = [entry(clock.now(), token=1), entry(clock.now(), event=Event.COUNT, note="5 0")]
        self.after(clock, DAY_S)
        clock.trust = ClockTrust.UNKNOWN
        zone = rebuilt(entries, clock.now())
        assert zone.count(clock.now()).inside == 5
        clock.trust = ClockTrust.RTC
        assert zone.count(clock.now()).inside == 0

    def test_an_undated_entry_counts_from_the_start(self, clock: ManualClock) -> None:
        entries = [entry(clock.now(), token=1, clock_trust=ClockTrust.UNKNOWN)]
        self.after(clock, 600)
        zone = rebuilt(entries, clock.now())
        assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 0
