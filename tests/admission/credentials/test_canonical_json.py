"""Protects signatures over JSON: one value has one form, the form that the signer hashed."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.credentials.canonical_json import MAX_DEPTH, canonical, number, read
from admission.errors import MalformedError

plain_text = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


# RFC 8785, appendix B.
@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_of_rfc_8785_appendix_b(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert number(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**400])
def test_a_number_beyond_a_double_has_no_form(value: float) -> None:
    with pytest.raises(MalformedError):
        number(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_the_same_double_and_is_laid_out_as_ecmascript_does(
    value: float,
) -> None:
    text = number(value)
    assert float(text) == value
    magnitude = abs(value)
    assert ("e" in text) == (value != 0 and not 1e-6 <= magnitude < 1e21)
    assert not text.endswith(".0")
    if "e" in text:
        mantissa, exponent = text.split("e")
        assert exponent[0] in "+-"
        assert len(mantissa.lstrip("-").split(".")[0]) == 1


def test_strings_and_order_of_rfc_8785() -> None:
    text = (
        r'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        r'"string": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/",'
        r'"literals": [null, true, false]}'
    )
    assert canonical(read(text)).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    ordered = ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    written = canonical(dict.fromkeys(names, 0)).decode()
    assert list(json.loads(written)) == ordered


@settings(max_examples=60)
@given(values)
def test_the_form_reads_back_and_is_its_own_form(value: Any) -> None:
    once = canonical(value)
    assert json.loads(once, parse_int=float) == value
    assert canonical(read(once.decode())) == once


@settings(max_examples=40)
@given(values, st.randoms())
def test_neither_order_nor_white_space_nor_escapes_matter(value: Any, source: Any) -> None:
    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            items = [(name, shuffled(inner)) for name, inner in part.items()]
            source.shuffle(items)
            return dict(items)
        return [shuffled(inner) for inner in part] if isinstance(part, list) else part

    other = json.dumps(shuffled(value), indent=2, ensure_ascii=True)
    assert canonical(read(other)) == canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        "NaN",
        "[Infinity]",
        '"\\ud800"',
        '"\n"',
        "01",
        "[1,]",
        "\ufeff{}",
        "1e999",
        "9" * 5_000,
        "[" * 100_000,
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    ],
)
def test_json_that_is_none_or_in_doubt_has_no_form(text: str) -> None:
    with pytest.raises(MalformedError):
        canonical(read(text))


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\ud800"', '{"\\udfff":1}', '[[{"a":"\\ud800x"}]]', '{"\udc81":1}']
)
def test_half_of_a_surrogate_pair_does_not_read(text: str) -> None:
    with pytest.raises(MalformedError):
        read(text)


def test_a_whole_surrogate_pair_reads() -> None:
    assert read('"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_has_a_form_or_is_refused(text: str) -> None:
    try:
        canonical(read(text))
    except MalformedError:
        return


@pytest.mark.parametrize("value", [object(), {1: 2}, b"x", (1,)])
def test_what_is_no_json_value_has_no_form(value: Any) -> None:
    with pytest.raises(MalformedError):
        canonical(value)
