"""Protects the keypad: only a code that was issued as one is looked up, never a document number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, CredentialKind
from admission.credentials import damm, parse, typed_code
from admission.identity import Identifier, IdentifierKind
from admission.reading import Symbology
from tests.worlds import a_reading

numbers = st.integers(10**9, 10**10 - 1)


@given(numbers, st.sampled_from(list(Symbology)))
def test_what_is_rendered_reads_back_from_any_source(number: int, symbology: Symbology) -> None:
    code = typed_code.render(number)
    credential = parse(a_reading(code, symbology=symbology))
    assert credential.kind is CredentialKind.TYPED_CODE
    assert credential.identifiers == (Identifier(IdentifierKind.TYPED_CODE, code),)
    assert credential.holder is None


@given(numbers, st.sampled_from([(3, 7), (4, 8), (1, 10)]), st.sampled_from([" ", "-", " - "]))
def test_grouping_by_spaces_or_dashes_changes_nothing(
    number: int, cuts: tuple[int, int], separator: str
) -> None:
    code = typed_code.render(number)
    grouped = separator.join([code[: cuts[0]], code[cuts[0] : cuts[1]], code[cuts[1] :]])
    assert parse(a_reading(f"  {grouped} ")) == parse(a_reading(code))


@pytest.mark.parametrize("length", [*range(11), 12, 13])
def test_numbers_of_another_length_are_no_codes_whatever_their_check_digit(length: int) -> None:
    body = "1234567890123"[: max(length - 1, 0)]
    number = body + damm.check_digit(body) if body else "0" * length
    assert parse(a_reading(number)) == UNRECOGNISED


@pytest.mark.parametrize("text", ["023456789", "0901234567", "000187000017", "001093029317"])
def test_numbers_that_people_carry_are_no_codes(text: str) -> None:
    assert parse(a_reading(text, symbology=Symbology.TYPED)) == UNRECOGNISED


@pytest.mark.parametrize(
    "text",
    [
        "57213004865",
        "57213004846",
        "0" + "123456789" + damm.check_digit("0123456789"),
        "５７２１３００４８６４",
        "572.1300.4864",
        "572\t1300 4864",
        "57213004864" + " " * 40 + "1",
        "+57213004864",
        "١٢٣٤٥٦٧٨٩٠١",
    ],
)
def test_wrong_digits_and_other_writings_are_unrecognised(text: str) -> None:
    assert parse(a_reading(text)) == UNRECOGNISED


@pytest.mark.parametrize("number", [0, -1, 10**9 - 1, 10**10])
def test_a_number_without_ten_digits_is_not_rendered(number: int) -> None:
    with pytest.raises(ValueError, match="10 digits"):
        typed_code.render(number)
