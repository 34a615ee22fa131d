"""What the two sides say: fixed layouts, little-endian, one struct each (docs/firmware-link.md).

The type's highest bit says who speaks: 0 the host, 1 the board. A cable that echoes (a short
between the two lines, a loop-back plug) can thus never answer itself.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

import msgspec

from admission.signal import MAX_PULSES, Output, Pulse, Signal, SignalName
from firmware_bridge.errors import MessageError
from firmware_bridge.link.frame import VERSION, Frame


class Kind(IntEnum):
    """Message types. Values are on the wire."""

    HELLO = 0x1
    SHOW = 0x2
    HEARTBEAT = 0x3
    INPUT_ACKNOWLEDGE = 0x4
    HELLO_REPLY = 0x9
    ACKNOWLEDGE = 0xA
    NOT_ACKNOWLEDGED = 0xB
    HEARTBEAT_REPLY = 0xC
    INPUT = 0xD


class ResetCause(IntEnum):
    """Why the board last started. Values are on the wire."""

    UNKNOWN = 0
    POWER_ON = 1
    EXTERNAL = 2
    BROWN_OUT = 3
    WATCHDOG = 4


class Refusal(IntEnum):
    """Why the board does not acknowledge. Values are on the wire."""

    NO_SESSION = 1
    """The frame's session is not the board's: it restarted, or another host greeted it."""
    VERSION = 2
    """The frame's version is not the board's. The answer's own version says which one is."""
    MALFORMED = 3
    """The payload does not have the layout of its type, or a value in it is beyond its limits."""
    NO_SUCH_OUTPUT = 4
    """A pulse is meant for an output that this board lacks."""
    STALE = 5
    """A newer signal has been accepted since."""


class Input(IntEnum):
    """What the board can sense. Values are on the wire."""

    BUTTON = 0
    TAMPER = 1
    PASSAGE_A = 2
    PASSAGE_B = 3
    FIRE = 4
    STOP = 5


class Hello(msgspec.Struct, frozen=True, gc=False):
    """The host begins a session. `nonce` (u32) ties the answer to this greeting."""

    nonce: int


class HelloReply(msgspec.Struct, frozen=True, gc=False):
    """The board's answer: which session this is, and who answers.

    `boot_count` (u16, kept over power cycles) changes with every start. `outputs` and `inputs` are
    what is fitted; `max_on_ms` and `dead_man_ms` are the limits that the board itself keeps.
    """

    nonce: int
    session: int
    boot_count: int
    reset_cause: ResetCause
    outputs: frozenset[Output]
    inputs: frozenset[Input]
    max_on_ms: int
    dead_man_ms: int
    firmware: tuple[int, int, int]


class Show(msgspec.Struct, frozen=True, gc=False):
    """Run this signal instead of whatever runs now."""

    signal: Signal


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """The host is there. It holds the dead-man's handle."""


class InputAcknowledge(msgspec.Struct, frozen=True, gc=False):
    """The host holds the input event of the frame's sequence."""


class Acknowledge(msgspec.Struct, frozen=True, gc=False):
    """The show of the frame's sequence runs, or has run."""


class NotAcknowledged(msgspec.Struct, frozen=True, gc=False):
    """What came with the frame's session and sequence was not accepted.

    A `reason` that this version does not know is kept as its number.
    """

    reason: int


class HeartbeatReply(msgspec.Struct, frozen=True, gc=False):
    """The board is there: its clock (ms since its start, u32, wraps), and what is energised."""

    board_ms: int
    energised: frozenset[Output]


class InputEvent(msgspec.Struct, frozen=True, gc=False):
    """An input changed to `value` (0 or 1 for contacts) at `board_ms` (u32, wraps).

    `lost` (u8, saturating) counts events before this one that found the board's memory full.
    """

    input: Input
    value: int
    board_ms: int
    lost: int = 0


HostMessage = Hello | Show | Heartbeat | InputAcknowledge
BoardMessage = HelloReply | Acknowledge | NotAcknowledged | HeartbeatReply | InputEvent
Message = HostMessage | BoardMessage

_HELLO: Final = struct.Struct("<I")
_HELLO_REPLY: Final = struct.Struct("<IHHBBBHHBBB")
_SHOW: Final = struct.Struct("<BB")
_PULSE: Final = struct.Struct("<BHHB")
_REFUSAL: Final = struct.Struct("<B")
_HEARTBEAT_REPLY: Final = struct.Struct("<IB")
_INPUT: Final = struct.Struct("<BBIB")


def frame_of(message: Message, session: int, sequence: int) -> Frame:
    """Return the message as a frame of this version."""
    kind, payload = _packed(message)
    return Frame(kind, session, sequence, payload)


def message_of(frame: Frame) -> Message:
    """Return what the frame says.

    :raises MessageError: if its version, type or payload is not of this protocol.
    """
    if frame.version != VERSION:
        msg = f"protocol version {frame.version} is not {VERSION}"
        raise MessageError(msg, hint="update the firmware or the appliance, whichever is older")
    try:
        return _unpacked(frame.kind, frame.payload)
    except (struct.error, ValueError) as error:
        msg = f"not a message of type {frame.kind}: {error}"
        raise MessageError(msg) from error


def refusal_of(frame: Frame) -> NotAcknowledged | None:
    """Return the refusal if the frame is one, whatever its version.

    Type and first payload byte of a refusal are the same in every version.
    """
    if frame.kind != Kind.NOT_ACKNOWLEDGED or not frame.payload:
        return None
    return NotAcknowledged(frame.payload[0])


def _packed(message: Message) -> tuple[Kind, bytes]:
    match message:
        case Show(signal):
            return Kind.SHOW, _pack_signal(signal)
        case Heartbeat():
            return Kind.HEARTBEAT, b""
        case HeartbeatReply(board_ms, energised):
            return Kind.HEARTBEAT_REPLY, _HEARTBEAT_REPLY.pack(board_ms, _bits(energised))
        case Acknowledge():
            return Kind.ACKNOWLEDGE, b""
        case InputAcknowledge():
            return Kind.INPUT_ACKNOWLEDGE, b""
        case NotAcknowledged(reason):
            return Kind.NOT_ACKNOWLEDGED, _REFUSAL.pack(reason)
        case InputEvent(source, value, board_ms, lost):
            return Kind.INPUT, _INPUT.pack(source, value, board_ms, lost)
        case Hello(nonce):
            return Kind.HELLO, _HELLO.pack(nonce)
        case HelloReply():
            return Kind.HELLO_REPLY, _pack_hello_reply(message)


def _unpacked(kind: int, payload: bytes) -> Message:
    match kind:
        case Kind.SHOW:
            return Show(_unpack_signal(payload))
        case Kind.HEARTBEAT_REPLY:
            board_ms, energised = _HEARTBEAT_REPLY.unpack(payload)
            return HeartbeatReply(board_ms, frozenset(o for o in Output if energised >> o & 1))
        case Kind.NOT_ACKNOWLEDGED:
            return NotAcknowledged(*_REFUSAL.unpack(payload))
        case Kind.INPUT:
            source, value, board_ms, lost = _INPUT.unpack(payload)
            return InputEvent(Input(source), value, board_ms, lost)
        case Kind.HELLO:
            return Hello(*_HELLO.unpack(payload))
        case Kind.HELLO_REPLY:
            return _unpack_hello_reply(payload)
        case Kind.HEARTBEAT | Kind.ACKNOWLEDGE | Kind.INPUT_ACKNOWLEDGE:
            if payload:
                raise ValueError("this type carries no payload")
            return _EMPTY[kind]
        case _:
            raise ValueError("unknown type")


_EMPTY: Final[dict[int, Message]] = {
    Kind.HEARTBEAT: Heartbeat(),
    Kind.ACKNOWLEDGE: Acknowledge(),
    Kind.INPUT_ACKNOWLEDGE: InputAcknowledge(),
}


def _bits(members: frozenset[Output] | frozenset[Input]) -> int:
    return sum(1 << member for member in members)


def _pack_signal(signal: Signal) -> bytes:
    pulses = (_PULSE.pack(p.output, p.on_ms, p.off_ms, p.count) for p in signal.pulses)
    return _SHOW.pack(signal.name, len(signal.pulses)) + b"".join(pulses)


def _unpack_signal(payload: bytes) -> Signal:
    name, count = _SHOW.unpack_from(payload)
    if count > MAX_PULSES or len(payload) != _SHOW.size + count * _PULSE.size:
        raise ValueError("the number of pulses is not the one announced")
    pulses = tuple(
        Pulse(Output(output), on_ms, off_ms, repeats)
        for output, on_ms, off_ms, repeats in _PULSE.iter_unpack(payload[_SHOW.size :])
    )
    return Signal(SignalName(name), pulses)


def _pack_hello_reply(reply: HelloReply) -> bytes:
    return _HELLO_REPLY.pack(
        reply.nonce,
        reply.session,
        reply.boot_count,
        reply.reset_cause,
        _bits(reply.outputs),
        _bits(reply.inputs),
        reply.max_on_ms,
        reply.dead_man_ms,
        *reply.firmware,
    )


def _unpack_hello_reply(payload: bytes) -> HelloReply:
    nonce, session, boots, cause, outputs, inputs, max_on_ms, dead_man_ms, *firmware = (
        _HELLO_REPLY.unpack(payload)
    )
    return HelloReply(
        nonce,
        session,
        boots,
        ResetCause(cause),
        # Bits of outputs and inputs that later boards may have are passed over.
        frozenset(o for o in Output if outputs >> o & 1),
        frozenset(i for i in Input if inputs >> i & 1),
        max_on_ms,
        dead_man_ms,
        (firmware[0], firmware[1], firmware[2]),
    )
