r"""Newland: FM430, FM530, FM3281, HR52, EM20 and others with the 'unified' command set.

A command is `~ SOH 0000`, `@` (kept) or `#` (until the power goes), tag and data, `; ETX` (FM530
User Manual, page 131; HR52 User Manual, page 25). The scanner answers with `STX SOH 0000`, the
command, ACK, NAK or ENQ, `; ETX`.

The manuals that were seen leave tags out; these are from published drivers: `SCNTRG` (trigger, with
its answer `02 01 30 30 30 30 23 53 43 4E 54 52 47 31 06 3B 03`), `QRYPDN` (product name), `BEEPON`
(frequency in Hz, `F` duration in ms, `T` volume `V`), `TSUENA` and `TSUSET` (what ends a line, in
hexadecimal: CR LF here). No command was found for making it blind or for a lamp that people see.
"""

from __future__ import annotations

import re

from scanner.serial.profiles.profile import Profile


def _volatile(command: bytes) -> bytes:
    return b"~\x010000#" + command + b";\x03"


NEWLAND = Profile(
    name="newland",
    title="Newland FM430, FM530, FM3281, HR series",
    set_up=(_volatile(b"TSUENA1"), _volatile(b"TSUSET0D0A")),
    trigger_on=(_volatile(b"SCNTRG1"),),
    trigger_off=(_volatile(b"SCNTRG0"),),
    good=(_volatile(b"BEEPON2000F50T20V"),),
    bad=(_volatile(b"BEEPON400F300T20V"),),
    query=(b"~\x010000@QRYPDN;\x03",),
    identity=re.compile(rb"\x02\x010000@QRYPDN[^\x03]{0,128}\x03"),
    replies=re.compile(rb"\x02\x010000[@#][^\x03\r\n]{0,160}?[\x05\x06\x15];\x03"),
    replies_begin_with_stx=True,
)
