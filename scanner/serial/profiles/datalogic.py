r"""Datalogic: Magellan, PowerScan, QuickScan (host commands), and wireless Gryphon (escapes).

Host commands are single characters (Magellan 800i Product Reference Guide, appendix F, page 153;
PowerScan Product Reference Guide, appendix E, page 381): `E` enable, `D` disable, `SOH` beep
whatever the settings, `F` not on file, which also disables the scanner, so that `E` has to follow;
`T` and `X` for the trigger (PowerScan). `i` asks for its identity, which comes in
`SOH STX … ETX EOT` (PowerScan). Whether an `E` directly after `F` cuts the sound short is not
said.

A wireless Gryphon in transmission mode 02 takes one message for each text, ended with CR: `ESC [3q`
good tone, `ESC [4q` bad tone, `ESC [6q ESC [5q ESC [7q` green lamp for 100 ms (Gryphon I
GD/GBT/GM4200 Product Reference Guide, page 250).
"""

from __future__ import annotations

import re

from scanner.serial.profiles.profile import Profile

DATALOGIC = Profile(
    name="datalogic",
    title="Datalogic Magellan, PowerScan, QuickScan",
    trigger_on=(b"T",),
    trigger_off=(b"X",),
    enable=(b"E",),
    disable=(b"D",),
    good=(b"\x01",),
    bad=(b"FE",),
    query=(b"i",),
    identity=re.compile(rb"\x01\x02[^\x03]{1,512}\x03\x04"),
    replies=re.compile(rb"\x01\x02[^\x03]{0,200}\x03\x04"),
    replies_begin_with_stx=True,
)

DATALOGIC_GRYPHON = Profile(
    name="datalogic-gryphon",
    title="Datalogic Gryphon with a base station (transmission mode 02)",
    good=(b"\x1b[3q\r",),
    bad=(b"\x1b[4q\r",),
    light_on=(b"\x1b[6q\x1b[5q\x1b[7q\r",),
)
