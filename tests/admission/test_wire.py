"""Protects hub and gate from each other's bytes: what was written, or a WireError."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgpack
import msgspec
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
from admission.wire import Acknowledgement, Batch, Entry

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


def _entries(first: int, bodies: list[bytes]) -> tuple[Entry, ...]:
    return tuple(Entry(first + n, bytes(32), body) for n, body in enumerate(bodies))


batches = st.builds(
    Batch,
    st.just(1),
    st.text("abc-123", min_size=1, max_size=64),
    st.binary(min_size=16, max_size=16),
    st.builds(
        _entries, st.integers(1, 1 << 62), st.lists(st.binary(max_size=60), min_size=1, max_size=5)
    ),
)

READERS: list[Callable[[bytes], Any]] = [
    wire.unpack_passage,
    wire.unpack_batch,
    wire.unpack_acknowledgement,
    lambda data: wire.unpack_bounded(data, 4_096),
]


@given(passages)
def test_entries_come_back_as_they_were(entry: Passage) -> None:
    packed = wire.pack_passage(entry)
    assert wire.unpack_passage(packed) == entry
    assert wire.pack_passage(wire.unpack_passage(packed)) == packed


@given(batches)
def test_batches_come_back_as_they_were(batch: Batch) -> None:
    assert wire.unpack_batch(wire.pack_batch(batch)) == batch


@given(st.binary(min_size=16, max_size=16), u63)
def test_acknowledgements_come_back_as_they_were(journal: bytes, through: int) -> None:
    made = Acknowledgement(1, journal, through)
    assert wire.unpack_acknowledgement(wire.pack_acknowledgement(made)) == made


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


@given(batches, st.data())
def test_a_batch_that_was_cut_or_flipped_is_a_batch_or_a_wire_error(
    batch: Batch, data: st.DataObject
) -> None:
    packed = wire.pack_batch(batch)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(WireError):
        wire.unpack_batch(packed[:cut])
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    flipped = bytearray(packed)
    flipped[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(WireError):
        wire.unpack_batch(bytes(flipped))


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


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"device": ""},
        {"device": "d" * 65},
        {"journal": bytes(15)},
        {"entries": ()},
        {"entries": _entries(0, [b""])},
        {"entries": _entries((1 << 63) - 1, [b"", b""])},
        {"entries": (*_entries(1, [b""]), *_entries(3, [b""]))},
        {"entries": (*_entries(1, [b""]), *_entries(1, [b""]))},
        {"entries": (Entry(1, bytes(31), b""),)},
        {"entries": (Entry(1, bytes(32), bytes(wire.MAX_PASSAGE_BYTES + 1)),)},
        {"entries": _entries(1, [b""] * (wire.MAX_BATCH_ENTRIES + 1))},
        {"entries": _entries(1, [bytes(4_000)] * 300)},
    ],
)
def test_a_batch_outside_its_limits_is_refused(change: dict[str, Any]) -> None:
    good = Batch(1, "device-1", bytes(16), _entries(1, [b"entry"]))
    assert wire.unpack_batch(wire.pack_batch(good)) == good
    with pytest.raises(WireError):
        wire.unpack_batch(wire.pack_batch(msgspec.structs.replace(good, **change)))


@pytest.mark.parametrize("made", [Acknowledgement(2, bytes(16), 1), Acknowledgement(1, b"", -1)])
def test_an_acknowledgement_of_another_version_or_below_zero_is_refused(
    made: Acknowledgement,
) -> None:
    with pytest.raises(WireError):
        wire.unpack_acknowledgement(wire.pack_acknowledgement(made))


def test_a_newer_side_may_have_added_fields() -> None:
    made = Acknowledgement(1, bytes(16), 5)
    longer = msgpack.packb([*msgspec.to_builtins(made, builtin_types=(bytes,)), "new"])
    assert wire.unpack_acknowledgement(longer) == made
