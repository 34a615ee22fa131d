"""Protects what a DCC's content means at the gate, for the odd forms that issuers really printed.

The cases are those of dcc-quality-assurance, SpecialCaseHandling.md.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import Evidence, Holder
from admission.credentials import dcc_payload
from admission.standing import PersonFacts, Product, TestResult
from tests.admission.credentials.dcc_codes import person, recovery, test, vaccination


def facts(payload: dict[str, Any]) -> PersonFacts:
    content = dcc_payload.read(payload)
    assert content is not None
    return content.certificate.facts


def test_a_vaccination_gives_doses_product_and_date() -> None:
    assert facts(vaccination()) == PersonFacts(
        doses=2,
        product=Product.PFIZER,
        last_dose=date(2021, 8, 1),
        born=date(1987, 1, 18),
    )


def test_a_test_gives_its_hour_and_result() -> None:
    found = facts(test())
    # 2021-09-19 01:30 UTC: the sample counts from the full hour before it.
    assert (found.tested_h, found.test_result) == (453_337, TestResult.NEGATIVE)
    assert facts(test(tr="260373001")).test_result is TestResult.POSITIVE
    assert facts(test(tr="unknown")).test_result is TestResult.NONE


def test_a_recovery_gives_the_first_positive_test() -> None:
    content = dcc_payload.read(recovery())
    assert content is not None
    assert content.certificate.evidence is Evidence.RECOVERY
    assert content.certificate.facts.recovered == date(2021, 6, 1)
    assert content.certificate.first_day == date(2021, 6, 15)
    assert content.certificate.last_day == date(2021, 12, 1)


@pytest.mark.parametrize(
    ("code", "product"),
    [
        ("EU/1/20/1528", Product.PFIZER),
        ("EU/1/20/1507", Product.MODERNA),
        ("EU/1/21/1529", Product.ASTRAZENECA),
        ("Covishield", Product.ASTRAZENECA),
        ("EU/1/20/1525", Product.JANSSEN),
        ("BBIBP-CorV", Product.SINOPHARM),
        ("CoronaVac", Product.SINOVAC),
        ("Sputnik-V", Product.SPUTNIK_V),
        ("Abdala", Product.ABDALA),
        ("EU/1/21/1618", Product.OTHER),
        ("\tEU/1/20/1528 \n", Product.PFIZER),
        (7, Product.OTHER),
    ],
)
def test_products_of_the_value_set(code: object, product: Product) -> None:
    assert facts(vaccination(mp=code)).product is product


@pytest.mark.parametrize(
    ("doses", "counted"), [(1, 1), (3.0, 3), (12, 12), (-1, 0), (2.5, 0), ("2", 0), (True, 0)]
)
def test_doses_of_odd_forms(doses: object, counted: int) -> None:
    assert facts(vaccination(dn=doses)).doses == counted


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2021-08-01T10:00:00+02:00", date(2021, 8, 1)),
        (" 2021-08-01 ", date(2021, 8, 1)),
        ("2022-17-01", None),
        ("01.08.2021", None),
        ("2021-08", None),
        ("", None),
        (20210801, None),
    ],
)
def test_dates_of_odd_forms_are_read_or_not_known(written: object, read: date | None) -> None:
    assert facts(vaccination(dt=written)).last_dose == read


@pytest.mark.parametrize(
    ("written", "whole", "earliest"),
    [
        ("1956-09-21", date(1956, 9, 21), date(1956, 9, 21)),
        ("1956-09-21T00:00:00", date(1956, 9, 21), date(1956, 9, 21)),
        ("1956-09", None, date(1956, 9, 1)),
        ("1956", None, date(1956, 1, 1)),
        ("1956-00-20", None, date(1956, 1, 20)),
        ("", None, None),
        ("unknown", None, None),
        ("0001-01-01", None, None),
        (None, None, None),
    ],
)
def test_a_partial_birth_date_counts_as_the_earliest_and_names_nobody(
    written: str | None, whole: date | None, earliest: date | None
) -> None:
    content = dcc_payload.read({**vaccination(), "dob": written})
    assert content is not None
    assert content.holder is not None
    assert content.holder.born == whole
    assert content.certificate.facts.born == earliest


@pytest.mark.parametrize(
    ("names", "holder"),
    [
        ({"fn": "Nguyễn", "gn": "An"}, "Nguyễn An"),
        ({"fnt": "NGUYEN<THI", "gnt": "AN"}, "NGUYEN THI AN"),
        ({"gn": ' An "Bé" '}, 'An "Bé"'),
        ({"fn": None, "fnt": "NGUYEN1"}, "NGUYEN1"),
        ({"fn": 7}, None),
        ({}, None),
        ("Nguyen", None),
        ({"fn": "A" * 1_000}, None),
        ({"fn": "A\u202eB"}, None),
    ],
)
def test_names_of_odd_forms(names: object, holder: str | None) -> None:
    content = dcc_payload.read({**vaccination(), "nam": names})
    assert content is not None
    assert content.holder == (None if holder is None else Holder(holder, date(1987, 1, 18)))


def test_nulls_white_space_and_whole_floats_leave_the_data_of_the_rules() -> None:
    odd = vaccination(dn=2.0, mp=" EU/1/20/1528\n")
    odd |= {"t": None, "r": [], "nam": {**odd["nam"], "gn": None}}
    odd["v"][0]["nm"] = None
    content = dcc_payload.read(odd)
    assert content is not None
    data = content.certificate.data
    assert data["v"][0] == vaccination()["v"][0]
    assert set(data) == {"ver", "nam", "dob", "v"}
    assert "gn" not in data["nam"]


def test_more_than_one_event_is_refused() -> None:
    assert dcc_payload.read(person(v=vaccination()["v"] * 2)) is None
    assert dcc_payload.read({**vaccination(), **recovery()}) is None
    assert dcc_payload.read(person()) is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["v", "dn", "ci", "fn"]) | st.integers(), inner)
    ),
    max_leaves=8,
)


@given(st.sampled_from([vaccination, test, recovery]), st.data())
def test_no_payload_raises(make: Any, data: st.DataObject) -> None:
    payload = make()
    group = next(key for key in "vtr" if key in payload)
    for container in (payload, payload[group][0], payload["nam"]):
        key = data.draw(st.sampled_from(sorted(container)))
        container[key] = data.draw(st.just(container[key]) | ODD)
    dcc_payload.read(payload)


@given(ODD)
def test_no_value_raises(value: object) -> None:
    dcc_payload.read(value)
