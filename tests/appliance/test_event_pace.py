"""Protects the disk: however a contact chatters, few entries a minute are written of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.event_pace import EventPace

SECOND = 1_000_000_000


@given(st.lists(st.integers(0, 30 * SECOND), max_size=60), st.integers(1, 6))
def test_no_stretch_of_time_holds_more_than_the_burst_and_one_each_period(
    steps: list[int], burst: int
) -> None:
    pace, now_ns, taken = EventPace(burst, 10 * SECOND), 0, []
    for step in steps:
        now_ns += step
        if pace.take("forced", now_ns):
            taken.append(now_ns)
    for first, since_ns in enumerate(taken):
        for last in range(first, len(taken)):
            spent = last - first + 1
            assert spent <= burst + (taken[last] - since_ns) // (10 * SECOND)


def test_kinds_do_not_take_each_others_places_and_rest_gives_them_back() -> None:
    pace = EventPace(2, 10)
    assert [pace.take("forced", 0) for _ in range(3)] == [True, True, False]
    assert pace.take("tamper", 0)
    assert [pace.take("forced", 1_000) for _ in range(3)] == [True, True, False]
