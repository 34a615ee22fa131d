"""A simulated Zebra scanner under the Simple Serial Interface."""

from __future__ import annotations

from scanner.serial.simulated.model import LineModel, Sign
from scanner.serial.ssi import (
    CONTINUED,
    DECODER,
    HOST,
    NAK_RESEND,
    RETRANSMIT,
    Opcode,
    Packet,
    PacketReader,
    encode,
)

_QR_CODE = 0x1C
_RESENDS = 2
_PACKETED, _HANDSHAKE = 0xEE, 0x9F
_DENIED = 0x06
_ACK = encode(Packet(Opcode.CMD_ACK), DECODER)
_SIGNS = {b"\x00": Sign.GOOD, b"\x06": Sign.BAD}


class SsiModel(LineModel):
    """Sends raw text until it is asked for packets; then waits for an ACK after each packet.

    Without one it sends the packet twice more, marked, then gives up with an error tone.

    :param part_bytes: bytes of a text in each packet.
    """

    def __init__(self, *, host_trigger: bool = False, part_bytes: int = 250) -> None:
        super().__init__(host_trigger=host_trigger)
        self.packeted = False
        self._handshake = False
        self._part_bytes = part_bytes
        self._reader = PacketReader(HOST)
        self._packets: list[Packet] = []
        self._sendings = 0

    @property
    def waiting(self) -> bool:
        """Whether it waits for an ACK."""
        return bool(self._packets)

    def hear(self, data: bytes) -> bytes:
        """Take packets; a damaged one is asked for again."""
        damaged = self._reader.damaged
        sent = b"".join(self._answer(packet) for packet in self._reader.feed(data))
        if self._reader.damaged > damaged:
            sent += encode(Packet(Opcode.CMD_NAK, bytes([NAK_RESEND])), DECODER)
        return sent

    def time_out(self) -> bytes:
        """Two seconds without an ACK."""
        return self._send_again()

    def _may_read(self) -> bool:
        return super()._may_read() and not self._packets

    def _send(self, text: str) -> bytes:
        data = text.encode()
        if not self.packeted:
            return data
        parts = [data[at : at + self._part_bytes] for at in range(0, len(data), self._part_bytes)]
        self._packets = [
            Packet(Opcode.DECODE_DATA, bytes([_QR_CODE]) + part, CONTINUED) for part in parts[:-1]
        ]
        self._packets.append(Packet(Opcode.DECODE_DATA, bytes([_QR_CODE]) + parts[-1]))
        return self._send_first()

    def _send_first(self) -> bytes:
        self._sendings = 1
        sent = encode(self._packets[0], DECODER)
        if not self._handshake:
            self._packets.pop(0)
        return sent

    def _send_again(self) -> bytes:
        if not self._packets:
            return b""
        if self._sendings > _RESENDS:
            self.signs.append(Sign.ERROR)
            self._packets.clear()
            return self._read()
        self._sendings += 1
        first = self._packets[0]
        return encode(Packet(first.opcode, first.data, first.status | RETRANSMIT), DECODER)

    def _answer(self, packet: Packet) -> bytes:
        match packet.opcode:
            case Opcode.CMD_ACK:
                if self._packets:
                    self._packets.pop(0)
                return self._send_first() if self._packets else self._read()
            case Opcode.CMD_NAK:
                return self._send_again()
            case Opcode.REQUEST_REVISION:
                return encode(Packet(Opcode.REPLY_REVISION, b"PAABLS00-001-R00 SE3300"), DECODER)
            case Opcode.PARAM_SEND:
                self._set(packet.data)
                return _ACK
            case Opcode.BEEP:
                self.signs.append(_SIGNS.get(packet.data, Sign.NEUTRAL))
                return _ACK
            case Opcode.LED_ON | Opcode.LED_OFF:
                self.signs.append(Sign.LAMP if packet.opcode == Opcode.LED_ON else Sign.DARK)
                return _ACK
            case Opcode.SCAN_ENABLE | Opcode.SCAN_DISABLE:
                self.enabled = packet.opcode == Opcode.SCAN_ENABLE
                return _ACK + self._read()
            case Opcode.START_DECODE | Opcode.STOP_DECODE:
                return _ACK + self._trigger(on=packet.opcode == Opcode.START_DECODE)
        return encode(Packet(Opcode.CMD_NAK, bytes([_DENIED])), DECODER)

    def _set(self, parameters: bytes) -> None:
        """Take a beep code, then numbers and values in pairs."""
        values = dict(zip(parameters[1::2], parameters[2::2], strict=False))
        self.packeted = bool(values.get(_PACKETED, self.packeted))
        self._handshake = bool(values.get(_HANDSHAKE, self._handshake))
