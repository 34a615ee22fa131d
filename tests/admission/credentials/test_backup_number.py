"""Protects the paper number: one length that nothing else has, and every slip found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, CredentialKind
from admission.credentials import backup_number, damm, typed_code
from admission.identity import Identifier, IdentifierKind

numbers = st.integers(10**12, 10**13 - 1)


@given(numbers, st.sampled_from([" ", "-", ".", " - "]))
def test_what_is_printed_reads_back_however_it_is_grouped(number: int, separator: str) -> None:
    digits = backup_number.render(number)
    printed = backup_number.grouped(digits)
    assert backup_number.parse(printed.replace(" ", separator)) == backup_number.parse(digits)
    assert backup_number.parse(digits).identifiers == (
        Identifier(IdentifierKind.BACKUP_NUMBER, digits),
    )


@given(numbers, st.data())
def test_a_wrong_digit_is_found(number: int, data: st.DataObject) -> None:
    digits = backup_number.render(number)
    at = data.draw(st.integers(0, len(digits) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[at]]))
    assert backup_number.parse(digits[:at] + wrong + digits[at + 1 :]) == UNRECOGNISED


@pytest.mark.parametrize("length", [1, 9, 10, 11, 12, 13, 15, 16, 18])
def test_numbers_of_another_length_are_none_whatever_their_check_digit(length: int) -> None:
    body = "123456789012345678"[: length - 1] or "1"
    assert backup_number.parse(body + damm.check_digit(body)) == UNRECOGNISED


@given(st.text("0123456789 -.", max_size=50))
def test_no_text_is_both_a_backup_number_and_a_typed_code(text: str) -> None:
    kinds = {backup_number.parse(text).kind, typed_code.parse(text).kind}
    assert CredentialKind.UNRECOGNISED in kinds


@pytest.mark.parametrize("number", [0, 10**12 - 1, 10**13])
def test_a_number_without_thirteen_digits_is_not_rendered(number: int) -> None:
    with pytest.raises(ValueError, match="13 digits"):
        backup_number.render(number)
