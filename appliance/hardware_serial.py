"""The serial number of the device: what its board says, or else what its installation has."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from admission.enrolment import is_serial

_BOARD = Path("/proc/device-tree/serial-number")
_MACHINE_ID = Path("/etc/machine-id")
_APPLICATION_ID = bytes.fromhex("7b0f6f1c0e5f4d6f9a5b1a3e6c2d8f47")
"""Ours, made once at random. machine-id(5): the id itself is confidential, what is made of it by an
application's own id is not."""
_ID_BYTES = 16
_MAX_BYTES = 256


def hardware_serial(board: Path = _BOARD, machine_id: Path = _MACHINE_ID) -> str:
    """Return the serial number of this device, empty if nothing here tells one.

    A Raspberry Pi has one in its device tree. Elsewhere it is `sd_id128_get_machine_app_specific`
    (HMAC-SHA256 of our id, keyed by the machine's): it changes when the system is installed anew.
    """
    serial = _read(board).rstrip(b"\x00").decode("ascii", "replace").strip()
    if is_serial(serial):
        return serial
    try:
        key = bytes.fromhex(_read(machine_id).decode("ascii", "replace").strip())
    except ValueError:
        return ""
    if len(key) != _ID_BYTES:
        return ""
    made = bytearray(hmac.digest(key, _APPLICATION_ID, hashlib.sha256)[:_ID_BYTES])
    made[6] = made[6] & 0x0F | 0x40  # as systemd does: a UUID of version 4, variant DCE
    made[8] = made[8] & 0x3F | 0x80
    return made.hex()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return b""
