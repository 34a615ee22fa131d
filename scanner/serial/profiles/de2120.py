r"""DE2120 modules (SparkFun, sbcshop).

A command is `^_^`, its name and value, and a full stop; the module answers ACK (06) or NAK (15).
After SparkFun's published library: `SCAN` and `SLEEP` for the trigger, `DSPYFW` (firmware version,
which takes 430 ms), `232UTF1`: without it texts come in GBK, and every Vietnamese name is lost.
The module keeps that setting. It leaves the factory as a keyboard: scan POR232 in its manual first.

The library shows no beep or lamp on command, and none that makes it blind.
"""

from __future__ import annotations

import re

from scanner.serial.profiles.profile import Profile


def _command(name: bytes) -> bytes:
    return b"^_^" + name + b"."


DE2120 = Profile(
    name="de2120",
    title="DE2120 modules",
    baud=115_200,
    set_up=(_command(b"232UTF1"),),
    trigger_on=(_command(b"SCAN"),),
    trigger_off=(_command(b"SLEEP"),),
    query=(_command(b"DSPYFW"),),
    identity=re.compile(rb"\A\x06"),
    replies=re.compile(rb"[\x06\x15]"),
)
