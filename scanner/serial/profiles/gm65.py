r"""GM65, GM60, GM861 and other modules by Grow; also Newland EM2000 and EM3095.

A command is `7E 00`, type (07 read, 08 write, 09 save), count, address (two bytes), data, and the
CRC-16/XMODEM from the type on, or `AB CD` in its place. The answer is `02 00`, result (00 good),
count, data, CRC: `02 00 00 01 00 33 31` for a good write (GM65 User Manual, page 33; EM3095 User
Manual, page 9). Zone 0002 bit 0 triggers a read in command mode and answers before the text; 002A
holds the baud rate, a question that changes nothing.

The manual shows no beep on command: what people hear is the module's own beep at a read.
"""

from __future__ import annotations

import binascii
import re

from scanner.serial.profiles.profile import Profile

READ, WRITE = 0x07, 0x08
BAUD_ZONE, TRIGGER_ZONE = 0x002A, 0x0002


def command(kind: int, address: int, data: bytes) -> bytes:
    r"""Return a command with its checksum.

    >>> command(READ, BAUD_ZONE, b"\x02").hex()
    '7e000701002a02d80f'
    """
    body = bytes((kind, len(data))) + address.to_bytes(2, "big") + data
    return b"\x7e\x00" + body + binascii.crc_hqx(body, 0).to_bytes(2, "big")


GM65 = Profile(
    name="gm65",
    title="GM65, GM60, GM861 modules",
    trigger_on=(command(WRITE, TRIGGER_ZONE, b"\x01"),),
    trigger_off=(command(WRITE, TRIGGER_ZONE, b"\x00"),),
    query=(command(READ, BAUD_ZONE, b"\x02"),),
    identity=re.compile(rb"\x02\x00\x00\x02[\x00-\xff]{4}"),
    replies=re.compile(rb"\x02\x00[\x00\x01\x03](?:\x01[\x00-\xff]{3}|\x02[\x00-\xff]{4})"),
    replies_begin_with_stx=True,
)
