"""Protects what a cell of an imported file means: the right value, or a reason, never a guess."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.hours import Hours
from admission.identity import Identifier, IdentifierKind
from admission.site import Place
from admission.standing import Product, TestResult
from hub import cells
from hub.errors import CellError

READERS: list[Callable[[str], Any]] = [
    cells.a_date,
    cells.hour_down,
    cells.hour_up,
    cells.hours,
    cells.whole(0, 99),
    cells.yes_or_no,
    cells.places,
    cells.plain,
    cells.person_name,
    cells.status,
    cells.product,
    cells.test_result,
    cells.document,
    *(cells.identifier(kind) for kind in IdentifierKind),
]


@given(st.text(min_size=1, max_size=60) | st.text("0123456789-:/T+Zmon, ", min_size=1, max_size=40))
def test_any_text_is_a_value_or_a_reason_that_does_not_repeat_it(text: str) -> None:
    for read in READERS:
        reason = ""
        try:
            read(text)
        except CellError as error:
            reason = str(error)
        assert len(text) < 12 or text not in reason


@given(st.dates(date(1, 1, 1)))
def test_dates_are_read_in_both_forms(day: date) -> None:
    assert cells.a_date(day.isoformat()) == day
    assert cells.a_date(f"{day.day}/{day.month}/{day.year:04}") == day
    assert cells.a_date(f"{day.day:02}/{day.month:02}/{day.year:04}") == day


@pytest.mark.parametrize("text", ["2021-02-30", "09/16/2021", "16.09.2021", "16/9/21", "20210916"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(CellError, match="16/09/2021"):
        cells.a_date(text)


@given(st.integers(0, 10**8), st.integers(-12 * 4, 14 * 4))
def test_moments_are_rounded_to_the_full_hour_that_is_asked_for(minutes: int, zone: int) -> None:
    seconds = minutes * 60
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=15 * zone)))
    down, up = cells.hour_down(moment.isoformat()), cells.hour_up(moment.isoformat())
    assert down * 3_600 <= seconds < (down + 1) * 3_600
    assert (up - 1) * 3_600 < seconds <= up * 3_600


def test_moments_have_a_time_zone_and_either_form_of_date() -> None:
    midnight = cells.hour_down("2021-09-16T00:00+07:00")
    assert midnight == cells.hour_down("16/09/2021 00:00 +0700")
    assert midnight == cells.hour_down("2021-09-15T17:59:59Z")
    for text in ("2021-09-16T00:00", "2021-09-16", "2021-09-16T24:01+07:00", "1969-12-31T00:00Z"):
        with pytest.raises(CellError):
            cells.hour_down(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("07:00-18:00", Hours(420, 1_080)),
        ("mon-fri 7:00 - 18:00", Hours(420, 1_080, 0b001_1111)),
        ("7:00-18:00 mon-fri", Hours(420, 1_080, 0b001_1111)),
        ("T2-T6, CN 22:00–06:00", Hours(1_320, 360, 0b101_1111)),
        ("sat-mon 00:00-24:00", Hours(0, 1_440, 0b110_0001)),
    ],
)
def test_hours_are_read(text: str, expected: Hours) -> None:
    assert cells.hours(text) == expected


@pytest.mark.parametrize(
    "text", ["7-18", "25:00-26:00", "07:60-08:00", "someday 07:00-08:00", "mon 7:00-8:00 tue"]
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        cells.hours(text)


def test_words_are_read_whatever_their_case_accents_and_spaces() -> None:
    assert cells.product("Astra Zeneca") is Product.ASTRAZENECA
    assert cells.product("VERO CELL") is Product.SINOPHARM
    assert cells.test_result("Âm tính") is TestResult.NEGATIVE
    assert cells.yes_or_no("Có")
    assert not cells.yes_or_no("KHÔNG")
    order = list(Place)
    bits = 1 << order.index(Place.CONTROL_STATION) | 1 << order.index(Place.FOOD_OUTLET)
    assert cells.places("Control station | FOOD-OUTLET") == bits


def test_numbers_of_people_get_the_form_that_gates_look_up() -> None:
    document = cells.identifier(IdentifierKind.DOCUMENT)
    assert document(" b 123-4567 ") == Identifier(IdentifierKind.DOCUMENT, "B1234567")
    code = cells.identifier(IdentifierKind.TYPED_CODE)
    assert code("572 1300 4864").value == "57213004864"
    with pytest.raises(CellError, match="check digit"):
        code("57213004846")
    with pytest.raises(CellError, match="unmasked"):
        document("001093******")


@pytest.mark.parametrize(
    "number", ["000190123456", "271123456", "B1234567", "12345678AB", "1234567"]
)
def test_a_document_that_lost_no_zeros_is_taken(number: str) -> None:
    assert cells.document(number) == Identifier(IdentifierKind.DOCUMENT, number)


@pytest.mark.parametrize("number", ["1190123456", "11 9012 34567"])
def test_a_citizen_card_without_its_leading_zeros_is_no_document(number: str) -> None:
    with pytest.raises(CellError, match="leading zeros"):
        cells.document(number)
