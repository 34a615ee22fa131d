"""Protects the gate from what is held up to it: any text ends in a credential, and soon."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, Credential
from admission.credentials import fields, parse
from admission.reading import MAX_TEXT_LENGTH
from tests.worlds import a_reading

PERSONAL = "001093029317|NGUYEN VAN A|1987-01-18|0|162979388586171100|<1<00<0123232422"
CARD = "000187000017|023456789|Trần Thị Bình|18011987|Nữ|Phường 1, Quận 3|01072021"

any_text = st.text(st.characters(codec=None), max_size=300)
nearly = st.lists(
    st.one_of(st.sampled_from([*PERSONAL.split("|"), *CARD.split("|")]), any_text),
    min_size=5,
    max_size=8,
).map("|".join)


@given(st.one_of(any_text, nearly))
def test_any_text_at_all_ends_in_a_credential(text: str) -> None:
    credential = parse(a_reading(text))
    assert isinstance(credential, Credential)
    for identifier in credential.identifiers:
        assert identifier.value.isascii()
        assert 6 <= len(identifier.value) <= 36 or identifier.kind == "qid"


@given(
    st.sampled_from([PERSONAL, CARD]), st.integers(0, 60), st.characters(categories=["Cc", "Cs"])
)
def test_control_characters_and_lone_surrogates_are_refused_wherever_they_stand(
    text: str, at: int, hostile: str
) -> None:
    assert parse(a_reading(text[:at] + hostile + text[at:])) == UNRECOGNISED


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "|",
        "HC1:6BF+70790T9WJWG",
        "https://example.org/?a=1|2|3|4|5|6",
        "9" * (MAX_TEXT_LENGTH + 1),
        "|" * MAX_TEXT_LENGTH,
        "*" * MAX_TEXT_LENGTH,
        unicodedata.normalize("NFD", CARD),
        CARD.replace("Trần", "Tr\u200bần"),
        PERSONAL + "\n",
        PERSONAL + "\x00",
    ],
)
def test_what_is_no_credential_of_ours_is_unrecognised(text: str) -> None:
    assert parse(a_reading(text)) == UNRECOGNISED


@given(st.integers(0, 3), st.characters(categories=["Mn"]))
def test_a_run_of_combining_marks_is_refused_before_it_is_normalised(lead: int, mark: str) -> None:
    refused = not fields.is_clean("a" * lead + mark * 100)
    assert refused or unicodedata.combining(mark) == 0


def test_white_space_around_a_code_is_no_part_of_it() -> None:
    assert parse(a_reading(f"  {PERSONAL} ")).identifiers == parse(a_reading(PERSONAL)).identifiers
