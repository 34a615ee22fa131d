"""Protects hub and gate from each other's bytes: what was written, or a WireError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission import wire
from admission.credential import CredentialKind
from admission.errors import WireError
from admission.instant import ClockTrust
from admission.passage import Passage
from admission.reading import Symbology
from admission.verdict import Card, Outcome, Reason

names = st.text(max_size=20)
u63 = st.integers(0, (1 << 63) - 1)
passages = st.builds(
    Passage,
    site=names,
    lane=names,
    source=names,
    symbology=st.sampled_from(Symbology),
    kind=st.sampled_from(CredentialKind),
    code_digest=st.binary(min_size=16, max_size=16),
    person=st.none() | st.integers(0, (1 << 64) - 1),
    outcome=st.sampled_from(Outcome),
    card=st.sampled_from(Card),
    reasons=st.lists(st.sampled_from(Reason), max_size=3).map(tuple),
    directive=st.integers(0, 99),
    rulebook=names,
    release=st.none() | u63,
    wall_ns=u63,
    monotonic_ns=u63,
    boot_id=names,
    clock_trust=st.sampled_from(ClockTrust),
)


READERS: list[Callable[[bytes], Any]] = [
    wire.unpack_passage,
    lambda data: wire.unpack_bounded(data, 4_096),
]


@given(passages)
def test_entries_come_back_as_they_were(entry: Passage) -> None:
    packed = wire.pack_passage(entry)
    assert wire.unpack_passage(packed) == entry
    assert wire.pack_passage(wire.unpack_passage(packed)) == packed


hostile = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=8)
        | st.text(max_size=8) | st.floats(),
        lambda inner: st.lists(inner, max_size=6),
        max_leaves=20,
    ).map(msgpack.packb),
)  # fmt: skip


@given(hostile)
def test_any_bytes_give_a_message_or_a_wire_error(data: bytes) -> None:
    for read in READERS:
        try:
            read(data)
        except WireError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x91" * 4_000,
        b"\xc1",
        b"\xa1\xff",
        b"\xd4\x01\x00",
        msgpack.packb(1) + b"\x00",
        b"",
        bytes(5_000),
    ],
)
def test_lengths_that_lie_and_endless_nesting_are_refused(data: bytes) -> None:
    for read in READERS:
        with pytest.raises(WireError):
            read(data)
