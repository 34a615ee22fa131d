"""Protects the EU's revocation slices: built bit for bit, its traps, hostile bytes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import dcc_bloom
from admission.credentials.dcc_bloom import (
    read_bloom_filter,
    read_prefix_list,
    write_bloom_filter,
)
from admission.errors import MalformedError
from tests.worlds import chot_data

HASHES = [hashlib.sha256(bytes((n,))).digest()[:16] for n in range(50)]
HASH = st.binary(min_size=16, max_size=16)


def prefix_list(size: int, *prefixes: bytes) -> bytes:
    return struct.pack(">hfiB", 1, 1e-12, len(prefixes), size) + b"".join(prefixes)


def as_java_writes(prefix: bytes) -> bytes:
    """What BigInteger(prefix).toByteArray() is, filled up with zeros in front."""
    number = int.from_bytes(prefix, "big", signed=True)
    for length in range(1, len(prefix) + 1):
        with contextlib.suppress(OverflowError):
            shortest = number.to_bytes(length, "big", signed=True)
            return bytes(len(prefix) - length) + shortest
    raise AssertionError


class Vector(msgspec.Struct):
    p: float
    filter: str
    data: list[str]
    written: list[int]
    exists: str


@pytest.mark.data
def test_the_services_own_filters_are_built_bit_for_bit() -> None:
    text = chot_data("dcc", "revocation-filter-test.json").read_bytes()
    vectors = msgspec.json.decode(text, type=list[Vector])
    assert len(vectors) == 4
    for vector in vectors:
        written = [
            data.encode() for data, flag in zip(vector.data, vector.written, strict=True) if flag
        ]
        data = write_bloom_filter(written, probability=vector.p, capacity=len(vector.data))
        found = read_bloom_filter(data)
        words = msgspec.json.decode(base64.b64decode(vector.filter), type=list[int])
        assert bytes(found.words) == struct.pack(f">{len(words)}i", *words)
        exists = [int(found.holds(data.encode())) for data in vector.data]
        assert str(exists) == vector.exists


def test_the_size_and_the_hashes_are_the_services() -> None:
    data = write_bloom_filter([HASHES[0]], capacity=1_000)
    assert (len(data), read_bloom_filter(data).hashes) == (7_212, 40)
    filled = read_bloom_filter(write_bloom_filter([], probability=1e-5, capacity=10_000))
    assert (len(filled.words) * 8, filled.hashes, filled.count) == (239_680, 17, 0)


@given(st.lists(HASH, max_size=40), HASH)
def test_what_was_added_is_found(elements: list[bytes], other: bytes) -> None:
    found = read_bloom_filter(write_bloom_filter(elements))
    assert all(found.holds(element) for element in elements)
    assert found.holds(other) == (other in elements)


@pytest.mark.parametrize(
    ("elements", "probability"), [([], 0.0), ([], 1.5), ([], -1.0), (HASHES[:1], 1e-38)]
)
def test_filters_that_nobody_reads_are_not_built(elements: list[bytes], probability: float) -> None:
    with pytest.raises(ValueError, match=r"probability|anybody"):
        write_bloom_filter(elements, probability=probability)


@pytest.mark.parametrize("size", [4, 5, 16])
def test_a_prefix_list_holds_the_first_bytes_in_any_order(size: int) -> None:
    data = prefix_list(size, *(element[:size] for element in HASHES[:30]))
    found = read_prefix_list(data)
    assert [found.holds(element) for element in HASHES] == [True] * 30 + [False] * 20
    assert not read_prefix_list(prefix_list(size)).holds(HASHES[0])


@given(st.lists(st.binary(min_size=4, max_size=4).map(lambda found: bytes(b & 3 for b in found))))
def test_a_list_too_long_for_one_sort_is_put_in_the_same_order(prefixes: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dcc_bloom, "MAX_SORTED_AT_ONCE", 2)
        found = read_prefix_list(prefix_list(4, *prefixes))
    assert found.prefixes == b"".join(sorted(prefixes))


@given(st.lists(HASH | st.binary(min_size=12, max_size=12).map(b"\xff\xff\xff\x80".__add__)))
def test_no_hash_is_missed_that_java_wrote_wrong(elements: list[bytes]) -> None:
    found = read_prefix_list(prefix_list(5, *(as_java_writes(e[:5]) for e in elements)))
    assert all(found.holds(element) for element in elements)


def test_java_loses_the_first_byte_where_the_sign_says_it_already() -> None:
    assert as_java_writes(b"\xff\x80\x01\x02") == b"\x00\x80\x01\x02"
    assert as_java_writes(b"\xff\x7f\x01\x02") == b"\xff\x7f\x01\x02"
    assert as_java_writes(b"\xff" * 4) == b"\x00\x00\x00\xff"
    written = prefix_list(4, b"\x00\x80\x01\x02")
    assert read_prefix_list(written).holds(b"\xff\x80\x01\x02" + bytes(12))


BLOOM = write_bloom_filter(HASHES[:3])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        BLOOM[:-1],
        BLOOM + b"\x00",
        BLOOM[:19],
        b"\x00\x02" + BLOOM[2:],
        BLOOM[:2] + b"\x00" + BLOOM[3:],
        BLOOM[:3] + b"\x01" + BLOOM[4:],
        BLOOM[:16] + b"\xff\xff\xff\xff" + BLOOM[20:],
        BLOOM[:16] + bytes(4),
        BLOOM[:16] + b"\x7f\xff\xff\xff" + BLOOM[20:],
    ],
)
def test_what_is_no_bloom_filter_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_bloom_filter(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        prefix_list(3, b"abc"),
        prefix_list(17),
        prefix_list(0),
        prefix_list(4, b"abcde"),
        b"\x00\x02" + prefix_list(4)[2:],
    ],
)
def test_what_is_no_prefix_list_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_prefix_list(data)


def test_a_slice_longer_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcc_bloom, "MAX_SLICE_BYTES", 40)
    with pytest.raises(MalformedError):
        read_bloom_filter(BLOOM)
    with pytest.raises(MalformedError):
        read_prefix_list(prefix_list(4, *[b"abcd"] * 10))


@given(st.binary(max_size=80), HASH)
def test_any_bytes_are_a_slice_or_refused(data: bytes, element: bytes) -> None:
    for read in (read_bloom_filter, read_prefix_list):
        with contextlib.suppress(MalformedError):
            read(data).holds(element)
