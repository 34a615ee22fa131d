"""Protects deadlines: ages, waiting days and months are counted by the calendar, not by 30 days."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.facts import EXTERNAL, PAYLOAD, Course, completed_years, months_begun, rule_data
from admission.standing import PersonFacts, Product

TODAY = date(2021, 9, 20)
COURSES = {Product.PFIZER: Course(doses=2, waiting_days=14)}
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def test_the_names_are_those_that_rulebooks_are_checked_against() -> None:
    data = rule_data(PersonFacts(), COURSES, TODAY)
    assert set(data["payload"]) == PAYLOAD
    assert set(data["external"]) == EXTERNAL


def test_what_is_not_known_is_null() -> None:
    payload = rule_data(PersonFacts(), COURSES, TODAY)["payload"]
    known = {name for name, value in payload.items() if value is not None}
    assert known == {"doses", "product", "vulnerable", "district"}


def test_what_is_known_is_derived_for_today() -> None:
    facts = PersonFacts(
        doses=2,
        product=Product.PFIZER,
        last_dose=date(2021, 9, 6),
        recovered=date(2021, 3, 21),
        born=date(1956, 9, 20),
        vulnerable=True,
        district=7,
    )
    data = rule_data(facts, COURSES, TODAY)
    assert data["external"] == {"today": "2021-09-20"}
    assert data["payload"] == {
        "doses": 2,
        "product": "pfizer",
        "last_dose": "2021-09-06",
        "days_since_last_dose": 14,
        "doses_required": 2,
        "waiting_days": 14,
        "recovered": "2021-03-21",
        "months_since_recovery": 6,
        "born": "1956-09-20",
        "age": 65,
        "vulnerable": True,
        "district": 7,
    }


def _months_later(since: date, months: int) -> date:
    """The last day within `months` of `since`: the corresponding day, or the month's last."""
    years, index = divmod(since.month - 1 + months, 12)
    last = monthrange(since.year + years, index + 1)[1]
    return date(since.year + years, index + 1, min(since.day, last))


@given(days, st.integers(0, 24), st.sampled_from([-1, 0, 1]))
def test_a_day_is_within_n_months_until_the_corresponding_day(
    since: date, months: int, offset: int
) -> None:
    deadline = _months_later(since, months)
    today = max(since, deadline + timedelta(days=offset))
    assert (months_begun(since, today) <= months) is (today <= deadline)


@given(days, days)
def test_months_ahead_are_negative_and_the_day_itself_is_none(since: date, today: date) -> None:
    if since == today:
        assert months_begun(since, today) == 0
    elif today > since:
        assert months_begun(since, today) > 0
    else:
        assert months_begun(since, today) < 0


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(1956, 9, 20), date(2021, 9, 19), 64),
        (date(1956, 9, 20), date(2021, 9, 20), 65),
        (date(1956, 2, 29), date(2021, 2, 28), 64),
        (date(1956, 2, 29), date(2021, 3, 1), 65),
        (date(2021, 9, 21), date(2021, 9, 20), -1),
    ],
)
def test_years_are_completed_on_the_birthday(born: date, today: date, years: int) -> None:
    assert completed_years(born, today) == years
