"""Protects: only what was sent as a frame is taken for one, in bounded memory, whatever comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.errors import FrameError
from firmware_bridge.link.frame import (
    MAX_FRAME_BYTES,
    MAX_PAYLOAD_BYTES,
    Decoder,
    Frame,
    decode,
    encode,
)

GOLDEN = json.loads(Path(__file__).parent.parent.joinpath("golden_frames.json").read_text())

frames = st.builds(
    Frame,
    st.integers(0, 15),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFF),
    st.binary(max_size=MAX_PAYLOAD_BYTES),
    st.integers(0, 15),
)


def crc_by_the_book(data: bytes) -> int:
    """CRC-16/GENIBUS, bit by bit, to check the library's table against the catalogue."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc ^ 0xFFFF


def cobs_by_the_book(data: bytes) -> bytes:
    """COBS for fewer than 254 bytes: each run of non-zero bytes behind its length plus one."""
    return b"".join(bytes([len(run) + 1]) + run for run in data.split(b"\0"))


@given(frames)
def test_a_frame_survives_the_cable_and_fits_the_board(frame: Frame) -> None:
    data = encode(frame)
    assert len(data) <= MAX_FRAME_BYTES
    assert data.count(0) == 2
    assert Decoder().feed(data) == [frame]


@given(frames)
def test_frames_are_what_the_page_says(frame: Frame) -> None:
    body = bytes([frame.version << 4 | frame.kind]) + frame.session.to_bytes(2, "little")
    body += bytes([frame.sequence]) + frame.payload
    sealed = body + crc_by_the_book(body).to_bytes(2, "big")
    assert encode(frame) == b"\0" + cobs_by_the_book(sealed) + b"\0"


def test_the_crc_is_the_one_of_the_catalogue() -> None:
    assert crc_by_the_book(b"123456789") == 0xD64E


@given(st.lists(frames, max_size=5), st.data())
def test_frames_may_come_in_any_pieces(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(map(encode, sent))
    decoder = Decoder()
    got: list[Frame] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += decoder.feed(stream[:size])
        stream = stream[size:]
    assert got == sent
    assert decoder.rejected == 0


@given(st.binary(max_size=300), frames)
def test_a_frame_after_garbage_is_read(garbage: bytes, frame: Frame) -> None:
    decoder = Decoder()
    assert decoder.feed(garbage + encode(frame))[-1] == frame


# A flip in a COBS code byte moves other bytes about: the odds are a CRC's then, and drawn once.
@settings(derandomize=True)
@given(frames, st.integers(0, 10_000), st.integers(0, 7))
def test_one_flipped_bit_is_never_accepted(frame: Frame, position: int, bit: int) -> None:
    data = bytearray(encode(frame))
    data[position % len(data)] ^= 1 << bit
    # A flip in an outer delimiter may leave the frame itself whole; nothing else may come of it.
    assert all(got == frame for got in Decoder().feed(b"\0" + bytes(data) + b"\0"))


@given(frames)
def test_a_closing_delimiter_flipped_to_one_is_not_a_longer_frame(frame: Frame) -> None:
    """COBS reads the 0x01 as one more zero byte, which a CRC without final XOR does not see."""
    assert Decoder().feed(encode(frame)[:-1] + b"\x01\0") == []


@given(st.binary(min_size=MAX_FRAME_BYTES, max_size=4_000).filter(lambda b: 0 not in b))
def test_what_is_longer_than_a_frame_takes_no_memory(flood: bytes) -> None:
    decoder = Decoder()
    for at in range(0, len(flood), 7):
        decoder.feed(flood[at : at + 7])
        assert len(decoder._partial) <= MAX_FRAME_BYTES
    assert decoder.feed(b"\0") == []
    assert decoder.rejected == 1


@given(st.binary(max_size=500))
def test_random_bytes_raise_nothing(noise: bytes) -> None:
    Decoder().feed(noise)


def test_a_payload_over_the_limit_is_not_sent() -> None:
    with pytest.raises(FrameError, match="over the limit"):
        encode(Frame(1, 0, 0, bytes(MAX_PAYLOAD_BYTES + 1)))


def test_reset_forgets_a_frame_that_has_begun() -> None:
    decoder = Decoder()
    data = encode(Frame(2, 3, 4, b"abc"))
    decoder.feed(data[:5])
    decoder.reset()
    assert decoder.feed(data[5:]) == []
    assert decoder.feed(data) == [Frame(2, 3, 4, b"abc")]


@pytest.mark.parametrize("case", GOLDEN["rejected"], ids=lambda case: case["why"])
def test_golden_rejections(case: dict[str, str]) -> None:
    with pytest.raises(FrameError):
        decode(bytes.fromhex(case["hex"]).strip(b"\0"))
