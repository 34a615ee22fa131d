"""Protects the reading of the insurance card: old and new cards lead to the same person."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Holder
from admission.credentials import fields, insurance_card, personal_qr
from admission.identity import Identifier, IdentifierKind

NAME = "Trần Thị Bình"
CARD = f"DN4790123456789|{NAME.encode().hex()}|18/01/1987|2|4142|79 - 025|01/01/2021|31/12/2021"
NUMBER = Identifier(IdentifierKind.INSURANCE, "0123456789")


def test_a_card_names_its_holder_by_the_ten_digits_that_stay() -> None:
    credential = insurance_card.parse(CARD)
    assert credential.kind is CredentialKind.INSURANCE_CARD
    assert credential.identifiers == (NUMBER,)
    assert credential.holder == Holder(NAME, date(1987, 1, 18))
    assert credential.doubts == ()


@pytest.mark.parametrize("number", ["0123456789", "dn4790123456789", "HS 3 01 0123456789"])
def test_other_writings_of_the_number_lead_to_the_same_person(number: str) -> None:
    credential = insurance_card.parse(CARD.replace("DN4790123456789", number))
    assert credential.identifiers == (NUMBER,)


def test_the_number_in_a_personal_qr_leads_to_the_same_person() -> None:
    qr = "001087029317|TRAN THI BINH|1987-01-18|0|1629793|999<2<GD4790123456789<0901234567<sig"
    assert personal_qr.parse(qr).identifiers[-1] == NUMBER
    masked = personal_qr.parse(qr.replace("GD4790123456789", "GD4*********789"))
    assert [i.kind for i in masked.identifiers] == [IdentifierKind.QID, IdentifierKind.DOCUMENT]


def test_neither_the_declarers_qid_nor_a_phone_is_a_key_to_anybody() -> None:
    qr = "|TRAN THI BINH|1987-01-18|1|1629793|888888888888888888<2<<0901234567"
    assert [i.value for i in personal_qr.parse(qr).identifiers] == ["1629793"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "416",
        "zz",
        "ff",
        "e3",
        "Nguyen",
        b"N*****".hex(),
        b"\x00\x01".hex(),
        "41" * 129,
        "41" * 900,
    ],
)
def test_a_name_that_cannot_be_read_leaves_the_holder_unknown(name: str) -> None:
    credential = insurance_card.parse(CARD.replace(NAME.encode().hex(), name))
    assert credential.identifiers == (NUMBER,)
    assert credential.holder is None


def test_a_name_of_decomposed_letters_is_composed() -> None:
    decomposed = "Tra\u0302\u0300n"
    credential = insurance_card.parse(CARD.replace(NAME.encode().hex(), decomposed.encode().hex()))
    assert credential.holder == Holder("Trần", date(1987, 1, 18))


@pytest.mark.parametrize("born", ["1987", "", "30/02/1987", "**/**/1987"])
def test_a_birth_date_that_is_none_is_unknown_and_no_refusal(born: str) -> None:
    assert insurance_card.parse(CARD.replace("18/01/1987", born)).holder == Holder(NAME, None)


@pytest.mark.parametrize("number", ["DN4790******789", "012345****"])
def test_a_masked_number_names_nobody(number: str) -> None:
    credential = insurance_card.parse(CARD.replace("DN4790123456789", number))
    assert credential.kind is CredentialKind.INSURANCE_CARD
    assert credential.identifiers == ()


@pytest.mark.parametrize("more", ["", "|", "|-|4|01/01/2023|check|$", "|" * 16])
def test_further_fields_are_tolerated(more: str) -> None:
    assert insurance_card.parse(CARD + more).identifiers == (NUMBER,)


@pytest.mark.parametrize(
    "text",
    [
        CARD.rsplit("|", 1)[0],
        CARD + "|" * 17,
        CARD.replace("DN4790123456789", "DN479012345678"),
        CARD.replace("DN4790123456789", "0000000000"),
        CARD.replace("DN4790123456789", "001087029317"),
        CARD.replace("|2|", "|3|"),
        CARD.replace("18/01/1987", "18/01/1987 00:00"),
        "|" * 8,
        "",
    ],
)
def test_what_breaks_the_format_is_unrecognised(text: str) -> None:
    assert insurance_card.parse(text) == UNRECOGNISED


nearly = st.lists(
    st.sampled_from(CARD.split("|")) | st.text(max_size=40), min_size=6, max_size=12
).map("|".join)


@given(nearly)
def test_any_text_at_all_ends_in_a_credential(text: str) -> None:
    credential = insurance_card.parse(text)
    assert isinstance(credential, Credential)
    assert all(len(i.value) == 10 and i.value.isdigit() for i in credential.identifiers)
    assert credential.holder is None or fields.is_clean(credential.holder.name)


@given(
    number=st.integers(1, 10**10 - 1).map("{:010}".format),
    name=st.sampled_from(["Nguyễn Văn An", "Đặng Thị Ngọc Ánh", "Y Blôm Niê", "Lý Ý"]),
    born=st.dates(date(1900, 1, 1), date(2030, 1, 1)),
    female=st.booleans(),
)
def test_what_is_rendered_reads_back(number: str, name: str, born: date, female: bool) -> None:
    text = insurance_card.render(
        number=number,
        name=name,
        born=born,
        female=female,
        address="Quận 3",
        hospital="79-025",
        valid=(born, born),
    )
    credential = insurance_card.parse(text)
    assert credential.identifiers == (Identifier(IdentifierKind.INSURANCE, number),)
    assert credential.holder == Holder(name, born)


@pytest.mark.parametrize("wrong", [{"number": "12"}, {"name": ""}, {"hospital": "a|b\n"}])
def test_nothing_is_rendered_that_would_not_read_back(wrong: dict[str, str]) -> None:
    parts = {"number": "0123456789", "name": "An", "address": "", "hospital": ""}
    with pytest.raises(ValueError, match="names somebody"):
        insurance_card.render(
            **{**parts, **wrong},
            born=date(1987, 1, 18),
            female=True,
            valid=(date(2021, 1, 1), date(2021, 12, 31)),
        )
