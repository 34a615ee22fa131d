"""Protects base45: RFC 9285's own examples, its refusals, and the way back for any bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from admission.credentials import base45
from admission.errors import MalformedError

RFC_9285 = {
    b"AB": "BB8",
    b"Hello!!": "%69 VD92EX0",
    b"base-45": "UJCLQE7W581",
    b"ietf!": "QED8WEX0",
}


def test_the_rfcs_examples_hold_both_ways() -> None:
    assert {data: base45.encode(data) for data in RFC_9285} == RFC_9285
    assert {base45.decode(text): text for text in RFC_9285.values()} == RFC_9285


@pytest.mark.parametrize(
    "text",
    [
        "GGW",  # the RFC's own: 65,536
        ":::",
        "::",
        "V5",  # 256 in two characters
        "A",
        "BB8A",
        "bb8",
        "BB8\n00",
        "BB\x00",
        "BBÄ",
        "BB\ud800",
        "B‐8",
        "0" * (base45.MAX_LENGTH + 3),
    ],
)
def test_what_is_no_base45_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        base45.decode(text)


def test_the_largest_values_are_read() -> None:
    assert base45.decode("FGW") == b"\xff\xff"
    assert base45.decode("U5") == b"\xff"


@given(st.binary(max_size=700))
@example(b"")
def test_any_bytes_come_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@given(st.text(max_size=60) | st.text(alphabet=base45.ALPHABET, max_size=60))
def test_a_text_is_refused_or_is_what_its_bytes_make(text: str) -> None:
    try:
        data = base45.decode(text)
    except MalformedError:
        return
    assert base45.encode(data) == text
