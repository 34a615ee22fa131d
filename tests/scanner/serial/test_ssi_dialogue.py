"""The SSI handshake: no text lost, none doubled, every command acknowledged or given up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.serial.framing import Line, LineSettings
from scanner.serial.ssi import CONTINUED, DECODER, RETRANSMIT, Opcode, Packet, PacketReader, encode
from scanner.serial.ssi_dialogue import (
    PACKET_SILENCE_S,
    QUEUE_LIMIT,
    RESENDS,
    RESPONSE_S,
    SsiDialogue,
)

ACK = encode(Packet(Opcode.CMD_ACK))
NAK_RESEND = encode(Packet(Opcode.CMD_NAK, b"\x01"))
SCANNER_ACK = encode(Packet(Opcode.CMD_ACK), DECODER)
BEEP = encode(Packet(Opcode.BEEP, b"\x00"))
LAMP = encode(Packet(Opcode.LED_ON, b"\x01"))
RESPONSE_NS = int(RESPONSE_S * 1e9)
PACKET_SILENCE_NS = int(PACKET_SILENCE_S * 1e9)
ABANDON_NS = int(LineSettings().abandon_s * 1e9)


def decoded(data: bytes, kind: int = 0x1C, status: int = 0) -> bytes:
    return encode(Packet(Opcode.DECODE_DATA, bytes([kind]) + data, status), DECODER)


def nak(cause: int) -> bytes:
    return encode(Packet(Opcode.CMD_NAK, bytes([cause])), DECODER)


def a_dialogue() -> SsiDialogue:
    return SsiDialogue(LineSettings())


@pytest.mark.parametrize(
    ("kind", "symbology"),
    [
        (0x1C, Symbology.QR_CODE),
        (0x2C, Symbology.MICRO_QR),
        (0x2D, Symbology.AZTEC),
        (0x1B, Symbology.DATA_MATRIX),
        (0x11, Symbology.PDF417),
        (0x03, Symbology.CODE_128),
        (0x0F, Symbology.CODE_128),
        (0x0B, Symbology.UNSTATED),
    ],
)
def test_a_text_says_its_symbology_and_is_acknowledged(kind: int, symbology: Symbology) -> None:
    dialogue = a_dialogue()
    assert dialogue.feed(decoded(b"Nguy\xe1\xbb\x85n\r\n", kind), 5) == [
        Line("Nguyễn", symbology, 5)
    ]
    assert dialogue.take() == ACK
    assert dialogue.take() == b""


def test_a_damaged_packet_is_asked_for_again() -> None:
    dialogue = a_dialogue()
    spoilt = bytearray(decoded(b"42"))
    spoilt[-1] ^= 1
    assert dialogue.feed(bytes(spoilt), 1) == []
    assert dialogue.take() == NAK_RESEND
    assert [line.text for line in dialogue.feed(decoded(b"42", status=RETRANSMIT), 2)] == ["42"]
    assert dialogue.take() == ACK
    assert dialogue.damaged == 1


def test_a_packet_sent_again_because_our_answer_was_lost_is_one_text() -> None:
    dialogue = a_dialogue()
    assert dialogue.feed(decoded(b"42"), 1)
    assert dialogue.feed(decoded(b"42", status=RETRANSMIT), 2) == []
    assert dialogue.take() == ACK * 2
    assert dialogue.feed(decoded(b"42"), 3)


@settings(deadline=None)
@given(
    st.lists(st.text("0Aễ😷", min_size=1, max_size=700), max_size=4),
    st.integers(1, 250),
    st.data(),
)
def test_texts_of_several_packets_are_put_together(
    texts: list[str], size: int, data: st.DataObject
) -> None:
    stream = b""
    for text in texts:
        parts = [text.encode()[at : at + size] for at in range(0, len(text.encode()), size)]
        for number, part in enumerate(parts):
            packet = decoded(part, status=CONTINUED if number < len(parts) - 1 else 0)
            stream += packet
            if data.draw(st.booleans()):
                again = bytearray(packet[:-2])
                again[3] |= RETRANSMIT
                stream += bytes(again) + (-sum(again) & 0xFFFF).to_bytes(2, "big")
    dialogue = a_dialogue()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    lines = [
        line
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for line in dialogue.feed(stream[start:end], 1)
    ]
    assert [line.text for line in lines] == texts
    assert not dialogue.pending


def test_an_endless_text_is_one_oversized_text_and_bounded() -> None:
    dialogue = a_dialogue()
    lines = []
    for number in range(2_000):
        part = b"%06d" % number + b"x" * 240
        lines += dialogue.feed(decoded(part, status=CONTINUED), 1)
        dialogue.take()
        assert len(dialogue._text) < 40_000
    assert [len(line.text) for line in lines] == [MAX_TEXT_LENGTH + 1]
    assert dialogue.oversized == 1
    dialogue.feed(decoded(b"end"), 1)
    assert [line.text for line in dialogue.feed(decoded(b"next"), 1)] == ["next"]


def test_silence_ends_half_a_text_and_half_a_packet() -> None:
    dialogue = a_dialogue()
    dialogue.feed(decoded(b"half", status=CONTINUED), 1)
    assert dialogue.pending
    dialogue.idle(ABANDON_NS)
    assert (dialogue.abandoned, dialogue.pending) == (0, True)
    dialogue.idle(1 + ABANDON_NS)
    assert (dialogue.abandoned, dialogue.pending) == (1, False)
    dialogue.feed(b"\xff\xf3\x00\x00" + decoded(b"whole"), 3)
    assert [line.text for line in dialogue.idle(4)] == ["whole"]


def test_half_a_text_is_not_the_beginning_of_one_that_comes_much_later() -> None:
    dialogue = a_dialogue()
    dialogue.feed(decoded(b"half", status=CONTINUED), 0)
    assert [line.text for line in dialogue.feed(decoded(b"42"), ABANDON_NS)] == ["42"]
    assert dialogue.abandoned == 1


def test_a_spoilt_length_costs_one_sending_and_not_the_text() -> None:
    dialogue = a_dialogue()
    spoilt = bytearray(decoded(b"42"))
    spoilt[0] = 0xFF
    assert dialogue.feed(bytes(spoilt), 0) == []
    assert dialogue.take() == b""
    assert dialogue.idle(PACKET_SILENCE_NS) == []
    assert dialogue.take() == NAK_RESEND
    again = dialogue.feed(decoded(b"42", status=RETRANSMIT), 2 * PACKET_SILENCE_NS)
    assert [line.text for line in again] == ["42"]


def test_commands_go_out_one_by_one() -> None:
    dialogue = a_dialogue()
    dialogue.say((BEEP, LAMP), 0)
    assert dialogue.take() == BEEP
    dialogue.feed(SCANNER_ACK, 1)
    assert dialogue.take() == LAMP
    dialogue.feed(SCANNER_ACK, 2)
    assert (dialogue.take(), dialogue.due_ns, dialogue.unanswered) == (b"", None, 0)


@pytest.mark.parametrize("why", ["silence", "nak"])
def test_a_command_is_sent_again_and_marked_then_given_up(why: str) -> None:
    dialogue = a_dialogue()
    dialogue.say((BEEP, LAMP), 0)
    assert dialogue.take() == BEEP
    now_ns = 0
    for _ in range(RESENDS):
        if why == "nak":
            dialogue.feed(nak(1), now_ns)
        else:
            dialogue.elapse(now_ns + RESPONSE_NS - 1)
            assert dialogue.take() == b""
            now_ns += RESPONSE_NS
            dialogue.elapse(now_ns)
        (again,) = PacketReader(4).feed(dialogue.take())
        assert again == Packet(Opcode.BEEP, b"\x00", RETRANSMIT)
    if why == "nak":
        dialogue.feed(nak(1), now_ns)
    else:
        dialogue.elapse(now_ns + RESPONSE_NS)
    assert dialogue.take() == LAMP
    assert dialogue.unanswered == 1


def test_a_command_that_is_denied_is_not_sent_again() -> None:
    dialogue = a_dialogue()
    dialogue.say((BEEP, LAMP), 0)
    dialogue.take()
    dialogue.feed(nak(6), 1)
    assert dialogue.take() == LAMP
    assert dialogue.unanswered == 1


def test_a_deaf_scanner_s_commands_do_not_pile_up() -> None:
    dialogue = a_dialogue()
    for _ in range(1_000):
        dialogue.say((BEEP,), 0)
    assert len(dialogue._commands) == QUEUE_LIMIT
    assert dialogue.take() == BEEP


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.just(decoded(b"1"))), max_size=12))
def test_no_bytes_upset_it(stream: list[bytes]) -> None:
    dialogue = a_dialogue()
    for now_ns, piece in enumerate(stream):
        dialogue.feed(piece, now_ns)
        dialogue.say((BEEP,), now_ns)
        assert len(dialogue.take()) <= 6 * 50
    dialogue.idle(10**12)
