"""Protects the cross-checks of the citizen's number: they warn, and they never raise or refuse."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import CredentialKind, Doubt
from admission.credentials import citizen_card, citizen_number, personal_qr
from admission.credentials.citizen_number import Sex, doubts, read

dates = st.none() | st.dates()


@pytest.mark.parametrize(
    ("number", "sex", "birth_year"),
    [  # Decree 137/2015, article 13: every digit for century and sex
        ("001087000001", Sex.MALE, 1987),
        ("001187000001", Sex.FEMALE, 1987),
        ("001203000001", Sex.MALE, 2003),
        ("001303000001", Sex.FEMALE, 2003),
        ("001403000001", Sex.MALE, 2103),
        ("001503000001", Sex.FEMALE, 2103),
        ("001603000001", Sex.MALE, 2203),
        ("001703000001", Sex.FEMALE, 2203),
        ("001803000001", Sex.MALE, 2303),
        ("001903000001", Sex.FEMALE, 2303),
    ],
)
def test_century_sex_and_year_are_read(number: str, sex: Sex, birth_year: int) -> None:
    said = read(number)
    assert said is not None
    assert (said.place, said.sex, said.birth_year) == (1, sex, birth_year)


def test_there_are_63_provinces_between_hanoi_and_ca_mau() -> None:
    assert len(citizen_number.PROVINCES) == 63
    assert (min(citizen_number.PROVINCES), max(citizen_number.PROVINCES)) == (1, 96)


@pytest.mark.parametrize("place", ["000", "003", "097", "099", "100", "900", "999"])
def test_a_place_that_was_never_assigned_is_a_doubt(place: str) -> None:
    assert doubts(place + "087000001") == (Doubt.PROVINCE_UNKNOWN,)


@pytest.mark.parametrize("place", ["001", "079", "096", "101", "899"])
def test_a_province_or_country_is_none(place: str) -> None:
    assert doubts(place + "087000001") == ()


def test_every_doubt_is_told_at_once() -> None:
    assert doubts("000187000001", born=date(1988, 1, 1), sex=Sex.MALE, issued=date(1987, 1, 1)) == (
        Doubt.PROVINCE_UNKNOWN,
        Doubt.BIRTH_YEAR_DIFFERS,
        Doubt.SEX_DIFFERS,
        Doubt.ISSUED_BEFORE_BIRTH,
    )


def test_a_card_of_before_the_numbers_birth_year_is_a_doubt_without_a_birth_date() -> None:
    assert doubts("001087000001", issued=date(1986, 12, 31)) == (Doubt.ISSUED_BEFORE_BIRTH,)
    assert doubts("001087000001", issued=date(1987, 1, 1)) == ()


@given(st.text(max_size=14) | st.from_regex(r"[0-9]{12}", fullmatch=True), dates, dates)
def test_nothing_is_refused_whatever_the_number(
    number: str, born: date | None, issued: date | None
) -> None:
    found = doubts(number, born=born, sex=Sex.FEMALE, issued=issued)
    assert len(set(found)) == len(found) <= 4
    if read(number) is None:
        assert set(found) <= {Doubt.ISSUED_BEFORE_BIRTH}


def test_the_decisions_own_sample_is_doubted_and_still_read() -> None:
    credential = personal_qr.parse(
        "001093029317|NGUYEN VAN A|1987-01-18|0|162979388586171100|<1<00<0123232422"
    )
    assert credential.kind is CredentialKind.PERSONAL_QR
    assert credential.doubts == (Doubt.BIRTH_YEAR_DIFFERS,)
    assert len(credential.identifiers) == 2


def test_the_sex_in_ext_and_on_the_card_is_compared() -> None:
    qr = "001087029317|NGUYEN VAN A|1987-01-18|0|1629793|<{}<<"
    assert personal_qr.parse(qr.format(2)).doubts == (Doubt.SEX_DIFFERS,)
    for unsaid in ("1", "0", "*", ""):
        assert personal_qr.parse(qr.format(unsaid)).doubts == ()
    card = "001087000017||Nguyễn Văn A|18011987|{}|Quận 3|01072021"
    assert citizen_card.parse(card.format("Nữ")).doubts == (Doubt.SEX_DIFFERS,)
    assert citizen_card.parse(card.format("Nam")).doubts == ()


def test_an_old_number_that_was_issued_twice_is_a_doubt() -> None:
    qr = personal_qr.parse("271460000|NGUYEN VAN A|1987-01-18|0|1629793|")
    card = citizen_card.parse("001087000017|271460000|Nguyễn A|18011987|Nam|Quận 3|01072021")
    assert qr.doubts == card.doubts == (Doubt.NUMBER_NOT_UNIQUE,)


def test_a_card_issued_before_its_holders_birth_is_a_doubt() -> None:
    card = citizen_card.parse("001087000017||Nguyễn A|18011987|Nam|Quận 3|17011987")
    assert card.doubts == (Doubt.ISSUED_BEFORE_BIRTH,)
