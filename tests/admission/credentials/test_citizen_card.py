"""Protects the reading of the chip card's QR: seven fields, with or without the old number."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, CredentialKind, Holder
from admission.credentials import citizen_card, parse
from tests.worlds import a_reading

CARD = "000187000017|023456789|Trần Thị Bình|18011987|Nữ|Phường 1, Quận 3|01072021"


def test_a_card_names_its_holder_by_the_new_number_first() -> None:
    credential = parse(a_reading(CARD))
    assert credential.kind is CredentialKind.CITIZEN_CARD
    assert [i.value for i in credential.identifiers] == ["000187000017", "023456789"]
    assert credential.holder == Holder("Trần Thị Bình", date(1987, 1, 18))


def test_a_card_without_the_old_number_has_one_identifier() -> None:
    credential = parse(a_reading(CARD.replace("023456789", "")))
    assert [i.value for i in credential.identifiers] == ["000187000017"]


def test_the_six_fields_that_some_readers_describe_are_read_too() -> None:
    credential = citizen_card.parse(CARD.replace("|023456789", ""))
    assert [i.value for i in credential.identifiers] == ["000187000017"]
    assert credential.holder == Holder("Trần Thị Bình", date(1987, 1, 18))


def test_a_masked_old_number_is_left_out() -> None:
    credential = parse(a_reading(CARD.replace("023456789", "023***789")))
    assert [i.value for i in credential.identifiers] == ["000187000017"]


def test_no_personal_qr_is_taken_for_a_card_of_six_fields() -> None:
    assert citizen_card.parse("000187000017|TRAN THI BINH|1987-01-18|0|1629793|") == UNRECOGNISED


def test_an_old_number_that_was_issued_twice_is_left_out() -> None:
    credential = parse(a_reading(CARD.replace("023456789", "271460000")))
    assert [i.value for i in credential.identifiers] == ["000187000017"]


@pytest.mark.parametrize("born", ["30021987", "00001987", "1987", "", "1801198", "18/1/1987"])
def test_a_birth_date_that_is_none_is_unknown_and_no_refusal(born: str) -> None:
    assert parse(a_reading(CARD.replace("18011987", born))).holder == Holder("Trần Thị Bình", None)


@pytest.mark.parametrize(
    "text",
    [
        CARD.rsplit("|", 1)[0],
        CARD + "|",
        CARD.replace("000187000017", "07918700001"),
        CARD.replace("000187000017", "079187 00017"),
        CARD.replace("023456789", "02345678"),
        CARD.replace("Trần Thị Bình", ""),
        CARD.replace("Phường 1, Quận 3", "x" * 513),
        CARD.replace("Nữ", "N" * 11),
        "||||||",
    ],
)
def test_what_breaks_the_format_is_unrecognised(text: str) -> None:
    assert parse(a_reading(text)) == UNRECOGNISED


@given(
    cccd=st.integers(0, 10**12 - 1).map("{:012}".format),
    cmnd=st.just("") | st.integers(0, 10**7 - 1).map("02{:07}".format),
    name=st.sampled_from(["Nguyễn Văn An", "Đặng Thị Ngọc Ánh", "Y Blôm Niê", "Lý Ý"]),
    born=st.dates(date(1900, 1, 1), date(2030, 1, 1)),
    issued=st.dates(date(2021, 1, 1), date(2030, 1, 1)),
)
def test_what_is_rendered_reads_back(
    cccd: str, cmnd: str, name: str, born: date, issued: date
) -> None:
    text = citizen_card.render(
        cccd=cccd, cmnd=cmnd, name=name, born=born, sex="Nam", address="Quận 3", issued=issued
    )
    credential = parse(a_reading(text))
    assert credential.kind is CredentialKind.CITIZEN_CARD
    assert [i.value for i in credential.identifiers] == ([cccd, cmnd] if cmnd else [cccd])
    assert credential.holder == Holder(name, born)


def test_nothing_is_rendered_that_would_not_read_back() -> None:
    with pytest.raises(ValueError, match="no citizen card"):
        citizen_card.render(
            cccd="12",
            name="An",
            born=date(1987, 1, 18),
            sex="Nam",
            address="Quận 3",
            issued=date(2021, 7, 1),
        )
