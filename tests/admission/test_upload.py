"""Protects both ends of the uplink: batches and marks are whole and signed, or refused."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

import msgpack
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from admission.errors import WireError
from admission.passage import MAX_SEQUENCE, chained, genesis
from admission.upload import (
    Mark,
    SignedBatch,
    entries_of,
    make_batch,
    open_mark,
    sign_batch,
    sign_mark,
    unpack_signed_batch,
)
from admission.wire import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_PASSAGE_BYTES, Entry

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
JOURNAL = bytes(range(16))
MARK = Mark(2, "gate-1", JOURNAL, 41, bytes(range(32)), 1_631_318_400_000_000_000)
BATCH = SignedBatch(2, "gate-1", JOURNAL, 5, (b"one", b"two"), ((5, b"\x01" * 32),), 7)


@st.composite
def journals(draw: st.DrawFn) -> tuple[int, list[Entry]]:
    """Draw a stretch of a journal: some places cannot be read, some hashes do not follow."""
    first = draw(st.integers(1, MAX_SEQUENCE - 100))
    previous = draw(st.binary(min_size=32, max_size=32))
    entries = []
    for sequence in range(first, first + draw(st.integers(0, 12))):
        packed = draw(st.binary(min_size=1, max_size=20))
        previous = chained(previous, sequence, packed)
        match draw(st.sampled_from(("follows", "follows", "lost", "altered"))):
            case "lost":
                entries.append(Entry(sequence, bytes(32), b""))
                continue
            case "altered":
                previous = draw(st.binary(min_size=32, max_size=32))
        entries.append(Entry(sequence, previous, packed))
    return first, entries


@given(journals())
def test_what_the_gate_holds_arrives_with_its_chain(stretch: tuple[int, list[Entry]]) -> None:
    first, entries = stretch
    batch = make_batch("gate-1", JOURNAL, first, entries, 9)
    received = unpack_signed_batch(sign_batch(batch, KEY))
    assert received.batch == batch
    assert received.is_signed_by(KEY.public_key())
    assert not received.is_signed_by(OTHER.public_key())
    assert entries_of(received.batch) == entries


def test_a_chain_that_follows_is_stated_once() -> None:
    one = Entry(1, chained(genesis(JOURNAL), 1, b"a"), b"a")
    two = Entry(2, chained(one.chain_hash, 2, b"b"), b"b")
    assert make_batch("g", JOURNAL, 1, [one, two], 0).stated == ((1, one.chain_hash),)


def test_the_form_of_batches_and_marks_is_what_it_was() -> None:
    # By hand: msgpack of the fields, signed after the domain (Ed25519 is deterministic, RFC 8032).
    body = msgpack.packb(
        [2, "gate-1", JOURNAL, 5, [b"one", b"two"], [[5, b"\x01" * 32]], 7], use_bin_type=True
    )
    assert sign_batch(BATCH, KEY) == msgpack.packb([body, KEY.sign(b"chot batch 2\x00" + body)])
    body = msgpack.packb([2, "gate-1", JOURNAL, 41, bytes(range(32)), 1_631_318_400_000_000_000])
    signature = KEY.sign(b"chot high-water mark 2\x00" + body)
    assert sign_mark(MARK, KEY) == msgpack.packb([body, signature])
    assert signature.hex() == (
        "55682a393a32653c0ee365e3eac78fbf9f338a1d6b67b49bd3e2b9d9fadd2363"
        "24d3aa5420a6e1a062ec57419c37dd52d90b91035678f0472d35bfa68bec2107"
    )


def test_a_mark_counts_by_any_key_of_the_hub_and_by_no_other() -> None:
    data = sign_mark(MARK, KEY)
    assert open_mark(data, [OTHER.public_key(), KEY.public_key()]) == MARK
    for keys in ([], [OTHER.public_key()]):
        with pytest.raises(WireError, match="not signed by a key that is trusted"):
            open_mark(data, keys)


def test_a_signature_for_one_thing_is_none_for_another() -> None:
    body = msgspec.msgpack.encode(MARK)
    for domain in (b"", b"chot batch 2\x00", b"chot head\x00"):
        forged = msgpack.packb([body, KEY.sign(domain + body)])
        with pytest.raises(WireError):
            open_mark(forged, [KEY.public_key()])
    received = unpack_signed_batch(
        msgpack.packb([msgspec.msgpack.encode(BATCH), KEY.sign(msgspec.msgpack.encode(BATCH))])
    )
    assert not received.is_signed_by(KEY.public_key())


@given(st.data())
def test_no_bit_of_a_signed_message_can_be_altered(data: st.DataObject) -> None:
    mark, batch = bytearray(sign_mark(MARK, KEY)), bytearray(sign_batch(BATCH, KEY))
    for message in (mark, batch):
        place = data.draw(st.integers(0, 8 * len(message) - 1))
        message[place // 8] ^= 1 << place % 8
    with pytest.raises(WireError):
        open_mark(bytes(mark), [KEY.public_key()])
    with contextlib.suppress(WireError):
        assert not unpack_signed_batch(bytes(batch)).is_signed_by(KEY.public_key())


def altered(message: msgspec.Struct, **changes: Any) -> bytes:
    """Return the signed message of these fields; msgspec packs whatever they are."""
    one = msgspec.structs.replace(message, **changes)
    return sign_mark(one, KEY) if isinstance(one, Mark) else sign_batch(one, KEY)  # type: ignore[arg-type]


HASH = b"\x01" * 32


@pytest.mark.parametrize("changes", [
    {"version": 1}, {"version": 3}, {"device": ""}, {"device": "d" * 65}, {"journal": bytes(15)},
    {"first": 0}, {"first": -1}, {"first": MAX_SEQUENCE - 1}, {"sent_ns": -1},
    {"sent_ns": 1 << 63}, {"entries": (bytes(MAX_PASSAGE_BYTES + 1),)},
    {"entries": (b"e",) * (MAX_BATCH_ENTRIES + 1)}, {"entries": ("text",)},
    {"stated": ((4, HASH),)}, {"stated": ((7, HASH),)}, {"stated": ((5, HASH[1:]),)},
    {"stated": ((5, HASH), (5, bytes(32)))}, {"stated": ((6, HASH), (5, HASH))},
    {"entries": (b"", b"two"), "stated": ((5, HASH), (6, HASH))},
], ids=str)  # fmt: skip
def test_a_batch_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        unpack_signed_batch(altered(BATCH, **changes))


@pytest.mark.parametrize("changes", [
    {"version": 1}, {"journal": bytes(17)}, {"chain_hash": bytes(31)}, {"through": -1},
    {"through": 1 << 63}, {"wall_ns": -1}, {"wall_ns": 1 << 63}, {"device": 7},
], ids=str)  # fmt: skip
def test_a_mark_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        open_mark(altered(MARK, **changes), [KEY.public_key()])


def test_a_batch_that_does_not_say_where_its_chain_begins_is_refused() -> None:
    for entries, stated in (((b"one",), ()), ((b"one", b"", b"three"), ((5, HASH),))):
        batch = msgspec.structs.replace(BATCH, entries=entries, stated=stated)
        with pytest.raises(WireError, match="where its chain begins"):
            entries_of(unpack_signed_batch(sign_batch(batch, KEY)).batch)


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_nothing_but_a_wire_error(data: bytes) -> None:
    for message in (data, msgpack.packb([data, bytes(64)])):
        with pytest.raises(WireError):
            unpack_signed_batch(message)
        with pytest.raises(WireError):
            open_mark(message, [KEY.public_key()])


A_MILLION = b"\xdd\x00\x0f\x00\x00" + b"\x90" * 0xF0000
"""An array of empty arrays, which zstd makes 89 bytes of."""


@pytest.mark.parametrize(
    "hostile",
    [
        b"\xdd\x00\x0f\xff\xff" * 1_000,
        b"\xdf\x00\x0f\xff\xff" * 900,
        A_MILLION,
        b"\x97\x02\xa1g\xc4\x00\x01" + A_MILLION + b"\x90\x00",
        b"\x97\x02\xa1g\xc4\x00\x01\xdd\x00\x07\x00\x00" + b"\xc4\x00" * 0x70000 + b"\x90\x00",
        b"\x97\x02\xa1g\xc4\x00\x01\x90" + A_MILLION,
    ],
    ids=["arrays", "maps", "no batch", "entries", "empty entries", "stated"],
)
def test_what_a_stranger_claims_costs_the_hub_no_memory(hostile: bytes) -> None:
    # The signature can only be looked at once the batch has said whose it is.
    tracemalloc.start()
    try:
        for message in (hostile, msgpack.packb([hostile, bytes(64)])):
            with pytest.raises(WireError):
                unpack_signed_batch(message)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20, "the message and its copies; a million objects take 60 MiB"


def test_the_longest_batch_is_taken_and_a_longer_one_is_not() -> None:
    entries = (b"e" * 1_040,) * MAX_BATCH_ENTRIES
    batch = SignedBatch(2, "gate-1", JOURNAL, 1, entries, ((1, HASH),), 7)
    assert unpack_signed_batch(sign_batch(batch, KEY)).batch == batch
    with pytest.raises(WireError, match="over the limit"):
        unpack_signed_batch(bytes(MAX_BATCH_BYTES + 1))
