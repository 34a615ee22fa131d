"""Protects the count of people inside and anti-passback: over lanes, restarts and clock steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust
from admission.journal_record import Followup, FollowupKind
from admission.logged_passage import logged
from admission.passage import Event
from admission.people import Count
from admission.presence import Presence
from admission.verdict import Outcome
from admission.zone import MAX_PEOPLE, Zone, counted, token_of
from tests.admission.zones import DAY_S, IN, OUT, RESET, entry, rebuilt, recalled
from tests.worlds import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()  # eight in the morning in Viet Nam


@pytest.fixture
def zone() -> Zone:
    return Zone(RESET)


def test_in_and_out_are_counted_once_a_person(zone: Zone, clock: ManualClock) -> None:
    for token, direction, inside in (
        (1, IN, 1), (1, IN, 1), (2, IN, 2), (1, OUT, 1), (1, OUT, 1), (3, OUT, 1), (2, OUT, 0),
    ):  # fmt: skip
        zone.passed(token, direction, worker=False, now=clock.now())
        assert zone.count(clock.now()).inside == inside


def test_workers_are_counted_among_them(zone: Zone, clock: ManualClock) -> None:
    zone.passed(1, IN, worker=True, now=clock.now())
    zone.passed(2, IN, worker=False, now=clock.now())
    assert zone.count(clock.now()) == Count(2, 1)
    zone.passed(1, OUT, worker=True, now=clock.now())
    assert zone.count(clock.now()) == Count(1, 0)


def test_who_has_no_token_is_counted_and_not_known_again(zone: Zone, clock: ManualClock) -> None:
    nobody = entry(clock.now(), person=7, token=None)
    assert token_of(nobody) is None
    zone.reserve(None, IN, worker=False)
    zone.reserve(None, IN, worker=False)
    assert zone.count(clock.now()).inside == 2
    zone.release(None, IN, worker=False)
    zone.release(None, IN, worker=False)
    for again in (zone, rebuilt([nobody, nobody], clock.now())):
        if again is zone:
            zone.passed(None, IN, worker=False, now=clock.now())
            zone.passed(None, IN, worker=False, now=clock.now())
        assert again.count(clock.now()).inside == 2
        assert again.presence_of(None, IN, clock.now()).passed_ago_ns is None
        assert len(again) == 0
        again.passed(None, OUT, worker=False, now=clock.now())
        again.passed(9, OUT, worker=False, now=clock.now())
        assert again.count(clock.now()).inside == 0


def test_how_long_ago_in_this_direction(zone: Zone, clock: ManualClock) -> None:
    assert zone.presence_of(1, IN, clock.now()) == Presence(IN)
    zone.passed(1, IN, worker=False, now=clock.now())
    clock.advance(60)
    assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 60 * 10**9
    assert zone.presence_of(1, OUT, clock.now()).passed_ago_ns is None
    assert zone.presence_of(None, IN, clock.now()).passed_ago_ns is None


def test_the_last_place_is_not_given_away_twice(zone: Zone, clock: ManualClock) -> None:
    zone.reserve(1, IN, worker=True)
    assert zone.count(clock.now()) == Count(1, 1)
    assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 0
    zone.passed(1, IN, worker=True, now=clock.now())
    assert zone.count(clock.now()) == Count(1, 1)
    zone.release(1, IN, worker=True)
    assert zone.count(clock.now()) == Count(1, 1)


def test_whoever_was_admitted_and_did_not_pass_is_not_inside(
    zone: Zone, clock: ManualClock
) -> None:
    zone.reserve(1, IN, worker=False)
    zone.release(1, IN, worker=False)
    assert zone.presence_of(1, IN, clock.now()) == Presence(IN)


@pytest.mark.parametrize("step_s", [-3 * DAY_S, -3600, 3600])
def test_a_step_of_the_wall_clock_changes_no_age(
    zone: Zone, clock: ManualClock, step_s: int
) -> None:
    zone.passed(1, IN, worker=False, now=clock.now())
    clock.wall_ns += step_s * 10**9
    clock.advance(10)
    assert zone.presence_of(1, IN, clock.now()).passed_ago_ns == 10 * 10**9


def test_the_reset_forgets_who_passed_and_who_is_inside(zone: Zone, clock: ManualClock) -> None:
    zone.passed(1, IN, worker=True, now=clock.now())
    zone.set_inside(5, 1, clock.now())
    clock.advance(19 * 3600)  # three in the morning
    assert zone.count(clock.now()) == Count(5, 1)
    clock.advance(3600)
    assert zone.presence_of(1, IN, clock.now()) == Presence(IN)
    assert len(zone) == 0


def test_without_a_date_nothing_is_reset_until_there_is_one(clock: ManualClock) -> None:
    zone = Zone(RESET)
    clock.trust = ClockTrust.UNKNOWN
    zone.passed(1, IN, worker=False, now=clock.now())
    clock.advance(2 * DAY_S)
    zone.passed(2, IN, worker=False, now=clock.now())
    assert zone.count(clock.now()).inside == 2
    clock.trust = ClockTrust.SYNCHRONISED
    assert zone.count(clock.now()).inside == 1  # the one who came after the last reset


def test_the_same_reset_does_not_come_twice_and_a_wrong_year_stops_none(
    zone: Zone, clock: ManualClock
) -> None:
    clock.advance(20 * 3600)
    assert zone.count(clock.now()).inside == 0
    zone.passed(1, IN, worker=False, now=clock.now())
    clock.wall_ns -= 120 * 10**9  # set back before the reset, which then comes again
    assert zone.count(clock.now()).inside == 1
    clock.advance(180)
    assert zone.count(clock.now()).inside == 1
    clock.wall_ns += 3650 * DAY_S * 10**9
    zone.count(clock.now())
    clock.wall_ns -= 3650 * DAY_S * 10**9
    zone.passed(2, IN, worker=False, now=clock.now())
    clock.advance(DAY_S)
    assert zone.count(clock.now()).inside == 0


def test_an_officer_corrects_the_count(zone: Zone, clock: ManualClock) -> None:
    for token in range(4):
        zone.passed(token, IN, worker=token == 0, now=clock.now())
    zone.set_inside(2, 1, clock.now())  # the two others who are inside longest have gone unseen
    assert zone.count(clock.now()) == Count(2, 1)
    zone.passed(1, OUT, worker=False, now=clock.now())
    assert zone.count(clock.now()) == Count(2, 1)
    zone.passed(3, OUT, worker=False, now=clock.now())
    assert zone.count(clock.now()) == Count(1, 1)
    zone.set_inside(9, 2, clock.now())  # people came in unseen: whoever leaves is one of them
    zone.passed(99, OUT, worker=False, now=clock.now())
    zone.passed(98, OUT, worker=True, now=clock.now())
    assert zone.count(clock.now()) == Count(7, 1)


@pytest.mark.parametrize("wrong", [(-1, 0), (1, 2), (MAX_PEOPLE + 1, 0)])
def test_what_is_no_count_is_refused(
    zone: Zone, clock: ManualClock, wrong: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="no count"):
        zone.set_inside(*wrong, clock.now())


def test_an_officer_turns_somebody_back(zone: Zone, clock: ManualClock) -> None:
    zone.passed(1, IN, worker=False, now=clock.now(), sequence=5)
    zone.turned_back(1, IN, 4, clock.now())
    assert zone.count(clock.now()).inside == 1
    zone.turned_back(1, IN, 5, clock.now())
    assert zone.presence_of(1, IN, clock.now()) == Presence(IN)
    zone.passed(1, IN, worker=False, now=clock.now(), sequence=6)
    zone.passed(1, OUT, worker=False, now=clock.now(), sequence=7)
    zone.turned_back(1, OUT, 7, clock.now())
    assert zone.count(clock.now()).inside == 1


def test_memory_is_bounded_and_the_count_stays(clock: ManualClock) -> None:
    zone = Zone(RESET, capacity=3)
    for token in range(10):
        zone.passed(token, IN, worker=token % 2 == 0, now=clock.now())
    assert len(zone) == 3
    assert zone.count(clock.now()) == Count(10, 5)
    zone.passed(0, OUT, worker=True, now=clock.now())
    assert zone.count(clock.now()) == Count(9, 4)


@given(st.text(max_size=20))
def test_a_note_is_a_count_or_none(note: str) -> None:
    count = counted(note)
    assert count is None or 0 <= count.workers <= count.inside <= MAX_PEOPLE


def test_other_sites_other_events_and_refusals_do_not_count(clock: ManualClock) -> None:
    now = clock.now()
    entries = [
        entry(now, token=1, site="elsewhere"),
        entry(now, token=2, outcome=Outcome.REFUSE),
        entry(now, token=3, outcome=Outcome.REFER),
        entry(now, token=4, event=Event.CORRECTION),
        entry(now, token=5, event=Event.COUNT, note="nonsense"),
    ]
    assert rebuilt(entries, now).count(now) == Count(0, 0)


def test_an_override_is_rebuilt_by_its_outcome(clock: ManualClock) -> None:
    now = clock.now()
    entries = [
        entry(now, token=1, outcome=Outcome.REFER),
        entry(now, token=1, event=Event.OVERRIDE, about=1),
        entry(now, token=2),
        entry(now, token=2, event=Event.OVERRIDE, about=3, outcome=Outcome.REFUSE),
    ]
    zone = rebuilt(entries, now)
    assert zone.count(now).inside == 1
    assert zone.presence_of(2, IN, now).passed_ago_ns is None


@pytest.mark.parametrize("kind", FollowupKind)
def test_an_admit_by_which_nobody_passed_does_not_count(
    clock: ManualClock, kind: FollowupKind
) -> None:
    now = clock.now()
    zone = rebuilt([entry(now, token=1), entry(now, token=2), Followup(kind, 1)], now)
    passed = kind in {
        FollowupKind.ACTUATED,
        FollowupKind.PASSED,
        FollowupKind.UNSECURED,
        FollowupKind.TAILGATED,
    }
    assert zone.count(now).inside == 1 + passed
    assert (zone.presence_of(1, IN, now).passed_ago_ns is not None) is passed


def test_a_person_who_was_turned_back_stays_so_though_the_board_was_silent(
    clock: ManualClock,
) -> None:
    now = clock.now()
    back = entry(now, token=1, event=Event.OVERRIDE, about=1, outcome=Outcome.REFUSE)
    zone = rebuilt([entry(now, token=1), back, Followup(FollowupKind.NOT_ACTUATED, 2)], now)
    assert zone.count(now).inside == 0


def test_tokens_of_a_former_key_count_without_a_name(clock: ManualClock) -> None:
    now = clock.now()
    before = [
        entry(now, token=1, worker=True),
        entry(now, token=2),
        entry(now, token=2, direction=OUT),
    ]
    records = [logged(one) for one in [*before, entry(now, token=3)]]
    zone = recalled(records, now, named_from=4)
    assert zone.count(now) == Count(2, 1)
    assert zone.presence_of(1, IN, now).passed_ago_ns is None
    assert zone.presence_of(3, IN, now).passed_ago_ns == 0
    zone.passed(77, OUT, worker=True, now=now)  # the first one, by the token of today
    assert zone.count(now) == Count(1, 0)
    everybody = recalled(records, now, named_from=9)
    assert (everybody.count(now), len(everybody)) == (Count(2, 1), 0)
    clock.advance(DAY_S)
    assert zone.count(clock.now()).inside == everybody.count(clock.now()).inside == 0


def test_names_that_are_lost_leave_the_count_as_it_was(zone: Zone, clock: ManualClock) -> None:
    zone.passed(1, IN, worker=True, now=clock.now())
    zone.passed(2, IN, worker=False, now=clock.now())
    zone.passed(2, OUT, worker=False, now=clock.now())
    zone.lose_names(clock.now())
    assert (zone.count(clock.now()), len(zone)) == (Count(1, 1), 0)
