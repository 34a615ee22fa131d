"""Protects short numbers from being tried: what a guesser gets in a day is bounded."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.attempts import AttemptLimits, Attempts, guessable
from admission.credential import Credential, CredentialKind

SECOND = 1_000_000_000
DAY = 86_400 * SECOND

steps = st.lists(
    st.integers(0, 40)
    | st.sampled_from([119, 120, 121, 900, 3_600, 7_200, 40_000])
    | st.integers(-50, -1),
    max_size=150,
)


def tried(lane: Attempts, seconds: list[int]) -> tuple[list[int], list[int]]:
    """Have a wrong number come after each pause; return when they were counted, and alerts."""
    now, counted, alerts = 0, [], []
    for pause in seconds:
        now += pause * SECOND
        taken = not lane.held_off(now)
        alert = lane.wrong(now)
        if taken:
            counted.append(now)
        if alert:
            alerts.append(now)
        assert taken or not alert
        assert alert == (taken and lane.held_off(now))
    return counted, alerts


@given(steps, st.sampled_from([AttemptLimits(), AttemptLimits(wrong=2, wrong_per_day=6)]))
def test_no_day_holds_more_guesses_than_the_limit(
    seconds: list[int], limits: AttemptLimits
) -> None:
    lane = Attempts(limits)
    forward = [max(0, pause) for pause in seconds]
    counted, _ = tried(lane, forward)
    for at, first in enumerate(counted):
        within = sum(stamp < first + DAY for stamp in counted[at:])
        assert within <= limits.wrong_per_day
    assert len(lane) <= limits.wrong_per_day


@given(st.sampled_from([1, 10, 25, 31, 61, 300]))
def test_somebody_who_never_tires_gets_sixty_in_a_day(pause_s: int) -> None:
    counted, alerts = tried(Attempts(), [pause_s] * (86_400 // pause_s))
    assert len(counted) <= 60
    assert alerts


@given(steps)
def test_stamps_that_go_back_free_nobody(seconds: list[int]) -> None:
    lane, latest, now = Attempts(AttemptLimits(wrong=2)), 0, 0
    for pause in seconds:
        now += pause * SECOND
        latest = max(latest, now)
        lane.wrong(now)
        assert lane.held_for_ns(now) == lane.held_for_ns(latest)


def test_holds_double_up_to_the_ceiling_and_each_alerts_once() -> None:
    lane, now, holds = Attempts(AttemptLimits(wrong_per_day=10_000)), 0, []
    for _ in range(8):
        answers = []
        for _ in range(5):
            now += SECOND
            answers.append(lane.wrong(now))
        assert answers == [False] * 4 + [True]
        assert not lane.wrong(now)  # held off: neither counted nor told again
        holds.append(lane.held_for_ns(now) // SECOND)
        now += lane.held_for_ns(now)
        assert not lane.held_off(now)
    assert holds == [30, 60, 120, 240, 480, 900, 900, 900]


def test_calm_hours_take_the_doubling_back_step_by_step() -> None:
    lane, now = Attempts(), 0

    def provoke(now: int) -> int:
        for _ in range(5):
            lane.wrong(now)
        return lane.held_for_ns(now)

    holds = []
    for pause_s in (0, 0, 0, 2 * 3_600, 24 * 3_600):
        now += pause_s * SECOND
        held_ns = provoke(now)
        holds.append(held_ns // SECOND)
        now += held_ns
    assert holds == [30, 60, 120, 60, 30]


def test_slow_wrong_numbers_do_not_hold_the_lane_until_the_day_is_full() -> None:
    lane = Attempts()
    stamps = [n * 31 * SECOND for n in range(60)]
    assert [lane.wrong(at) for at in stamps] == [False] * 59 + [True]
    assert lane.held_for_ns(stamps[-1]) == DAY - stamps[-1]
    assert lane.held_off(DAY - 1)
    assert not lane.held_off(DAY)
    assert lane.wrong(DAY)  # the next one fills the day again: told again


def test_only_numbers_that_can_be_tried_are_slowed() -> None:
    slowed = {kind for kind in CredentialKind if guessable(Credential(kind))}
    assert slowed == {CredentialKind.TYPED_CODE, CredentialKind.BACKUP_NUMBER}


@pytest.mark.parametrize(
    ("per_day", "issued", "numbers", "probability"),
    [
        (60, 10**7, 9 * 10**9, 0.0645),
        (5, 10**7, 9 * 10**9, 0.00554),
        (60, 10**7, 9 * 10**12, 0.0000667),
        (60, 10**6, 9 * 10**9, 0.00664),
    ],
)
def test_the_stated_probabilities_are_those_of_the_limits(
    per_day: int, issued: int, numbers: int, probability: float
) -> None:
    assert AttemptLimits().wrong_per_day == 60
    assert AttemptLimits().wrong == 5
    assert 1 - (1 - issued / numbers) ** per_day == pytest.approx(probability, rel=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"wrong": 0},
        {"window_s": 0},
        {"first_hold_s": 0},
        {"calm_s": 0},
        {"longest_hold_s": 29},
        {"wrong_per_day": 4},
        {"wrong_per_day": 10_001},
    ],
)
def test_contradictory_limits_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="contradict"):
        AttemptLimits(**wrong)


def test_any_two_holds_are_told_apart() -> None:
    _, alerts = tried(Attempts(), [1] * 5_000)
    assert all(later - earlier >= 30 * SECOND for earlier, later in pairwise(alerts))


@given(st.lists(st.integers(0, 200_000), max_size=80))
def test_a_lane_that_is_recalled_goes_on_as_if_it_had_never_stopped(seconds: list[int]) -> None:
    stamps = sorted(second * SECOND for second in seconds)
    went_on = Attempts()
    counted = [stamp for stamp in stamps if not went_on.held_off(stamp) and [went_on.wrong(stamp)]]
    recalled, now = Attempts.recalled(counted), 200_001 * SECOND
    assert (len(recalled), recalled.held_for_ns(now)) == (len(went_on), went_on.held_for_ns(now))
    assert recalled.wrong(now) == went_on.wrong(now)
