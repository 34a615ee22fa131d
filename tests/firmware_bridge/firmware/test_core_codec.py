"""Protects: the chip reads and writes the same bytes as the appliance, and refuses the same."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import MessageError
from firmware_bridge.link import configuration as configurations
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.configuration import CONFIGURATION_BYTES, BoardConfiguration
from firmware_bridge.link.frame import CRC_FINAL_XOR, Decoder, Frame, encode
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardState,
    ConfigurationReply,
    Hello,
    Message,
    NotAcknowledged,
    ReadConfiguration,
    Refusal,
)
from tests.firmware_bridge.configurations import configurations as a_configuration
from tests.firmware_bridge.firmware.c_board import CBoard, core

GOLDEN = json.loads((Path(__file__).parents[1] / "golden_frames.json").read_text(encoding="utf-8"))
FRAMES = {golden["name"]: golden for golden in GOLDEN["frames"]}
COPY_BYTES = CONFIGURATION_BYTES + 2
BLANK = b"\xff" * COPY_BYTES
AT_MS = 5


def answers(data: bytes, board: CBoard | None = None) -> list[Frame]:
    board = board or CBoard(0)
    board.receive(data, AT_MS * 1_000_000)
    return Decoder().feed(board.take_bytes())


def recovered(copy_a: bytes, copy_b: bytes) -> tuple[BoardState, BoardConfiguration]:
    packed = ctypes.create_string_buffer(CONFIGURATION_BYTES)
    state = BoardState(core().chot_configuration_recover(copy_a, copy_b, packed))
    return state, configurations.unpack(packed.raw)


def sealed(configuration: BoardConfiguration) -> bytes:
    copy = ctypes.create_string_buffer(COPY_BYTES)
    core().chot_configuration_seal(configuration.pack(), copy)
    return copy.raw


def test_the_crc_has_the_check_value_of_its_definition() -> None:
    assert core().chot_crc(b"123456789", 9) == 0xD64E


@given(st.binary(max_size=64))
def test_the_crc_is_the_appliances(data: bytes) -> None:
    framed = encode(Frame(1, 2, 3, data[:55]))
    body = Decoder().feed(framed)[0]
    assert body.payload == data[:55]
    assert core().chot_crc(data, len(data)) == configurations.crc_hqx(data, 0xFFFF) ^ CRC_FINAL_XOR


@pytest.mark.parametrize("name", FRAMES)
def test_the_core_understands_every_golden_frame_of_the_host(name: str) -> None:
    """Its answer says that the frame was sound: what is none is never answered."""
    golden = FRAMES[name]
    board = CBoard(0)
    heard = answers(bytes.fromhex(golden["hex"]), board)
    assert board.rejected == 0
    if golden["type"] & 0x8:
        assert heard == [], "the board answered its own kind"
    else:
        [answer] = heard
        expected = 0 if golden["type"] == 1 else golden["session"]
        assert (answer.session, answer.sequence) == (expected, golden["sequence"])


@pytest.mark.parametrize("bad", GOLDEN["rejected"], ids=lambda bad: bad["why"])
def test_the_core_rejects_what_all_reject(bad: dict[str, str]) -> None:
    board = CBoard(0)
    assert answers(bytes.fromhex(bad["hex"]), board) == []
    assert board.rejected >= 1
    assert answers(encode(frame_of(Hello(7), 0, 0)), board), "it is not back in step"


@given(st.binary(max_size=300))
def test_the_core_finds_the_same_frames_in_noise(noise: bytes) -> None:
    decoder, board = Decoder(), CBoard(0)
    decoder.feed(noise + b"\0")
    board.receive(noise + b"\0", 0)
    assert board.rejected == decoder.rejected


@given(st.integers(0, 15), st.integers(0, 65_535), st.integers(0, 255), st.binary(max_size=55))
def test_the_core_calls_malformed_what_the_appliance_does(
    kind: int, session: int, sequence: int, payload: bytes
) -> None:
    frame = Frame(kind, session, sequence, payload)
    heard = answers(encode(frame))
    if kind & 0x8:
        assert heard == []
        return
    try:
        message_of(frame)
    except MessageError:
        [answer] = heard
        assert message_of(answer) == NotAcknowledged(Refusal.MALFORMED)
    else:
        assert [NotAcknowledged(Refusal.MALFORMED)] != [message_of(answer) for answer in heard]


@given(a_configuration)
def test_a_configuration_is_the_same_on_both_sides(configuration: BoardConfiguration) -> None:
    board = CBoard(0, configuration=configuration)
    [hello] = (message_of(frame) for frame in answers(encode(frame_of(Hello(1), 0, 0)), board))
    assert getattr(hello, "fingerprint", None) == configuration.fingerprint
    ask: Message = ReadConfiguration()
    session = getattr(hello, "session", 0)
    [told] = answers(encode(frame_of(ask, session, 1)), board)
    assert message_of(told) == ConfigurationReply(configuration)


@given(
    a_configuration,
    st.lists(st.tuples(st.integers(0, CONFIGURATION_BYTES - 1), st.integers(0, 255)), max_size=3),
)
def test_both_sides_keep_the_same_limits(
    configuration: BoardConfiguration, changes: list[tuple[int, int]]
) -> None:
    packed = bytearray(configuration.pack())
    for at, value in changes:
        packed[at] = value
    again = ctypes.create_string_buffer(CONFIGURATION_BYTES)
    taken = core().chot_configuration_unpack(bytes(packed), again)
    try:
        expected = configurations.unpack(bytes(packed))
    except MessageError:
        assert not taken
    else:
        assert taken
        assert again.raw == expected.pack()


LIMITS = [
    *((6 + 2 * output, 2, 20, 5_000) for output in range(6)),
    (18, 2, 500, 1_000),
    (20, 2, 500, 10_000),
    (22, 2, 20, 1_000),
    (24, 1, 1, 100),
    (25, 1, 0, 250),
]


@pytest.mark.parametrize(("at", "size", "lowest", "highest"), LIMITS)
def test_each_limit_of_the_configuration_is_where_the_protocol_has_it(
    at: int, size: int, lowest: int, highest: int
) -> None:
    again = ctypes.create_string_buffer(CONFIGURATION_BYTES)
    for value in {max(lowest - 1, 0), lowest, highest, highest + 1}:
        packed = bytearray(BoardConfiguration().pack())
        packed[at : at + size] = value.to_bytes(size, "little")
        taken = core().chot_configuration_unpack(bytes(packed), again)
        assert taken is (lowest <= value <= highest), value


@given(a_configuration, a_configuration)
def test_the_first_sound_copy_is_the_configuration(
    first: BoardConfiguration, second: BoardConfiguration
) -> None:
    a, b = sealed(first), sealed(second)
    assert recovered(a, b) == (BoardState.STORED, first)
    assert recovered(BLANK, b) == (BoardState.STORED, second)
    assert recovered(a, BLANK) == (BoardState.STORED, first)
    assert recovered(BLANK, BLANK) == (BoardState(0), BoardConfiguration())


@given(a_configuration, a_configuration, st.integers(0, COPY_BYTES - 1), st.integers(1, 255))
def test_a_power_cut_in_mid_write_leaves_a_sound_copy(
    old: BoardConfiguration, new: BoardConfiguration, written: int, flaw: int
) -> None:
    """A is written first, then B, byte by byte."""
    before, after = sealed(old), sealed(new)
    torn = after[:written] + before[written:]
    assert recovered(torn, before)[1] in (old, new)
    assert recovered(after, torn) == (BoardState.STORED, new)
    spoilt = bytearray(after)
    spoilt[written] ^= flaw
    assert recovered(bytes(spoilt), bytes(spoilt)) == (BoardState.DAMAGED, BoardConfiguration())


def test_an_acknowledgement_is_the_golden_one() -> None:
    """Written by the core, byte for byte."""
    board = CBoard(0, boot_count=2)
    answers(encode(frame_of(Hello(1), 0, 0)), board)
    show = bytes.fromhex(FRAMES["show admit"]["hex"])
    board.receive(show, AT_MS * 1_000_000)
    assert board.take_bytes() == bytes.fromhex(FRAMES["acknowledge"]["hex"])
    assert (
        message_of(Decoder().feed(bytes.fromhex(FRAMES["acknowledge"]["hex"]))[0]) == Acknowledge()
    )


def test_the_board_needs_far_less_memory_than_the_chip_has() -> None:
    assert core().chot_board_bytes() < 700


def test_a_line_that_takes_nothing_loses_whole_frames_only() -> None:
    board = CBoard(0)
    for sequence in range(40):
        board.receive(encode(frame_of(Hello(sequence), 0, sequence)), AT_MS * 1_000_000)
    waiting = board.take_bytes()
    decoder = Decoder()
    assert 1 < len(decoder.feed(waiting)) < 40
    assert (len(waiting) <= 128, decoder.rejected) == (True, 0)
    assert answers(encode(frame_of(Hello(99), 0, 0)), board), "it never speaks again"
