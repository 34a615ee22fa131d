"""Protects the count of entries: one presentation, one verdict, however many frames."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.repeat import Presentations

REARM = 10

steps = st.tuples(st.sampled_from("ABCD"), st.sampled_from([-11, -7, -1, 0, 1, 3, 7, 10, 11]))


def _stamped(history: list[tuple[str, int]]) -> list[tuple[str, int]]:
    stamps = accumulate(step for _, step in history)
    return [(code, at) for (code, _), at in zip(history, stamps, strict=True)]


sightings = st.lists(steps, min_size=10, max_size=40).map(_stamped)


def _model(history: list[tuple[str, int]], capacity: int) -> list[bool]:
    """Answer each sighting from the whole history before it: slow, with no state to get wrong."""
    answers: list[bool] = []
    for n, (code, at) in enumerate(history):
        recent: list[str] = []
        for other, _ in reversed(history[:n]):
            if other not in recent:
                recent.append(other)
        if code not in recent[:capacity]:
            answers.append(True)
            continue
        mine = [i for i in range(n) if history[i][0] == code]
        begun = max(i for i in mine if answers[i])
        latest = max(history[i][1] for i in mine if i >= begun)
        answers.append(not latest - REARM <= at <= latest + REARM)
    return answers


@given(sightings, st.sampled_from([1, 2, 3, 64]))
def test_presentations_are_those_of_the_model(
    history: list[tuple[str, int]], capacity: int
) -> None:
    held = Presentations(REARM, capacity)
    assert [held.begins_presentation(code, at) for code, at in history] == _model(history, capacity)


def test_a_code_held_up_for_a_minute_counts_once_and_again_when_it_returns() -> None:
    held = Presentations(rearm_ns=2_000)
    frames = [held.begins_presentation("A", at) for at in range(0, 60_000, 33)]
    assert frames == [True] + [False] * (len(frames) - 1)
    assert held.begins_presentation("A", 60_000 + 2_001)


def test_two_codes_in_view_each_count_once() -> None:
    held = Presentations(REARM)
    answers = [held.begins_presentation("AB"[n % 2], n) for n in range(40)]
    assert answers == [True, True] + [False] * 38


def test_a_source_that_starts_its_stamps_again_is_not_ignored() -> None:
    held = Presentations(REARM)
    assert held.begins_presentation("A", 1_000_000)
    assert held.begins_presentation("A", 5)
    assert not held.begins_presentation("A", 6)


def test_a_flood_is_bounded_and_hides_nobody() -> None:
    held = Presentations(REARM, capacity=64)
    assert all(held.begins_presentation(f"code {n}", n // 1_000) for n in range(10_000))
    assert len(held) == 64
    assert held.begins_presentation("A", 10)
    assert not held.begins_presentation("A", 11)


@pytest.mark.parametrize(("rearm_ns", "capacity"), [(-1, 1), (0, 0)])
def test_impossible_settings_are_refused(rearm_ns: int, capacity: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        Presentations(rearm_ns, capacity)
