"""Protects the choice among rulebooks: by district, by date, and that one always answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust, Instant
from admission.rulebook import Rulebook
from admission.rulebooks import Rulebooks, uncovered
from tests.worlds import ManualClock

DAY_NS = 86_400 * 10**9
NOW = ManualClock().now()


def book(base: Rulebook, name: str, **more: Any) -> Rulebook:
    return msgspec.structs.replace(base, id=name, **more)


def at(days: float) -> Instant:
    return msgspec.structs.replace(NOW, wall_ns=NOW.wall_ns + int(days * DAY_NS))


def test_the_gates_own_rulebook_answers_where_no_other_does(rulebook: Rulebook) -> None:
    later = book(rulebook, "later", starts_ns=at(1).wall_ns)
    elsewhere = book(rulebook, "elsewhere", districts=frozenset({761}))
    books = Rulebooks(rulebook, [later, elsewhere])
    assert books.in_force(760, NOW).id == rulebook.id
    assert books.in_force(760, at(1)).id == "later"
    assert books.in_force(761, NOW).id == "elsewhere"


def test_an_end_is_not_part_of_the_time_in_force(rulebook: Rulebook) -> None:
    short = book(rulebook, "short", starts_ns=at(0).wall_ns, ends_ns=at(1).wall_ns)
    books = Rulebooks(rulebook, [short])
    assert books.in_force(1, at(0)).id == "short"
    assert books.in_force(1, at(0.999)).id == "short"
    assert books.in_force(1, at(1)).id == rulebook.id


def test_a_newer_version_of_the_gates_own_takes_its_place(rulebook: Rulebook) -> None:
    newer = book(rulebook, rulebook.id, version=rulebook.version + 1)
    older = book(rulebook, rulebook.id, version=rulebook.version)
    assert Rulebooks(rulebook, [newer, older]).in_force(1, NOW).version == newer.version
    assert Rulebooks(newer, [older]).in_force(1, NOW).version == newer.version


def test_without_a_date_the_periods_of_rulebooks_are_not_judged(rulebook: Rulebook) -> None:
    over = book(rulebook, "over", ends_ns=at(-1).wall_ns)
    undated = msgspec.structs.replace(NOW, trust=ClockTrust.UNKNOWN)
    assert over.in_force(1, undated)
    assert not over.in_force(1, NOW)


@given(
    st.lists(
        st.tuples(
            st.integers(-5, 5) | st.none(),
            st.integers(-5, 5) | st.none(),
            st.sets(st.integers(1, 3)),
        ),
        max_size=6,
    ),
    st.integers(0, 4),
    st.integers(-6, 6),
)
def test_one_rulebook_always_answers_and_is_in_force_or_the_gates_own(
    rulebook: Rulebook,
    others: list[tuple[int | None, int | None, set[int]]],
    district: int,
    days: int,
) -> None:
    books = [
        book(
            rulebook,
            f"other-{n}",
            starts_ns=None if starts is None else at(starts).wall_ns,
            ends_ns=None if ends is None else at(ends).wall_ns,
            districts=frozenset(districts),
        )
        for n, (starts, ends, districts) in enumerate(others)
    ]
    answers = Rulebooks(rulebook, books).in_force(district, at(days))
    assert answers.in_force(district, at(days)) or answers is rulebook


def test_a_time_without_a_rulebook_is_found(rulebook: Rulebook) -> None:
    first = book(rulebook, "first", ends_ns=_ns(2021, 9, 15))
    second = book(rulebook, "second", starts_ns=_ns(2021, 9, 17))
    assert list(uncovered([second, first])) == [
        (0, "2021-09-15T07:00:00+07:00", "2021-09-17T07:00:00+07:00")
    ]
    last = book(rulebook, "last", starts_ns=_ns(9999, 12, 31) + 86_399 * 10**9)
    assert next(uncovered([first, last]))[2] == "9999-12-31T23:59:59+00:00"
    assert list(uncovered([first, book(second, "touching", starts_ns=_ns(2021, 9, 15))])) == []


@pytest.mark.parametrize("districts", [frozenset(), frozenset({760})])
def test_a_rulebook_without_limits_leaves_no_gap(
    rulebook: Rulebook, districts: frozenset[int]
) -> None:
    assert list(uncovered([book(rulebook, "a", districts=districts), rulebook])) == []


def _ns(*day: int) -> int:
    moment = datetime(day[0], day[1], day[2], tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
