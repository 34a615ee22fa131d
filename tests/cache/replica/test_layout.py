"""Protects records: each gives back what went in, or it was not let in."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.hours import Hours
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    RosterEntry,
    TestResult,
    WatchEntry,
    Withdrawal,
)
from cache.errors import LayoutError
from cache.replica.forms import FieldForm
from cache.replica.layout import (
    ALIASES_1,
    CREDENTIALS_1,
    LAYOUTS,
    OFFICERS_1,
    PERMITS_1,
    PERSONS_1,
    PERSONS_2,
    PERSONS_3,
    ROSTER_1,
    WATCH_1,
    BitField,
    Group,
    Layout,
    layout_of,
)
from tests.cache.replica import records

CASES: list[tuple[Layout[Any], int, st.SearchStrategy[Any]]] = [
    (PERSONS_1, 10, records.facts_1),
    (PERSONS_2, 17, records.facts_2),
    (PERSONS_3, 16, records.facts_3),
    (ALIASES_1, 8, records.aliases),
    (CREDENTIALS_1, 3, records.withdrawals),
    (PERMITS_1, 12, records.permits),
    (ROSTER_1, 8, records.roster_entries),
    (WATCH_1, 2, records.watch_entries),
    (OFFICERS_1, 7, records.officers),
]
A_PERMIT = Permit(CredentialStatus.ACTIVE, records.FIRST_H, records.LAST_H)


@pytest.mark.parametrize(("layout", "size", "values"), CASES, ids=lambda c: getattr(c, "id", ""))
@given(data=st.data())
def test_what_was_packed_comes_back(
    layout: Layout[Any], size: int, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    packed = layout.pack(value)
    assert len(packed) == layout.record_bytes == size
    assert layout.unpack(packed) == value


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: f"layout-{layout.id}")
@given(data=st.data())
def test_any_bytes_are_a_record_of_one_form_or_refused(
    layout: Layout[Any], data: st.DataObject
) -> None:
    packed = data.draw(st.binary(min_size=layout.record_bytes, max_size=layout.record_bytes))
    try:
        value = layout.unpack(packed)
    except LayoutError:
        return
    assert layout.pack(value) == packed


def test_the_documented_records_are_the_packed_ones() -> None:
    # docs/replica-format.md walks through these very records.
    person = PersonFacts(doses=2, last_dose=date(2021, 8, 1), born=date(1980, 1, 1), district=7)
    first = 2 << 2 | 579 << 11 | 29_220 << 50 | 7 << 66
    assert int.from_bytes(PERSONS_1.pack(person), "little") == first
    tested = msgspec.structs.replace(
        person, tested_h=453_300, test_result=TestResult.NEGATIVE, declared_h=453_312, identity=4711
    )
    second = first | 15_013 << 80 | 1 << 98 | 15_025 << 100 | 4711 << 120
    assert int.from_bytes(PERSONS_2.pack(tested), "little") == second
    permit = Permit(
        CredentialStatus.ACTIVE, 453_300, 453_372, 1 << 8, 760, Hours(1_320, 360, 0b001_1111)
    )
    hours = 1_320 | 360 << 11 | 31 << 22
    bits = 15_013 << 2 | 15_085 << 20 | 1 << 8 + 38 | 760 << 53 | hours << 67
    assert int.from_bytes(PERMITS_1.pack(permit), "little") == bits


@pytest.mark.parametrize(
    "change",
    [
        {"doses": 16},
        {"doses": -1},
        {"district": 16_384},
        {"last_dose": date(2019, 12, 31)},
        {"last_dose": date(2042, 6, 5)},
        {"isolation_until": date.max},
        {"born": date(1899, 12, 31)},
        {"born": date(1, 1, 1)},
        {"tested_h": records.FIRST_H - 1},
        {"tested_h": 0},
        {"declared_h": records.LAST_H + 1},
        {"identity": 65_536},
    ],
    ids=str,
)
def test_facts_that_do_not_fit_are_refused_not_bent(change: dict[str, object]) -> None:
    with pytest.raises(LayoutError, match=next(iter(change))):
        PERSONS_2.pack(msgspec.structs.replace(PersonFacts(), **change))


@pytest.mark.parametrize(
    ("layout", "value"),
    [
        (CREDENTIALS_1, Withdrawal(not_before_h=-5)),
        (PERMITS_1, msgspec.structs.replace(A_PERMIT, from_h=records.FIRST_H - 1)),
        (PERMITS_1, msgspec.structs.replace(A_PERMIT, until_h=records.LAST_H + 1)),
        (PERMITS_1, msgspec.structs.replace(A_PERMIT, places=1 << 15)),
        (ROSTER_1, RosterEntry(CredentialStatus.ACTIVE, date(2019, 1, 1))),
        (WATCH_1, WatchEntry(CredentialStatus.ACTIVE, date.max)),
        (OFFICERS_1, Officer(CredentialStatus.ACTIVE, 1 << 27)),
        (OFFICERS_1, Officer(CredentialStatus.ACTIVE, 1, district=-1)),
    ],
)
def test_no_layout_bends_a_value(layout: Layout[Any], value: Any) -> None:
    with pytest.raises(LayoutError, match="fit"):
        layout.pack(value)


@pytest.mark.parametrize(
    ("layout", "packed"),
    [
        (PERSONS_1, 2),
        (PERSONS_1, 3),
        (PERSONS_1, 9 << 6),
        (PERSONS_1, 14 << 6),
        (PERSONS_2, 3 << 98),
        (CREDENTIALS_1, 1 << 20),
        (PERMITS_1, 0),
        (ROSTER_1, 1 << 28),  # from 00:01 on no day of the week
        (ROSTER_1, 1_440 << 28 | 1 << 50),
        (ROSTER_1, 1 << 63),
        (WATCH_1, 1 << 15),
    ],
)
def test_a_value_without_a_meaning_is_no_answer(layout: Layout[Any], packed: int) -> None:
    with pytest.raises(LayoutError):
        layout.unpack(packed.to_bytes(layout.record_bytes, "little"))


def test_an_unknown_layout_is_refused() -> None:
    assert layout_of(1) is LAYOUTS[1]
    with pytest.raises(LayoutError, match="99"):
        layout_of(99)


def test_a_layout_names_the_records_fields_and_leaves_out_none_without_a_default() -> None:
    with pytest.raises(LayoutError):
        Layout(9, PersonFacts, (*PERSONS_1.fields[:-1], BitField("age", 7, FieldForm.NUMBER)))
    with pytest.raises(LayoutError):
        Layout(9, Permit, PERMITS_1.fields[:2])


def test_groups_say_where_in_which_word_they_are() -> None:
    assert PERSONS_3.groups == (
        Group(0, 0, 30),
        Group(0, 30, 21),
        Group(0, 51, 13),
        Group(1, 0, 8),
        Group(1, 8, 20),
        Group(1, 28, 20),
        Group(1, 48, 16),
    )
    for layout in LAYOUTS.values():
        assert layout.coded == (layout is PERSONS_3)
        assert layout.coded or layout.groups == (Group(0, 0, sum(f.bits for f in layout.fields)),)


@pytest.mark.parametrize(
    "group_bits",
    [
        (30, 21, 13, 8, 20, 20),  # the identity is in none
        (30, 21, 13, 8, 20, 20, 15, 1),  # half of it is
        (30, 21, 13, 8, 20, 20, 17),
        (29, 22, 13, 8, 20, 20, 16),
        (30, 21, 21, 20, 20, 16),  # across the words
    ],
    ids=str,
)
def test_groups_that_split_a_field_or_a_word_or_leave_bits_out_are_refused(
    group_bits: tuple[int, ...],
) -> None:
    with pytest.raises(LayoutError):
        Layout(8, PersonFacts, PERSONS_3.fields, group_bits)
