"""The talk with a scanner that speaks Zebra's SSI: every packet is acknowledged, either way."""

from __future__ import annotations

from collections import deque

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.serial.dialogue import Messages
from scanner.serial.line import Line, LineSettings, line_of
from scanner.serial.ssi import (
    CONTINUED,
    DECODER,
    HEADER_BYTES,
    NAK_RESEND,
    RETRANSMIT,
    SYMBOLOGIES,
    Opcode,
    Packet,
    PacketReader,
    checksum,
    encode,
)

RESPONSE_S = 2.0
"""The default of the Serial Response Timeout, which must be the same at both ends."""
PACKET_SILENCE_S = 0.5
"""A packet that pauses for so long will not end: well above the gaps between its bytes, and below
the scanner's Serial Response Timeout, so that what it sends again is not taken for the rest."""
RESENDS = 2
"""Times that a command is sent again (DS9908 Product Reference Guide, page 249)."""
QUEUE_LIMIT = 8
"""Commands that wait for the one before them; further ones are dropped as unanswered."""

_ACK = encode(Packet(Opcode.CMD_ACK))
_NAK = encode(Packet(Opcode.CMD_NAK, bytes([NAK_RESEND])))
_REPLIES = frozenset({Opcode.REPLY_REVISION, Opcode.CAPABILITIES_REPLY, Opcode.PARAM_SEND})
"""Responses that acknowledge the command they respond to, and are not acknowledged themselves."""


class SsiDialogue:
    """Texts arrive in DECODE_DATA packets, which say the symbology; commands go out one by one.

    A packet that the scanner sends again because our ACK was lost is acknowledged again and is no
    second text. A text of several packets is put together; each packet is taken to have the bar
    code type that the packet's format shows. What a scanner still adds as a line's end is dropped.
    """

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._abandon_ns = int(settings.abandon_s * 1e9)
        self._last_ns = 0
        self._reader = PacketReader(DECODER)
        self._text = bytearray()
        self._inside = False
        self._skipping = False
        self._last: Packet | None = None
        self._unsent: list[bytes] = []
        self._commands: deque[bytes] = deque()
        self._sendings = 0
        self.due_ns: int | None = None
        """When the command that was sent is to be sent again or given up."""
        self.oversized = 0
        self.abandoned = 0
        self.unanswered = 0

    @property
    def damaged(self) -> int:
        """Packets so far whose checksum was wrong."""
        return self._reader.damaged

    @property
    def pending(self) -> bool:
        """Whether a packet or a text of several packets has begun and not ended."""
        return self._reader.pending or self._inside

    def feed(self, data: bytes, now_ns: int) -> list[Line]:
        """Return the texts that `data` completes, in order."""
        self._forget_half(now_ns)
        self._last_ns = now_ns
        damaged = self._reader.damaged
        lines = self._handled(self._reader.feed(data), now_ns)
        self._refuse_damaged(damaged)
        return lines

    def idle(self, now_ns: int) -> list[Line]:
        """Return the texts in what was kept for a packet that did not end."""
        damaged = self._reader.damaged
        lines = self._handled(self._reader.flush(), now_ns)
        self._refuse_damaged(damaged)
        self._forget_half(now_ns)
        return lines

    def say(self, messages: Messages, now_ns: int) -> None:
        """Queue commands, each a whole packet; one is sent once the one before is acknowledged."""
        for message in messages:
            if len(self._commands) < QUEUE_LIMIT:
                self._commands.append(message)
            else:
                self.unanswered += 1
        if self.due_ns is None:
            self._send_next(now_ns)

    def answer(self, messages: Messages, now_ns: int) -> None:
        """Queue commands: the packet itself was acknowledged when it came."""
        self.say(messages, now_ns)

    def elapse(self, now_ns: int) -> None:
        """Send the command again that was not acknowledged, or give it up."""
        if self.due_ns is not None and now_ns >= self.due_ns:
            self._send_again(now_ns)

    def take(self) -> bytes:
        """Return what is to be sent now, once."""
        data = b"".join(self._unsent)
        self._unsent.clear()
        return data

    def _handled(self, packets: list[Packet], now_ns: int) -> list[Line]:
        lines: list[Line] = []
        for packet in packets:
            match packet.opcode:
                case Opcode.DECODE_DATA:
                    self._unsent.append(_ACK)
                    self._decoded(packet, now_ns, lines)
                case Opcode.EVENT:
                    self._unsent.append(_ACK)
                case Opcode.CMD_NAK if packet.data[:1] == bytes([NAK_RESEND]):
                    self._send_again(now_ns)
                case Opcode.CMD_NAK:
                    self.unanswered += self.due_ns is not None
                    self._done(now_ns)
                case opcode if opcode == Opcode.CMD_ACK or opcode in _REPLIES:
                    self._done(now_ns)
        return lines

    def _decoded(self, packet: Packet, now_ns: int, lines: list[Line]) -> None:
        plain = Packet(packet.opcode, packet.data, packet.status & ~RETRANSMIT)
        if packet.status & RETRANSMIT and plain == self._last:
            return
        self._last = plain
        self._inside = True
        if not self._skipping:
            self._text += packet.data[1:]
            self._skipping = len(self._text) >= self._settings.limit_bytes
            if self._skipping or not packet.status & CONTINUED:
                self._emit(packet.data[:1], now_ns, lines)
        if not packet.status & CONTINUED:
            self._begin_anew()

    def _emit(self, kind: bytes, now_ns: int, lines: list[Line]) -> None:
        symbology = SYMBOLOGIES.get(kind[0], Symbology.UNSTATED) if kind else Symbology.UNSTATED
        data = bytes(self._text[: self._settings.limit_bytes])
        if not self._skipping:
            data = data.rstrip(b"\r\n")
        line = line_of(data, self._settings, now_ns, symbology=symbology, cut=self._skipping)
        if line is not None:
            self.oversized += len(line.text) > MAX_TEXT_LENGTH
            lines.append(line)

    def _forget_half(self, now_ns: int) -> None:
        """Drop a text whose next packet has not come for so long that it will not."""
        if self._inside and now_ns - self._last_ns >= self._abandon_ns:
            self.abandoned += not self._skipping
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._text.clear()
        self._inside = self._skipping = False

    def _refuse_damaged(self, damaged_before: int) -> None:
        """Ask once for what was damaged, however much of it: the scanner waits for one answer."""
        if self._reader.damaged > damaged_before:
            self._unsent.append(_NAK)

    def _send_next(self, now_ns: int) -> None:
        self.due_ns = None
        self._sendings = 0
        if self._commands:
            self._send(self._commands[0], now_ns)

    def _send_again(self, now_ns: int) -> None:
        if self.due_ns is None:
            return
        if self._sendings > RESENDS:
            self.unanswered += 1
            self._done(now_ns)
        else:
            self._send(_marked_again(self._commands[0]), now_ns)

    def _send(self, message: bytes, now_ns: int) -> None:
        self._unsent.append(message)
        self._sendings += 1
        self.due_ns = now_ns + int(RESPONSE_S * 1e9)

    def _done(self, now_ns: int) -> None:
        if self.due_ns is not None:
            self._commands.popleft()
            self._send_next(now_ns)


def _marked_again(message: bytes) -> bytes:
    head = bytearray(message[:-2])
    head[HEADER_BYTES - 1] |= RETRANSMIT
    return bytes(head) + checksum(head).to_bytes(2, "big")
