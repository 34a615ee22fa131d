"""Which baud rate and framing a scanner has, judged by what was heard of it: pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from scanner.serial.line import LineEnd
from scanner.serial.profiles import GENERIC, PROFILES
from scanner.serial.ssi import CHECKSUM_BYTES, HEADER_BYTES, Opcode, PacketReader

BAUDS = (115_200, 9_600, 57_600, 38_400, 19_200, 230_400, 460_800, 921_600, 4_800, 2_400, 1_200)
"""Rates that scanners are delivered with or set to, the most frequent first."""
SURE = 0.95
"""Plausibility from which what was heard is taken to be a code's text."""
MIN_BYTES = 4
"""Fewer bytes than these may look like anything."""
_AROUND = {"\r", "\n", "\t", "\x02", "\x03"}


class Heard(msgspec.Struct, frozen=True):
    """What one scan sounded like at one baud rate: whole bytes, and how many were not whole."""

    baud: int
    data: bytes
    errors: int = 0


class Guess(msgspec.Struct, frozen=True):
    """How a scanner is set, as far as can be told. `told` says that it gave its identity itself."""

    baud: int
    profile: str = GENERIC.name
    line_end: LineEnd | None = None
    """None where its profile's is good enough."""
    told: bool = False


def plausibility(heard: Heard) -> float:
    r"""Return from 0 to 1 how much a scan looks like a code's text at the right baud rate.

    It is the share of what is printable, or stands around a text, in what was heard; each byte with
    a framing error counts against it twice. Bytes that are no UTF-8 (a scanner may send another
    code page) count for little, packets of SSI with right checksums for all that they hold.

    >>> plausibility(Heard(9600, b"079123456789\r"))
    1.0
    >>> plausibility(Heard(9600, bytes.fromhex("f806e6007e9e78"), errors=2))
    0.0
    """
    total = len(heard.data) + heard.errors
    if total < MIN_BYTES:
        return 0.0
    if is_ssi(heard):
        return 1.0
    text = heard.data.decode(errors="replace")
    good = sum(
        len(each.encode())
        for each in text
        if each in _AROUND or (each.isprintable() and each != "\ufffd")
    )
    return max(0.0, (good - 2 * heard.errors) / total)


def is_ssi(heard: Heard) -> bool:
    """Return whether what was heard are SSI packets of decoded data, and nothing much besides."""
    packets = PacketReader().feed(heard.data)
    inside = sum(HEADER_BYTES + len(each.data) + CHECKSUM_BYTES for each in packets)
    decoded = any(each.opcode == Opcode.DECODE_DATA for each in packets)
    return decoded and inside * 2 > len(heard.data)


def judge(scans: Sequence[Heard], *, final: bool = False) -> Guess | None:
    r"""Return how the scanner is set, by the most plausible scan; None if none is plausible.

    A text without anything at its end convinces only in the `final` judgement, of scans at every
    rate: at half the right rate some digits sound like other digits, but fewer of them.

    >>> judge([Heard(9600, b"~~", 9), Heard(115200, b"]Q1ABC\r\n")])
    Guess(baud=115200, profile='generic', line_end=None, told=False)
    """
    plausible = [scan for scan in scans if plausibility(scan) >= SURE]
    ended = [s for s in plausible if is_ssi(s) or line_end_of(s.data) is not LineEnd.GAP]
    candidates = ended or (plausible if final else [])
    if not candidates:
        return None
    best = max(candidates, key=lambda scan: len(scan.data))
    if is_ssi(best):
        return Guess(best.baud, "zebra-ssi")
    return Guess(best.baud, line_end=line_end_of(best.data))


def line_end_of(data: bytes) -> LineEnd | None:
    r"""Return what ends a text like this; None for CR, LF and both, which need no setting.

    >>> line_end_of(b"\x02ABC\x03"), line_end_of(b"ABC\t"), line_end_of(b"ABC")
    (<LineEnd.ETX: 'etx'>, <LineEnd.TAB: 'tab'>, <LineEnd.GAP: 'gap'>)
    """
    if data.startswith(b"\x02") and data.rstrip(b"\r\n").endswith(b"\x03"):
        return LineEnd.ETX
    if data.endswith((b"\r", b"\n")):
        return None
    return LineEnd.TAB if data.endswith(b"\t") else LineEnd.GAP


def identified(reply: bytes, baud: int) -> Guess | None:
    """Return whose answer to a question `reply` is; None if nobody's that is known."""
    for profile in PROFILES.values():
        if profile.query and profile.recognises(reply):
            return Guess(baud, profile.name, told=True)
    return None
