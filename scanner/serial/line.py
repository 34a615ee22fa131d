"""A scanner's line: what ends one, and the text and symbology that its bytes spell.

Text is decoded as UTF-8 where the whole line is valid UTF-8, else as ISO 8859-1, which never fails
and keeps every byte. NUL and control bytes stay: the law refuses them, not the cable.
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

import msgspec

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.errors import FramingError

LINE_LIMIT_BYTES = 4 * (MAX_TEXT_LENGTH + 1) + 3
"""Bytes after which a line is oversized in any encoding: UTF-8 has at most 4 a character, and an
AIM identifier has 3. A configured prefix and suffix come on top."""
MAX_AFFIX_BYTES = 16


class LineEnd(StrEnum):
    """What ends a line. Empty lines are dropped in every mode."""

    ANY = "any"
    """CR, LF or CRLF."""
    CR = "cr"
    """CR alone; LF belongs to the text."""
    LF = "lf"
    """LF alone; CR belongs to the text."""
    CRLF = "crlf"
    """CR followed by LF; either alone belongs to the text."""
    TAB = "tab"
    """TAB alone; CR and LF belong to the text."""
    ETX = "etx"
    """STX begins a line, ETX ends it; what lies between two lines is dropped."""
    GAP = "gap"
    """Silence of `gap_s`; for scanners set to send no suffix."""


class LineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a scanner writes its lines.

    `gap_s` is the silence that ends a line under `LineEnd.GAP`. `abandon_s` is the silence after
    which an unfinished line is dropped under every other end, so that half a code never becomes
    the beginning of the next. `aim_identifiers` takes an AIM identifier (ISO/IEC 15424, `]Q1`) off
    the text where one stands; identifiers of symbologies that this gate does not know stay, so
    that the law refuses the text. `prefix` and `suffix` are taken off once each where they stand:
    a scanner sends prefix, AIM identifier, text, suffix, end of line. A line without them is
    handed on as it is.

    :raises FramingError: if a silence is not between 1 ms and 60 s, or a prefix or suffix is longer
        than `MAX_AFFIX_BYTES` or holds what ends a line.
    """

    end: LineEnd = LineEnd.ANY
    aim_identifiers: bool = True
    gap_s: float = 0.05
    abandon_s: float = 5.0
    prefix: bytes = b""
    suffix: bytes = b""

    def __post_init__(self) -> None:
        for name, affix in (("prefix", self.prefix), ("suffix", self.suffix)):
            if len(affix) > MAX_AFFIX_BYTES:
                msg = f"{name} has {len(affix)} bytes"
                raise FramingError(msg, hint=f"use at most {MAX_AFFIX_BYTES}")
            if any(mark in affix for mark in MARKS[self.end]):
                msg = f"{name} holds what ends a line under '{self.end}': it is never seen"
                raise FramingError(msg, hint=f"take CR, LF, STX and ETX out of the {name}")
        for name, silence_s in (("gap_s", self.gap_s), ("abandon_s", self.abandon_s)):
            if not 0.001 <= silence_s <= 60:
                msg = f"{name} is {silence_s} s"
                raise FramingError(msg, hint="use 0.001 to 60 seconds")

    @property
    def quiet_s(self) -> float:
        """The silence after which `LineFramer.idle` has something to do."""
        return self.gap_s if self.end is LineEnd.GAP else self.abandon_s

    @property
    def limit_bytes(self) -> int:
        """The bytes at which a line is oversized."""
        return LINE_LIMIT_BYTES + len(self.prefix) + len(self.suffix)


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line's text (never empty, at most `MAX_TEXT_LENGTH + 1` characters).

    `captured_ns` is the stamp of its last byte, or of the byte that made it oversized.
    """

    text: str
    symbology: Symbology
    captured_ns: int


MARKS: dict[LineEnd, tuple[bytes, ...]] = {
    LineEnd.ANY: (b"\r", b"\n"),
    LineEnd.CR: (b"\r",),
    LineEnd.LF: (b"\n",),
    LineEnd.CRLF: (b"\r\n",),
    LineEnd.TAB: (b"\t",),
    LineEnd.ETX: (b"\x02", b"\x03"),
    LineEnd.GAP: (),
}
_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")
_AIM_CODE = {
    ord("Q"): Symbology.QR_CODE,
    ord("z"): Symbology.AZTEC,
    ord("d"): Symbology.DATA_MATRIX,
    ord("L"): Symbology.PDF417,
    ord("C"): Symbology.CODE_128,
}


def line_of(
    data: bytes,
    settings: LineSettings,
    captured_ns: int,
    *,
    symbology: Symbology = Symbology.UNSTATED,
    cut: bool = False,
) -> Line | None:
    r"""Return the line that `data` spells between two ends, or None if it holds no text.

    :param symbology: what the scanner says beside the text; an AIM identifier in it outranks this.
    :param cut: `data` is only the beginning of a line that is too long.

    >>> line_of(b"%]Q1ABC", LineSettings(prefix=b"%"), 1)
    Line(text='ABC', symbology=<Symbology.QR_CODE: 'qr_code'>, captured_ns=1)
    """
    data = data.removeprefix(settings.prefix)
    if data[:1] == b"]" and settings.aim_identifiers and _AIM.match(data) and data[1] in _AIM_CODE:
        symbology = _AIM_CODE[data[1]]
        data = data[3:]
    if settings.suffix and not cut:
        data = data.removesuffix(settings.suffix)
    try:  # a character that the limit cut in two at the end of `data` is left out
        text = codecs.utf_8_decode(data, "strict", not cut)[0]
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return Line(text[: MAX_TEXT_LENGTH + 1], symbology, captured_ns) if text else None
