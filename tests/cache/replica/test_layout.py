"""A record gives back the facts that went in, or none were let in."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given

from admission.standing import PersonFacts
from cache.errors import LayoutError
from cache.replica.layout import LAYOUTS, PERSONS_1, BitField, FieldForm, Layout, layout_of
from tests.cache.replica.releases import facts


@given(facts)
def test_facts_survive_the_record(person: PersonFacts) -> None:
    record = PERSONS_1.pack(person)
    assert len(record) == PERSONS_1.record_bytes == 10
    assert PERSONS_1.unpack(record) == person


def test_the_documented_record_is_the_packed_one() -> None:
    # docs/replica-format.md walks through this very record.
    person = PersonFacts(doses=2, last_dose=date(2021, 8, 1), born=date(1980, 1, 1), district=7)
    packed = 2 << 2 | 579 << 11 | 29_220 << 50 | 7 << 66
    assert int.from_bytes(PERSONS_1.pack(person), "little") == packed


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
    ],
    ids=str,
)
def test_facts_that_do_not_fit_are_refused_not_bent(change: dict[str, object]) -> None:
    with pytest.raises(LayoutError, match=next(iter(change))):
        PERSONS_1.pack(msgspec.structs.replace(PersonFacts(), **change))


@pytest.mark.parametrize("packed", [2, 3, 9 << 6, 14 << 6])
def test_a_value_without_a_meaning_is_no_answer(packed: int) -> None:
    with pytest.raises(LayoutError):
        PERSONS_1.unpack(packed.to_bytes(10, "little"))


def test_an_unknown_layout_is_refused() -> None:
    assert layout_of(1) is LAYOUTS[1]
    with pytest.raises(LayoutError, match="99"):
        layout_of(99)


def test_a_layout_names_every_fact_and_fills_whole_bytes() -> None:
    with pytest.raises(LayoutError):
        Layout(9, PERSONS_1.fields[:-1])
    with pytest.raises(LayoutError):
        Layout(9, (*PERSONS_1.fields[:-1], BitField("district", 13, FieldForm.NUMBER)))
