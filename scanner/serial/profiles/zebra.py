"""Zebra (Symbol, Motorola) scanners and engines under the Simple Serial Interface.

Packets as in `scanner.serial.ssi`. START_DECODE stands for the trigger where the scanner's trigger
mode is host; SCAN_DISABLE makes it blind. Beep codes as in the MK1000 Product Reference Guide,
table 5-8 (0: one short high beep, 6: two short low beeps). LED_ON and LED_OFF take a mask of lamps;
1 is the decode lamp. The set-up asks for packets and for the handshake (PARAM_SEND of EE and 9F,
FF: no beep), until the power goes; then it permits scanning.
"""

from __future__ import annotations

from scanner.serial.profiles.profile import Framing, Profile
from scanner.serial.ssi import Opcode, Packet, encode


def _packet(opcode: Opcode, data: bytes = b"") -> tuple[bytes, ...]:
    return (encode(Packet(opcode, data)),)


ZEBRA_SSI = Profile(
    name="zebra-ssi",
    title="Zebra, Symbol and Motorola scanners set to SSI",
    framing=Framing.SSI,
    set_up=(
        *_packet(Opcode.PARAM_SEND, b"\xff\xee\x01\x9f\x01"),
        *_packet(Opcode.SCAN_ENABLE),
    ),
    trigger_on=_packet(Opcode.START_DECODE),
    trigger_off=_packet(Opcode.STOP_DECODE),
    enable=_packet(Opcode.SCAN_ENABLE),
    disable=_packet(Opcode.SCAN_DISABLE),
    good=_packet(Opcode.BEEP, b"\x00"),
    bad=_packet(Opcode.BEEP, b"\x06"),
    light_on=_packet(Opcode.LED_ON, b"\x01"),
    light_off=_packet(Opcode.LED_OFF, b"\x01"),
    query=_packet(Opcode.REQUEST_REVISION),
)
