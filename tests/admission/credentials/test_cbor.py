"""Protects the reading of strangers' CBOR: plain values or an own error, whatever the bytes say."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import cbor
from admission.errors import MalformedError

HOSTILE = {
    "byte string of 4 GiB": "5b00000000ffffffff",
    "text of 8 EiB": "7b7fffffffffffffff",
    "array of 2^64 - 1": "9bffffffffffffffff",
    "map of 4 G pairs": "bb00000000ffffffff",
    "arrays too deep": "81" * 5_000 + "00",
    "tags too deep": "d9d9f7" * 3_000 + "00",
    "big number": "c249" + "ff" * 9,
    "negative big number": "c349" + "ff" * 9,
    "decimal of a thousand million digits": "c4821a3b9ac9ff01",
    "big float": "c5821a3b9ac9ff01",
    "rational": "d81e820103",
    "regular expression": "d823" + "6e" + b"(a+)+$aaaaaaaa".hex(),
    "e-mail": "d82460",
    "UUID": "d82550" + "00" * 16,
    "shared reference to itself": "d81c81d81d00",
    "set": "d901028101",
    "IPv4 address": "d9010444c0a80001",
    "string references": "d9010082626161d81900",
    "COSE tag nobody asked for": "d28100",
    "unknown tag": "d9ffff00",
    "duplicate key": "a201010102",
    "duplicate text key": "a2617801617802",
    "map as key": "a1a000",
    "array as key": "a18000",
    "float as key": "a1fb3ff000000000000000",
    "null as key": "a1f600",
    "boolean as key": "a1f500",
    "not a number": "f97e00",
    "infinity": "f97c00",
    "simple value": "e0",
    "date beyond the calendar": "c11b7fffffffffffffff",
    "date that is no number": "c16161",
    "date of infinity": "c1fb7ff0000000000000",
    "day beyond the calendar": "d8641b7fffffffffffffff",
    "lone break": "ff",
    "half a pair": "bf6161ff",
    "text that is no UTF-8": "62c328",
    "two items": "0000",
    "item and break": "00ff",
    "nothing": "",
    "reserved length": "1c",
}


@pytest.mark.parametrize("encoded", HOSTILE.values(), ids=HOSTILE)
def test_hostile_items_are_refused(encoded: str) -> None:
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(encoded))


def test_an_item_longer_than_the_limit_is_not_looked_at() -> None:
    body = bytes(cbor.MAX_BYTES - 3)
    assert cbor.decode(cbor.encode(body)) == body
    with pytest.raises(MalformedError):
        cbor.decode(cbor.encode(bytes(cbor.MAX_BYTES - 2)))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("c074323032312d30392d32305430303a30303a30305a", "2021-09-20T00:00:00Z"),
        ("c11a614790e0", "2021-09-19T19:34:56Z"),
        ("c1fb41d851e438200000", "2021-09-19T19:34:56Z"),
        ("d864194a0e", "2021-11-27"),
        ("d903ec6a323032312d30392d3230", "2021-09-20"),
        ("d9d9f7a0", {}),
        ("a26161f76162f6", {"a": None, "b": None}),
        ("bf61610102f5ff", {"a": 1, 2: True}),
        ("5f41014102ff", b"\x01\x02"),
        ("f93e00", 1.5),
        ("1bffffffffffffffff", 2**64 - 1),
    ],
)
def test_tags_that_say_nothing_and_odd_forms_are_read(encoded: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(encoded)) == value


def test_a_tag_that_was_asked_for_is_kept_and_its_value_is_plain() -> None:
    tagged = cbor.decode(bytes.fromhex("d281f7"), tags=frozenset({18}))
    assert (tagged.tag, tagged.value) == (18, [None])


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.integers(0, 99), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_plain_values_come_back(value: Any) -> None:
    try:
        assert cbor.decode(cbor.encode(value)) == value
    except MalformedError:
        assert _depth(value) > cbor.MAX_DEPTH


@given(st.binary(max_size=80) | PLAIN.map(cbor2.dumps).flatmap(lambda b: st.just(b + b"\x00")))
def test_any_bytes_are_a_plain_value_or_refused(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedError:
        return
    cbor.encode(value)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
