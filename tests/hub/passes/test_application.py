"""Protects applications: what is asked for is what is signed, and every mistake is named."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import Holder, PassKind
from admission.errors import ChotError
from admission.hours import Hours
from admission.identity import Identifier, IdentifierKind, PersonKey, person_keyer
from admission.site import Place
from hub.errors import PassError
from hub.passes.application import FIELDS, claims_for

NOW_S = 1_631_318_400
KEYER = person_keyer(bytes(32))
NUMBER = bytes(8)


def _asked(**fields: str) -> dict[str, str]:
    return {name.rstrip("_"): value for name, value in fields.items()}


def test_every_field_reaches_the_claims() -> None:
    claims = claims_for(
        _asked(
            kind="officer",
            document="b 1234567",
            name="Đỗ Thị Ánh",
            born="1987-01-18",
            from_="2021-09-12 06:00",
            valid_for="72h",
            place="hospital; clinic",
            district="760;769",
            site="kho-2",
            hours="05:00-21:00; 22:00-02:30",
            days="sat-mon,wed",
            officer_number="4016",
        ),
        number=NUMBER,
        issued_s=NOW_S,
        keyer=KEYER,
    )
    granted = claims.granted
    assert granted.kind is PassKind.OFFICER
    assert granted.subject == KEYER(Identifier(IdentifierKind.DOCUMENT, "B1234567"))
    assert granted.places == (Place.HOSPITAL, Place.CLINIC)
    assert granted.districts == (760, 769)
    assert granted.sites == ("kho-2",)
    days = 0b110_0101
    assert granted.hours == (Hours(300, 1260, days), Hours(1320, 150, days))
    assert granted.officer == 4016
    assert claims.holder == Holder("Đỗ Thị Ánh", date(1987, 1, 18))
    begins = NOW_S + 23 * 3600  # 06:00 in Vietnam is 23:00 UTC of the day before
    assert (claims.issued_s, claims.not_before_s) == (NOW_S, begins)
    assert claims.expires_s == begins + 72 * 3600


@pytest.mark.parametrize(
    ("kind", "days"), [("card", 365), ("permit", 3), ("visitor", 1), ("officer", 365)]
)
def test_how_long_a_pass_counts_if_nothing_is_said(kind: str, days: int) -> None:
    claims = claims_for({"kind": kind}, number=NUMBER, issued_s=NOW_S)
    assert claims.expires_s - NOW_S == days * 86_400
    assert claims.not_before_s is None


def test_a_person_key_is_the_bytes_of_the_pass() -> None:
    asked = _asked(kind="permit", person_key="8877665544332211")
    claims = claims_for(asked, number=NUMBER, issued_s=NOW_S)
    assert claims.granted.subject == PersonKey(0x1122334455667788)


def test_days_without_hours_are_whole_days() -> None:
    claims = claims_for(_asked(kind="visitor", days="sun"), number=NUMBER, issued_s=NOW_S)
    assert claims.granted.hours == (Hours(0, 0, 0b100_0000),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "kind"),
        (_asked(kind="king"), "kind"),
        (_asked(kind="permit", colour="red"), "colour"),
        (_asked(kind="permit", document="1"), "document"),
        (_asked(kind="permit", document="001093******"), "document"),
        (_asked(kind="permit", document="1093029317"), "leading zeros"),
        (_asked(kind="permit", document="001093029317", person_key="00" * 8), "both"),
        (_asked(kind="permit", person_key="00"), "person_key"),
        (_asked(kind="permit", person_key="x" * 16), "person_key"),
        (_asked(kind="permit", born="1987-01-18"), "born"),
        (_asked(kind="permit", name="A", born="18.01.1987"), "born"),
        (_asked(kind="permit", from_="tomorrow"), "from"),
        (_asked(kind="permit", valid_for="72"), "valid_for"),
        (_asked(kind="permit", valid_for="0h"), "valid_for"),
        (_asked(kind="permit", place="moon"), "place"),
        (_asked(kind="permit", district="Quận 1"), "district"),
        (_asked(kind="permit", district="²"), "district"),
        (_asked(kind="permit", hours="5-21"), "hours"),
        (_asked(kind="permit", hours="05:60-21:00"), "hours"),
        (_asked(kind="permit", hours="24:00-21:00"), "hours"),
        (_asked(kind="permit", hours="05:00-24:01"), "hours"),
        (_asked(kind="permit", days="mon-fr"), "days"),
        (_asked(kind="permit", days="thứ hai"), "days"),
        (_asked(kind="officer", officer_number="-1"), "officer_number"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(fields: dict[str, str], message: str) -> None:
    with pytest.raises(PassError, match=message):
        claims_for(fields, number=NUMBER, issued_s=NOW_S, keyer=KEYER)


def test_a_document_without_a_hash_key_is_refused_with_what_to_do() -> None:
    with pytest.raises(PassError) as refused:
        claims_for(_asked(kind="permit", document="001093029317"), number=NUMBER, issued_s=NOW_S)
    assert "--hash-key" in refused.value.hint


@given(st.sampled_from(FIELDS), st.text(max_size=30))
def test_no_text_in_a_field_raises_anything_else(field: str, text: str) -> None:
    with suppress(ChotError):
        claims_for({"kind": "permit", "name": "A", field: text}, number=NUMBER, issued_s=NOW_S)
