"""What the firmware keeps in its EEPROM (firmware/avr/storage.c), written from outside."""

from __future__ import annotations

import struct
from binascii import crc_hqx

from benchmarks.chip.chip import EEPROM_BYTES
from firmware_bridge.link.configuration import CONFIGURATION_BYTES, BoardConfiguration
from firmware_bridge.link.frame import CRC_FINAL_XOR, CRC_INITIAL

COPY_A = 0
COPY_B = 32
SEALED_BYTES = CONFIGURATION_BYTES + 2
RING = 64
SLOTS = 128
ERASED = b"\xff" * EEPROM_BYTES


def with_configuration(configuration: BoardConfiguration, before: bytes = ERASED) -> bytes:
    """Return an EEPROM with this configuration in both copies."""
    packed = configuration.pack()
    sealed = packed + struct.pack(">H", crc_hqx(packed, CRC_INITIAL) ^ CRC_FINAL_XOR)
    return damaged(damaged(before, COPY_A, sealed), COPY_B, sealed)


def with_starts(newest: int, before: bytes = ERASED) -> bytes:
    """Return an EEPROM in which the ring of boot counts has come to `newest`."""
    content = bytearray(before)
    for count in range(newest - SLOTS + 1, newest + 1):
        number = struct.pack("<H", count % 65_536)
        seal = struct.pack("<H", crc_hqx(number, CRC_INITIAL))
        at = RING + count % SLOTS * 4
        content[at : at + 4] = number + seal
    return bytes(content)


def damaged(content: bytes, at: int, by: bytes) -> bytes:
    """Return the content with some bytes replaced."""
    return content[:at] + by + content[at + len(by) :]
