"""From messages to frames and back: fixed layouts, little-endian (docs/firmware-link.md)."""

from __future__ import annotations

import struct
from typing import Final

from admission.gate import GateOutcome, Input, Side
from admission.signal import MAX_PULSES, Output, Pulse, Signal, SignalName
from firmware_bridge.errors import LinkError, MessageError
from firmware_bridge.link.configuration import bits_of, unpack
from firmware_bridge.link.frame import VERSION, Frame
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
    ResetCause,
    Show,
)

_HELLO: Final = struct.Struct("<I")
_HELLO_REPLY: Final = struct.Struct("<IHHBBBBHBBHHHBBB")
_SHOW: Final = struct.Struct("<BBI")
_PULSE: Final = struct.Struct("<BHHB")
_REFUSAL: Final = struct.Struct("<B")
_HEARTBEAT_REPLY: Final = struct.Struct("<IBB")
_INPUT: Final = struct.Struct("<BBIB")
_GATE: Final = struct.Struct("<BBIIB")

_EMPTY: Final[dict[int, Message]] = {
    Kind.HEARTBEAT: Heartbeat(),
    Kind.ACKNOWLEDGE: Acknowledge(),
    Kind.EVENT_ACKNOWLEDGE: EventAcknowledge(),
    Kind.READ_CONFIGURATION: ReadConfiguration(),
}
_KIND_OF_EMPTY: Final = {type(message): Kind(kind) for kind, message in _EMPTY.items()}


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
    except (struct.error, ValueError, LinkError) as error:
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
        case Show(signal, entry):
            return Kind.SHOW, _pack_show(signal, entry)
        case HeartbeatReply(board_ms, energised, sensed):
            packed = _HEARTBEAT_REPLY.pack(board_ms, bits_of(energised), bits_of(sensed))
            return Kind.HEARTBEAT_REPLY, packed
        case NotAcknowledged(reason):
            return Kind.NOT_ACKNOWLEDGED, _REFUSAL.pack(reason)
        case InputEvent(source, value, board_ms, lost):
            return Kind.INPUT, _INPUT.pack(source, value, board_ms, lost)
        case GateEvent(outcome, side, entry, board_ms, lost):
            return Kind.GATE, _GATE.pack(outcome, side, entry, board_ms, lost)
        case Hello(nonce):
            return Kind.HELLO, _HELLO.pack(nonce)
        case HelloReply():
            return Kind.HELLO_REPLY, _pack_hello_reply(message)
        case Configure(configuration):
            return Kind.CONFIGURE, configuration.pack()
        case ConfigurationReply(configuration):
            return Kind.CONFIGURATION, configuration.pack()
        case _:
            return _KIND_OF_EMPTY[type(message)], b""


def _unpacked(kind: int, payload: bytes) -> Message:
    match kind:
        case Kind.SHOW:
            return _unpack_show(payload)
        case Kind.HEARTBEAT_REPLY:
            board_ms, energised, sensed = _HEARTBEAT_REPLY.unpack(payload)
            return HeartbeatReply(board_ms, _outputs(energised), _inputs(sensed))
        case Kind.NOT_ACKNOWLEDGED:
            return NotAcknowledged(*_REFUSAL.unpack(payload))
        case Kind.INPUT:
            source, value, board_ms, lost = _INPUT.unpack(payload)
            return InputEvent(Input(source), value, board_ms, lost)
        case Kind.GATE:
            outcome, side, entry, board_ms, lost = _GATE.unpack(payload)
            return GateEvent(GateOutcome(outcome), Side(side), entry, board_ms, lost)
        case Kind.HELLO:
            return Hello(*_HELLO.unpack(payload))
        case Kind.HELLO_REPLY:
            return _unpack_hello_reply(payload)
        case Kind.CONFIGURE:
            return Configure(unpack(payload))
        case Kind.CONFIGURATION:
            return ConfigurationReply(unpack(payload))
        case _:
            return _unpack_empty(kind, payload)


def _unpack_empty(kind: int, payload: bytes) -> Message:
    message = _EMPTY.get(kind)
    if message is None:
        raise ValueError("unknown type")
    if payload:
        raise ValueError("this type carries no payload")
    return message


def _outputs(bits: int) -> frozenset[Output]:
    """Return the outputs of these bits. Those that only later boards have are passed over."""
    return frozenset(output for output in Output if bits >> output & 1)


def _inputs(bits: int) -> frozenset[Input]:
    """Return the inputs of these bits. Those that only later boards have are passed over."""
    return frozenset(source for source in Input if bits >> source & 1)


def _pack_show(signal: Signal, entry: int) -> bytes:
    pulses = (_PULSE.pack(p.output, p.on_ms, p.off_ms, p.count) for p in signal.pulses)
    return _SHOW.pack(signal.name, len(signal.pulses), entry) + b"".join(pulses)


def _unpack_show(payload: bytes) -> Show:
    name, count, entry = _SHOW.unpack_from(payload)
    if count > MAX_PULSES or len(payload) != _SHOW.size + count * _PULSE.size:
        raise ValueError("the number of pulses is not the one announced")
    pulses = tuple(
        Pulse(Output(output), on_ms, off_ms, repeats)
        for output, on_ms, off_ms, repeats in _PULSE.iter_unpack(payload[_SHOW.size :])
    )
    return Show(Signal(SignalName(name), pulses), entry)


def _pack_hello_reply(reply: HelloReply) -> bytes:
    return _HELLO_REPLY.pack(
        reply.nonce,
        reply.session,
        reply.boot_count,
        reply.reset_cause,
        bits_of(reply.outputs),
        bits_of(reply.inputs),
        bits_of(reply.sensed),
        reply.fingerprint,
        reply.state,
        reply.options,
        reply.max_on_ms,
        reply.dead_man_ms,
        reply.window_ms,
        *reply.firmware,
    )


def _unpack_hello_reply(payload: bytes) -> HelloReply:
    fields = _HELLO_REPLY.unpack(payload)
    nonce, session, boots, cause, outputs, inputs, sensed, fingerprint, state, options = fields[:10]
    max_on_ms, dead_man_ms, window_ms, major, minor, patch = fields[10:]
    return HelloReply(
        nonce,
        session,
        boots,
        ResetCause(cause),
        _outputs(outputs),
        _inputs(inputs),
        _inputs(sensed),
        fingerprint,
        BoardState(state),
        BoardOptions(options),
        max_on_ms,
        dead_man_ms,
        window_ms,
        (major, minor, patch),
    )
