"""Frames: what is written is what is read, and nothing else passes for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.wire import MAX_PASSAGE_BYTES
from cache.journal.frame import (
    FIRST_VERSION,
    FRAME_HEAD_BYTES,
    HEADER_BYTES,
    MAX_SEQUENCE,
    VERSION,
    Header,
    frame_at,
    pack_frame,
    pack_header,
    pack_pruned_run,
    unpack_header,
)

SEQUENCES = st.integers(1, MAX_SEQUENCE)
HASHES = st.binary(min_size=32, max_size=32)
PACKED = st.binary(min_size=1, max_size=MAX_PASSAGE_BYTES)
HEADERS = st.builds(Header, st.binary(min_size=16, max_size=16), SEQUENCES, HASHES)


def flipped(data: bytes, bit: int) -> bytes:
    place, mask = bit // 8, 1 << bit % 8
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


@given(SEQUENCES, HASHES, PACKED, st.binary(max_size=64))
def test_a_frame_comes_back_wherever_it_stands(
    sequence: int, chain_hash: bytes, packed: bytes, before: bytes
) -> None:
    data = before + pack_frame(sequence, chain_hash, packed) + before
    frame = frame_at(data, len(before))
    assert frame is not None
    assert (frame.sequence, frame.chain_hash, frame.packed) == (sequence, chain_hash, packed)
    assert frame.end == len(data) - len(before)


@given(SEQUENCES, HASHES, st.binary(min_size=1, max_size=80), st.data())
def test_a_flipped_bit_anywhere_in_a_frame_is_found(
    sequence: int, chain_hash: bytes, packed: bytes, data: st.DataObject
) -> None:
    whole = pack_frame(sequence, chain_hash, packed)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    assert frame_at(flipped(whole, bit), 0) is None


@given(HEADERS)
def test_a_header_comes_back(header: Header) -> None:
    data = pack_header(header)
    assert len(data) == HEADER_BYTES
    assert unpack_header(data + b"rest") == header


@given(HEADERS, st.integers(0, HEADER_BYTES * 8 - 1))
def test_a_flipped_bit_anywhere_in_a_header_is_found(header: Header, bit: int) -> None:
    assert unpack_header(flipped(pack_header(header), bit)) is None


@pytest.mark.parametrize("length", [MAX_PASSAGE_BYTES + 1, 0xFFFFFFFF])
def test_a_length_out_of_bounds_is_not_followed(length: int) -> None:
    data = length.to_bytes(4, "little") + bytes(FRAME_HEAD_BYTES + MAX_PASSAGE_BYTES)
    assert frame_at(data, 0) is None


def test_the_format_stays_as_documented() -> None:
    """Files outlive versions: these bytes were written by the first one."""
    first = Header(bytes(range(16)), 7, b"\x11" * 32, FIRST_VERSION)
    header = pack_header(first)
    assert unpack_header(header) == first
    assert header[:12].hex() == "43484f544a524e4c" + "0100" + "0000"
    assert header[28:36].hex() == "0700000000000000"
    assert header[-4:].hex() == "2f7e82f7"
    frame = pack_frame(258, b"\x22" * 32, b"abc")
    assert frame[:12].hex() == "03000000" + "0201000000000000"
    assert frame[12:16].hex() == "fe793b58"
    assert frame[16:] == b"\x22" * 32 + b"abc"
    assert pack_header(Header(bytes(range(16)), 7, b"\x11" * 32))[8:12].hex() == "0200" + "0000"
    run = pack_pruned_run(258, b"\x22" * 32)
    assert run[:12].hex() == "00000000" + "0201000000000000"
    assert (len(run), run[16:]) == (FRAME_HEAD_BYTES, b"\x22" * 32)
    assert frame_at(bytes(FRAME_HEAD_BYTES), 0) is None  # space set aside is no pruned run


def test_files_of_a_later_version_are_not_guessed_at() -> None:
    assert unpack_header(pack_header(Header(bytes(16), 1, bytes(32), VERSION + 1))) is None
