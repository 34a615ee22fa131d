r"""Honeywell: Xenon, Granit, Voyager, Vuquest and the N-series engines.

- Trigger: `SYN T CR`, `SYN U CR` in manual trigger mode (N86XX User's Guide, page 10-4). The engine
  reads until a code was read, the trigger is let go or its own time-out has passed.
- Host ACK: `ESC 7,` on file, `ESC 8,ESC 8,` not on file, else an error tone after 10 s in which
  nothing is read (Xenon/Granit User's Guide, page 111). Every valid escape frees the scanner:
  `ESC 4,` is one low beep (1900 User's Guide, page 3-38), which we send when no verdict has come.
  The green lamp lights for two seconds on `ESC 2,` (same page) and goes out by itself.
- Query: `SYN M CR`, then tag, subtag, `?`, and `.` (N431X User's Guide, pages 9-1 and 9-2). The
  tag 232 with the subtag BAD is the baud rate: a question that changes nothing, answered with an
  echo and ACK, ENQ or NAK before the full stop.

The guides show no command that makes the scanner blind, so there is none here.
"""

from __future__ import annotations

import re

from scanner.serial.profiles.profile import Profile

HONEYWELL = Profile(
    name="honeywell",
    title="Honeywell Xenon, Granit, Voyager, Vuquest, N36xx to N86xx",
    baud=115_200,
    trigger_on=(b"\x16T\r",),
    trigger_off=(b"\x16U\r",),
    good=(b"\x1b7,",),
    bad=(b"\x1b8,\x1b8,",),
    light_on=(b"\x1b2,",),
    release=(b"\x1b4,",),
    query=(b"\x16M\r232BAD?.",),
    identity=re.compile(rb"232BAD[^\r\n]{0,16}?[\x05\x06\x15]\.", re.IGNORECASE),
    replies=re.compile(rb"[0-9A-Z]{6}[^\r\n\x05\x06\x15]{0,64}[\x05\x06\x15]\.", re.IGNORECASE),
)
