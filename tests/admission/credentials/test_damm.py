"""Protects people from each other: a mistyped code must not be somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import damm

digits = st.text("0123456789", min_size=1, max_size=20)


@given(digits)
def test_a_number_with_its_check_digit_is_valid_and_with_any_other_is_not(number: str) -> None:
    valid = [d for d in "0123456789" if damm.is_valid(number + d)]
    assert valid == [damm.check_digit(number)]


@given(digits, st.data())
def test_every_single_wrong_digit_is_found(number: str, data: st.DataObject) -> None:
    code = number + damm.check_digit(number)
    at = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != code[at]]))
    assert not damm.is_valid(code[:at] + wrong + code[at + 1 :])


@given(digits)
def test_every_swap_of_neighbours_is_found(number: str) -> None:
    code = number + damm.check_digit(number)
    for at in range(len(code) - 1):
        swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        assert swapped == code or not damm.is_valid(swapped)


@pytest.mark.parametrize("text", ["", " ", "12a", "１２３", "-1", "²"])
def test_what_is_not_ascii_digits_is_never_valid(text: str) -> None:
    assert not damm.is_valid(text)
    with pytest.raises(ValueError, match="ASCII digits"):
        damm.check_digit(text)
