"""Protects names from the queue: what the screen shows is masked, whatever it is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import masked_name


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("NGUYEN VAN AN", "N***** V** AN"),
        ("Đặng Thị Ngọc Ánh", "Đ*** T** N*** Ánh"),
        ("AN", "A*"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_the_given_name_stays_and_the_rest_is_hidden(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_name_is_masked_within_bounds(name: str) -> None:
    shown = masked_name(name)
    assert len(shown) <= 8 * 14 + 24
    words = name.split()[:8]
    if len(words) > 1:
        hidden = shown.split(" ")[:-1]
        assert all(
            w[0] == h[0] and set(h[1:]) <= {"*"} for w, h in zip(words, hidden, strict=False)
        )
