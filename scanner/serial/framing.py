"""Line framing without I/O: bytes in, lines out, whatever the bytes and however they are cut.

What is kept of an unfinished line is bounded by `LINE_LIMIT_BYTES`. A longer line is handed on at
once, cut so that the law refuses it as oversized, and the rest of it is skipped up to its end.

Text is decoded as UTF-8 where the whole line is valid UTF-8, else as ISO 8859-1, which never fails
and keeps every byte. NUL and control bytes stay: the law refuses them, not the cable.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.errors import FramingError

LINE_LIMIT_BYTES = 4 * (MAX_TEXT_LENGTH + 1) + 3
"""Bytes after which a line is oversized in any encoding: UTF-8 has at most 4 a character, and an
AIM identifier has 3. A configured prefix and suffix come on top."""
MAX_AFFIX_BYTES = 16
REPLIES_LIMIT_BYTES = 256
"""Bytes of replies to commands that may stand before a text without making it oversized."""


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
            if any(mark in affix for mark in _MARKS[self.end]):
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


_MARKS: dict[LineEnd, tuple[bytes, ...]] = {
    LineEnd.ANY: (b"\r", b"\n"),
    LineEnd.CR: (b"\r",),
    LineEnd.LF: (b"\n",),
    LineEnd.CRLF: (b"\r\n",),
    LineEnd.TAB: (b"\t",),
    LineEnd.ETX: (b"\x02", b"\x03"),
    LineEnd.GAP: (),
}
_STX = b"\x02"
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


class LineFramer:
    r"""Cuts a scanner's bytes into lines. One instance per opening of a port.

    `replies` matches what the scanner answers to commands, which stands before the next text
    without an end of its own; it must not match an empty string.

    >>> framer = LineFramer()
    >>> framer.feed(b"]Q1AB", 1)
    []
    >>> [(line.text, line.symbology.value) for line in framer.feed(b"C\r\n", 2)]
    [('ABC', 'qr_code')]
    """

    def __init__(
        self, settings: LineSettings | None = None, replies: re.Pattern[bytes] | None = None
    ) -> None:
        self._settings = settings or LineSettings()
        self._replies = replies
        self._limit_bytes = self._settings.limit_bytes + bool(replies) * REPLIES_LIMIT_BYTES
        self._marks = _MARKS[self._settings.end]
        self._in_pairs = self._settings.end is LineEnd.CRLF
        self._quiet_ns = int(self._settings.quiet_s * 1e9)
        self._last_ns = 0
        self._held = b""
        self._kept = bytearray()
        self._inside = self._settings.end is not LineEnd.ETX
        self._skipping = False
        self.oversized = 0
        """Lines so far that were too long."""
        self.abandoned = 0
        """Unfinished lines so far that were dropped."""

    def feed(self, data: bytes, captured_ns: int) -> list[Line]:
        """Return the lines that `data` ends, in order.

        Any chunking of the same bytes gives the same texts.
        """
        self._last_ns = captured_ns
        if self._in_pairs:
            data = self._with_held_cr(data)
        lines: list[Line] = []
        start = 0
        for at, mark in _marked(data, self._marks):
            self._extend(data[start:at], captured_ns, lines)
            start = at + len(mark)
            self._begin() if mark == _STX else self._finish(captured_ns, lines)
        self._extend(data[start:], captured_ns, lines)
        return lines

    def idle(self, now_ns: int) -> list[Line]:
        """Return the line that silence has ended, if it has.

        The caller says so once nothing is left to read: this judges only by the last stamp fed.
        """
        if now_ns - self._last_ns < self._quiet_ns:
            return []
        lines: list[Line] = []
        if self._settings.end is LineEnd.GAP:
            self._finish(self._last_ns, lines)
        elif self.pending:
            half = self._held or self._without_replies(bytes(self._kept))
            self.abandoned += bool(half) and not self._skipping
            self._held = b""
            self._rest()
        return lines

    def lose(self) -> None:
        """Drop the unfinished line up to its end, or to a silence: a part of it never came.

        Say so also between two lines: what comes next may be the rest of one.
        """
        self.abandoned += not self._skipping
        self._held = b""
        self._kept.clear()
        self._skipping = True

    @property
    def pending(self) -> bool:
        """Whether a line has begun and not ended."""
        return bool(self._kept or self._held) or self._skipping

    def _with_held_cr(self, data: bytes) -> bytes:
        data = self._held + data
        self._held = data[-1:] if data.endswith(b"\r") else b""
        return data[:-1] if self._held else data

    def _extend(self, part: bytes, captured_ns: int, lines: list[Line]) -> None:
        if not part or not self._inside or self._skipping:
            return
        room = self._limit_bytes - len(self._kept)
        self._kept += part[:room]
        if len(self._kept) == self._limit_bytes:
            self._emit(captured_ns, lines, cut=True)
            self._kept.clear()
            self._skipping = True

    def _begin(self) -> None:
        self.abandoned += bool(self._kept)
        self._kept.clear()
        self._inside = True
        self._skipping = False

    def _finish(self, captured_ns: int, lines: list[Line]) -> None:
        if self._kept:
            self._emit(captured_ns, lines)
        self._rest()

    def _rest(self) -> None:
        """Await the next line: inside it already, unless only an STX begins one."""
        self._kept.clear()
        self._inside = self._settings.end is not LineEnd.ETX
        self._skipping = False

    def _emit(self, captured_ns: int, lines: list[Line], *, cut: bool = False) -> None:
        data = bytes(self._kept)
        if self._replies is not None:
            data = self._without_replies(data)
        line = line_of(data, self._settings, captured_ns, cut=cut)
        if line is not None:
            self.oversized += len(line.text) > MAX_TEXT_LENGTH
            lines.append(line)

    def _without_replies(self, data: bytes) -> bytes:
        start = 0
        while self._replies is not None and (reply := self._replies.match(data, start)):
            if reply.end() > REPLIES_LIMIT_BYTES:
                break
            start = reply.end()
        return data[start:]


def _marked(data: bytes, marks: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
    """Yield where the marks stand, in order. `find` is ten times quicker than a pattern."""
    first, second = (*marks, b"", b"")[:2]
    at = data.find(first) if first else -1
    other = data.find(second) if second else -1
    while at >= 0 or other >= 0:
        if other < 0 or 0 <= at < other:
            yield at, first
            at = data.find(first, at + len(first))
        else:
            yield other, second
            other = data.find(second, other + len(second))
