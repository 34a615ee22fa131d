"""Protects: every message has exactly one layout, the one that the C firmware shares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.gate import GateOutcome, Input, Side
from admission.signal import (
    ADMIT,
    ALARM,
    MAX_PULSES,
    OUT_OF_ORDER,
    REFER,
    REFUSE,
    Output,
    Pulse,
    Signal,
    SignalName,
)
from firmware_bridge.errors import MessageError
from firmware_bridge.link.codec import frame_of, message_of, refusal_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import MAX_PAYLOAD_BYTES, Decoder, Frame, encode
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardOptions,
    BoardState,
    ConfigurationReply,
    Configure,
    EventAcknowledge,
    GateEvent,
    Heartbeat,
    HeartbeatReply,
    Hello,
    HelloReply,
    InputEvent,
    Kind,
    Message,
    NotAcknowledged,
    ReadConfiguration,
    Refusal,
    ResetCause,
    Show,
)
from tests.admission.signals import signals
from tests.firmware_bridge.configurations import configurations

GOLDEN = json.loads(Path(__file__).parent.parent.joinpath("golden_frames.json").read_text())

TURNSTILE = BoardConfiguration(
    outputs=frozenset(Output) - {Output.AMBER},
    active_low=frozenset({Output.GATE, Output.GATE_B}),
    inputs=frozenset({Input.PASSAGE_A, Input.PASSAGE_B, Input.FIRE, Input.READY}),
    normally_closed=frozenset({Input.FIRE}),
    hold=True,
    fail_safe=True,
    safe_blink=True,
    max_on_ms=(5_000, 5_000, 5_000, 2_000, 3_000, 20),
    dead_man_ms=500,
    window_ms=10_000,
    min_pulse_ms=20,
    debounce_ms=1,
    settle_ms=250,
)

GOLDEN_MESSAGES: dict[str, tuple[Message, int, int]] = {
    "hello": (Hello(0x01020304), 0, 0),
    "hello reply": (
        HelloReply(
            0x01020304,
            0x0201,
            2,
            ResetCause.WATCHDOG,
            frozenset(Output) - {Output.GATE_B},
            frozenset({Input.BUTTON, Input.TAMPER, Input.READY}),
            frozenset({Input.READY}),
            0xBEEF,
            BoardState.STORED | BoardState.JUMPER,
            BoardOptions.HOLD | BoardOptions.SAFE_BLINK,
            5_000,
            1_000,
            10_000,
            (1, 2, 3),
        ),
        0,
        0,
    ),
    "show admit": (Show(ADMIT, 0x12345678), 0x0201, 1),
    "show admit, no entry": (Show(ADMIT), 0x0201, 2),
    "show refer": (Show(REFER), 0x0201, 2),
    "show refuse": (Show(REFUSE), 0x0201, 3),
    "show out of order": (Show(OUT_OF_ORDER), 0x0201, 255),
    "show alarm": (Show(ALARM), 0x0201, 4),
    "show test of gate B": (
        Show(Signal(SignalName.TEST, (Pulse(Output.GATE_B, 300),)), 0xFFFFFFFF),
        0x0201,
        5,
    ),
    "show nothing": (Show(Signal(SignalName.TEST, ())), 0x0201, 6),
    "acknowledge": (Acknowledge(), 0x0201, 1),
    "not acknowledged, no session": (NotAcknowledged(Refusal.NO_SESSION), 0x0101, 7),
    "not acknowledged, version": (NotAcknowledged(Refusal.VERSION), 0x0000, 0),
    "not acknowledged, malformed": (NotAcknowledged(Refusal.MALFORMED), 0x0201, 8),
    "not acknowledged, no such output": (NotAcknowledged(Refusal.NO_SUCH_OUTPUT), 0x0201, 8),
    "not acknowledged, stale": (NotAcknowledged(Refusal.STALE), 0x0201, 9),
    "not acknowledged, stopped": (NotAcknowledged(Refusal.STOPPED), 0x0201, 10),
    "not acknowledged, not ready": (NotAcknowledged(Refusal.NOT_READY), 0x0201, 11),
    "not acknowledged, busy": (NotAcknowledged(Refusal.BUSY), 0x0201, 12),
    "not acknowledged, not configured": (NotAcknowledged(Refusal.NOT_CONFIGURED), 0x0201, 13),
    "not acknowledged, locked": (NotAcknowledged(Refusal.LOCKED), 0x0201, 14),
    "heartbeat": (Heartbeat(), 0x0201, 0),
    "heartbeat reply": (
        HeartbeatReply(
            0x00012345,
            frozenset({Output.GREEN, Output.GATE}),
            frozenset({Input.TAMPER, Input.STOP}),
        ),
        0x0201,
        0,
    ),
    "input, button": (InputEvent(Input.BUTTON, 1, 0x00012345, 0), 0x0201, 1),
    "input, tamper after lost ones": (InputEvent(Input.TAMPER, 1, 0xFFFFFFFF, 255), 0x0201, 2),
    "input, ready falls": (InputEvent(Input.READY, 0, 0x00012345, 0), 0x0201, 3),
    "gate, passed": (
        GateEvent(GateOutcome.PASSED, Side.A, 0x12345678, 0x00012345, 0),
        0x0201,
        4,
    ),
    "gate, not passed": (
        GateEvent(GateOutcome.NOT_PASSED, Side.B, 1, 0x00012345, 0),
        0x0201,
        5,
    ),
    "gate, forced after lost ones": (
        GateEvent(GateOutcome.FORCED, Side.B, 0, 0xFFFFFFFF, 255),
        0x0201,
        6,
    ),
    "gate, tailgated": (
        GateEvent(GateOutcome.TAILGATED, Side.A, 0xFFFFFFFF, 0, 1),
        0x0201,
        0,
    ),
    "event acknowledge": (EventAcknowledge(), 0x0201, 1),
    "configure, defaults": (Configure(BoardConfiguration()), 0x0201, 15),
    "configure, turnstile": (Configure(TURNSTILE), 0x0201, 16),
    "read configuration": (ReadConfiguration(), 0x0201, 17),
    "configuration": (ConfigurationReply(TURNSTILE), 0x0201, 17),
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
        inputs,
        u16,
        u8.map(BoardState),
        u8.map(BoardOptions),
        u16,
        u16,
        u16,
        st.tuples(u8, u8, u8),
    ),
    st.builds(Show, signals, u32),
    st.builds(NotAcknowledged, u8),
    st.builds(HeartbeatReply, u32, outputs, inputs),
    st.builds(InputEvent, st.sampled_from(Input), u8, u32, u8),
    st.builds(GateEvent, st.sampled_from(GateOutcome), st.sampled_from(Side), u32, u32, u8),
    st.builds(Configure, configurations),
    st.builds(ConfigurationReply, configurations),
    st.sampled_from([Heartbeat(), Acknowledge(), EventAcknowledge(), ReadConfiguration()]),
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
    assert 6 + MAX_PULSES * 6 <= MAX_PAYLOAD_BYTES


def test_the_first_bit_of_the_type_says_who_speaks() -> None:
    host = {
        Kind.HELLO,
        Kind.SHOW,
        Kind.HEARTBEAT,
        Kind.EVENT_ACKNOWLEDGE,
        Kind.CONFIGURE,
        Kind.READ_CONFIGURATION,
    }
    assert {kind for kind in Kind if not kind & 0x8} == host


def test_another_version_is_refused_with_a_hint() -> None:
    with pytest.raises(MessageError, match="version 3") as caught:
        message_of(Frame(Kind.HEARTBEAT, 1, 1, b"", version=3))
    assert caught.value.hint


def test_a_refusal_is_understood_across_versions() -> None:
    frame = Frame(Kind.NOT_ACKNOWLEDGED, 0, 0, bytes([Refusal.VERSION, 9, 9]), version=7)
    assert refusal_of(frame) == NotAcknowledged(Refusal.VERSION)
    assert refusal_of(Frame(Kind.NOT_ACKNOWLEDGED, 0, 0)) is None
    assert refusal_of(Frame(Kind.ACKNOWLEDGE, 0, 0, b"\x01")) is None
