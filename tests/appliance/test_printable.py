"""Nothing that a stranger wrote steers a terminal or a page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.printable import printable


@given(st.text(alphabet=st.characters(), max_size=100))
def test_a_text_is_one_line_of_the_same_length_that_can_be_encoded(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    assert all(c.isprintable() or c == "\N{REPLACEMENT CHARACTER}" for c in shown)
    shown.encode()


def test_what_people_write_stays_as_it_is() -> None:
    assert printable("Trần Thị Bình, 000123456789 💉") == "Trần Thị Bình, 000123456789 💉"


def test_what_steers_is_replaced() -> None:
    for steering in ("\x1b", "\n", "\x9b", "\u2028", "\u202e", "\ud800", "\0"):
        assert printable(f"a{steering}b") == "a\N{REPLACEMENT CHARACTER}b"
