"""Packets of Zebra's Simple Serial Interface (SSI), without I/O.

After the Simple Serial Interface Programmer's Guide (72E-40451), the SE-923 Integration Guide,
table 6-2 (packet), and the DS9908 Product Reference Guide, pages 247 to 251 (handshake,
continuation).

A packet is: length (of all but the checksum), opcode, source (0 decoder, 4 host), status, data,
checksum (two's complement of the sum of all before it, high byte first).
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum
from functools import cache

import msgspec

from admission.reading import Symbology

HEADER_BYTES = 4
CHECKSUM_BYTES = 2
MAX_DATA_BYTES = 0xFF - HEADER_BYTES
DECODER, HOST = 0x00, 0x04

RETRANSMIT = 0x01
"""Status bit: this packet was sent before."""
CONTINUED = 0x02
"""Status bit: the message goes on in the next packet."""
PERMANENT = 0x08
"""Status bit of PARAM_SEND: the change outlasts a power cycle."""
_RESERVED = 0xF4

NAK_RESEND = 0x01
"""Cause of a NAK: the checksum was wrong. Every other cause says that resending is of no use."""


class Opcode(IntEnum):
    """Opcodes that this gate sends or understands (MS4404 Integration Guide, table 8-1)."""

    REQUEST_REVISION = 0xA3
    REPLY_REVISION = 0xA4
    PARAM_SEND = 0xC6
    PARAM_REQUEST = 0xC7
    CMD_ACK = 0xD0
    CMD_NAK = 0xD1
    CAPABILITIES_REQUEST = 0xD3
    CAPABILITIES_REPLY = 0xD4
    START_DECODE = 0xE4
    STOP_DECODE = 0xE5
    BEEP = 0xE6
    LED_ON = 0xE7
    LED_OFF = 0xE8
    SCAN_ENABLE = 0xE9
    SCAN_DISABLE = 0xEA
    DECODE_DATA = 0xF3
    EVENT = 0xF6


SYMBOLOGIES = {
    0x03: Symbology.CODE_128,
    0x0F: Symbology.CODE_128,
    0x11: Symbology.PDF417,
    0x1B: Symbology.DATA_MATRIX,
    0x1C: Symbology.QR_CODE,
    0x2C: Symbology.MICRO_QR,
    0x2D: Symbology.AZTEC,
}
"""The bar code type of DECODE_DATA, as in Zebra's scanner SDK (ST_CODE_128, ST_EAN128 …)."""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet whose checksum was right."""

    opcode: int
    data: bytes = b""
    status: int = 0


def checksum(data: bytes | bytearray) -> int:
    """Return the checksum of a packet without its own.

    >>> hex(checksum(bytes.fromhex("04D00400")))
    '0xff28'
    """
    return -sum(data) & 0xFFFF


def encode(packet: Packet, source: int = HOST) -> bytes:
    """Return the bytes of a packet.

    :raises ValueError: if it holds more than `MAX_DATA_BYTES`.
    """
    if len(packet.data) > MAX_DATA_BYTES:
        msg = f"{len(packet.data)} bytes do not fit into one SSI packet"
        raise ValueError(msg)
    length = HEADER_BYTES + len(packet.data)
    head = bytes((length, packet.opcode, source, packet.status)) + packet.data
    return head + struct.pack(">H", checksum(head))


class PacketReader:
    r"""Finds packets of one `source` in a stream, whatever the stream and however it is cut.

    What stands between packets is skipped byte by byte, so that a packet after garbage is found,
    even if the garbage began like a longer packet. At most one packet is kept unfinished.

    >>> PacketReader().feed(b"noise" + bytes.fromhex("07F3000003 5553 FE5B"))
    [Packet(opcode=243, data=b'\x03US', status=0)]
    """

    def __init__(self, source: int = DECODER) -> None:
        self._header, self._header_begun = _patterns(source)
        self._kept = b""
        self.damaged = 0
        """Beginnings of packets so far whose checksum was wrong."""
        self.skipped = 0
        """Bytes so far that belonged to no packet."""

    @property
    def pending(self) -> bool:
        """Whether a packet has begun and not ended."""
        return bool(self._kept)

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that `data` completes, in order."""
        return self._take(self._kept + data, ended=False)

    def flush(self) -> list[Packet]:
        """Return the packets in what is kept, as after a silence: its beginning will not end."""
        return self._take(self._kept, ended=True)

    def _take(self, stream: bytes, *, ended: bool) -> list[Packet]:
        packets: list[Packet] = []
        at, length = 0, len(stream)
        while header := self._header.search(stream, at):
            start = header.start()
            self.skipped += start - at
            at = start
            end = at + stream[at] + CHECKSUM_BYTES
            if end > length and not ended:
                break
            if end <= length and _is_whole(stream[at:end]):
                body = stream[at + HEADER_BYTES : end - CHECKSUM_BYTES]
                packets.append(Packet(stream[at + 1], body, stream[at + 3]))
                at = end
            else:
                at += 1
                self.skipped += 1
                self.damaged += 1
        else:
            begun = None if ended else self._header_begun.search(stream, at)
            rest = length if begun is None else begun.start()
            self.skipped += rest - at
            at = rest
        self._kept = stream[at:]
        return packets


@cache
def _patterns(source: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what finds a header from `source`, and what finds the beginning of one at the end."""
    length = rb"[\x04-\xff]"
    opcode = b"[" + b"".join(re.escape(bytes([each])) for each in Opcode) + b"]"
    sender = re.escape(bytes([source]))
    status = b"[" + b"".join(re.escape(bytes([b])) for b in range(256) if not b & _RESERVED) + b"]"
    whole = re.compile(length + opcode + sender + status)
    return whole, re.compile(length + b"(?:" + opcode + b"(?:" + sender + rb")?)?\Z")


def _is_whole(packet: bytes) -> bool:
    return checksum(packet[:-CHECKSUM_BYTES]) == int.from_bytes(packet[-CHECKSUM_BYTES:], "big")
