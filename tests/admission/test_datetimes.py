"""Protects waiting times and deadlines: date-times parse and move as the specification says."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission import datetimes
from admission.errors import RuleError

NOON = datetime(2021, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-06-01T12:00:00", NOON),
        ("2021-06-01T12:00:00Z", NOON),
        ("2021-06-01T19:00:00+7", NOON),
        ("2021-06-01T19:00:00+07", NOON),
        ("2021-06-01T19:30:00+730", NOON),
        ("2021-06-01T19:30:00+0730", NOON),
        ("2021-06-01T19:30:00+7:30", NOON),
        ("2021-06-01T08:30:00.000-03:30", NOON),
        ("2021-06-01T12:00:00.9999999Z", NOON + timedelta(milliseconds=999)),
        ("2021-06-01T12:00:00.5", NOON + timedelta(milliseconds=500)),
        ("2021-06-01", datetime(2021, 6, 1, tzinfo=UTC)),
        ("2021-06", datetime(2021, 6, 30, tzinfo=UTC)),
        ("2021", datetime(2021, 12, 31, tzinfo=UTC)),
    ],
)
def test_every_allowed_format_is_read(text: str, expected: datetime) -> None:
    assert datetimes.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2021-13", "2021-00", "2021-09-99", "0000", "21-06-01", "2021-6-1", "2021-06-01 12:00:00",
     "2021-06-01T12:00", "2021-06-01T12:00:00+", "2021-06-01T12:00:00+99", "２０２１",
     "2021-06-01\n", "0001-01-01T00:00:00+23", "2021-06-01T12:00:00." + "0" * 80],
)  # fmt: skip
def test_what_names_no_date_time_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        datetimes.parse(text)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "expected"),
    [
        ("2020-02-29", 1, "day", "2020-03-01"),
        ("2020-02-29", 1, "month", "2020-03-29"),
        ("2020-02-29", 1, "year", "2021-03-01"),
        ("2021-01-31", 1, "month", "2021-03-03"),
        ("2021-03-31", -1, "month", "2021-03-03"),
        ("2021-12-31", 2, "month", "2022-03-03"),
        ("2021-01-15", -13, "month", "2019-12-15"),
        ("2021-01-15", -24, "hour", "2021-01-14"),
    ],
)
def test_offsets_run_over_as_in_ecmascript(
    start: str, amount: int, unit: str, expected: str
) -> None:
    moved = datetimes.plus(datetimes.parse(start), amount, unit)
    assert moved.isoformat() == f"{expected}T00:00:00+00:00"


@given(st.datetimes(), st.integers(-(10**6), 10**6), st.sampled_from(sorted(datetimes.UNITS)))
def test_any_offset_gives_a_date_or_a_rule_error(start: datetime, amount: int, unit: str) -> None:
    try:
        moved = datetimes.plus(start.replace(tzinfo=UTC), amount, unit)
    except RuleError:
        return
    assert moved.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_iso_texts_read_back_to_the_millisecond(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert datetimes.parse(moment.isoformat()) == cut


@given(st.text(max_size=80))
def test_any_text_gives_a_date_time_or_a_rule_error(text: str) -> None:
    with contextlib.suppress(RuleError):
        datetimes.parse(text)


@given(
    st.from_regex(
        r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,4})?(Z|[+-]\d\d:\d\d)?)?", fullmatch=True
    )
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.text(max_size=30)
)
def test_the_quick_way_for_common_forms_reads_as_the_whole_one_does(text: str) -> None:
    found: list[object] = []
    for read in (datetimes.parse, datetimes._parsed):
        try:
            found.append(read(text))
        except RuleError:
            found.append(None)
    assert found[0] == found[1]
