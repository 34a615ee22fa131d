"""Protects: every message has exactly one layout, the one that the C firmware shares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.signal import ADMIT, MAX_PULSES, OUT_OF_ORDER, REFER, REFUSE, Output
from firmware_bridge.errors import MessageError
from firmware_bridge.link.frame import MAX_PAYLOAD_BYTES, Decoder, Frame, encode
from firmware_bridge.link.messages import (
    Acknowledge,
    Heartbeat,
    HeartbeatReply,
    Hello,
    HelloReply,
    Input,
    InputAcknowledge,
    InputEvent,
    Kind,
    Message,
    NotAcknowledged,
    Refusal,
    ResetCause,
    Show,
    frame_of,
    message_of,
    refusal_of,
)
from tests.admission.signals import signals

GOLDEN = json.loads(Path(__file__).parent.parent.joinpath("golden_frames.json").read_text())

GOLDEN_MESSAGES: dict[str, tuple[Message, int, int]] = {
    "hello": (Hello(0x01020304), 0, 0),
    "hello reply": (
        HelloReply(
            0x01020304,
            0x0201,
            2,
            ResetCause.WATCHDOG,
            frozenset(Output) - {Output.GATE_B},
            frozenset({Input.BUTTON, Input.TAMPER}),
            5_000,
            1_000,
            (1, 2, 3),
        ),
        0,
        0,
    ),
    "show admit": (Show(ADMIT), 0x0201, 1),
    "show refer": (Show(REFER), 0x0201, 2),
    "show refuse": (Show(REFUSE), 0x0201, 3),
    "show out of order": (Show(OUT_OF_ORDER), 0x0201, 255),
    "acknowledge": (Acknowledge(), 0x0201, 1),
    "not acknowledged, no session": (NotAcknowledged(Refusal.NO_SESSION), 0x0101, 7),
    "not acknowledged, stale": (NotAcknowledged(Refusal.STALE), 0x0201, 9),
    "heartbeat": (Heartbeat(), 0x0201, 0),
    "heartbeat reply": (
        HeartbeatReply(0x00012345, frozenset({Output.GREEN, Output.GATE})),
        0x0201,
        0,
    ),
    "input, button": (InputEvent(Input.BUTTON, 1, 0x00012345, 0), 0x0201, 1),
    "input, tamper after lost ones": (InputEvent(Input.TAMPER, 1, 0xFFFFFFFF, 255), 0x0201, 2),
    "input acknowledge": (InputAcknowledge(), 0x0201, 1),
}

u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
outputs = st.frozensets(st.sampled_from(Output))
inputs = st.frozensets(st.sampled_from(Input))
messages = st.one_of(
    st.builds(Hello, u32),
    st.builds(
        HelloReply,
        u32,
        u16,
        u16,
        st.sampled_from(ResetCause),
        outputs,
        inputs,
        u16,
        u16,
        st.tuples(u8, u8, u8),
    ),
    st.builds(Show, signals),
    st.builds(NotAcknowledged, u8),
    st.builds(HeartbeatReply, u32, outputs),
    st.builds(InputEvent, st.sampled_from(Input), u8, u32, u8),
    st.sampled_from([Heartbeat(), Acknowledge(), InputAcknowledge()]),
)


def test_every_golden_frame_has_its_message() -> None:
    assert [case["name"] for case in GOLDEN["frames"]] == list(GOLDEN_MESSAGES)


@pytest.mark.parametrize("case", GOLDEN["frames"], ids=lambda case: case["name"])
def test_golden_frames(case: dict[str, str]) -> None:
    message, session, sequence = GOLDEN_MESSAGES[case["name"]]
    data = bytes.fromhex(case["hex"])
    assert encode(frame_of(message, session, sequence)) == data
    (frame,) = Decoder().feed(data)
    assert (frame.session, frame.sequence) == (session, sequence)
    assert message_of(frame) == message


@given(messages, u16, u8)
def test_messages_survive_the_cable(message: Message, session: int, sequence: int) -> None:
    (frame,) = Decoder().feed(encode(frame_of(message, session, sequence)))
    assert message_of(frame) == message
    assert (frame.session, frame.sequence) == (session, sequence)


@given(st.integers(0, 15), st.binary(max_size=MAX_PAYLOAD_BYTES))
def test_any_payload_is_a_message_or_a_message_error(kind: int, payload: bytes) -> None:
    try:
        message = message_of(Frame(kind, 1, 1, payload))
    except MessageError:
        return
    again = frame_of(message, 1, 1)
    assert again.kind == kind
    assert len(again.payload) == len(payload)


def test_the_longest_signal_fits_a_frame() -> None:
    assert 2 + MAX_PULSES * 6 <= MAX_PAYLOAD_BYTES


def test_the_first_bit_of_the_type_says_who_speaks() -> None:
    host = {Kind.HELLO, Kind.SHOW, Kind.HEARTBEAT, Kind.INPUT_ACKNOWLEDGE}
    assert {kind for kind in Kind if not kind & 0x8} == host


def test_another_version_is_refused_with_a_hint() -> None:
    with pytest.raises(MessageError, match="version 2") as caught:
        message_of(Frame(Kind.HEARTBEAT, 1, 1, b"", version=2))
    assert caught.value.hint


def test_a_refusal_is_understood_across_versions() -> None:
    frame = Frame(Kind.NOT_ACKNOWLEDGED, 0, 0, bytes([Refusal.VERSION, 9, 9]), version=7)
    assert refusal_of(frame) == NotAcknowledged(Refusal.VERSION)
    assert refusal_of(Frame(Kind.NOT_ACKNOWLEDGED, 0, 0)) is None
    assert refusal_of(Frame(Kind.ACKNOWLEDGE, 0, 0, b"\x01")) is None
