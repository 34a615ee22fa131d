"""Line framing without I/O: bytes in, lines out, whatever the bytes and however they are cut.

What is kept of an unfinished line is bounded by `LineSettings.limit_bytes`. A longer line is handed
on at once, cut so that the law refuses it as oversized; the rest is skipped up to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from admission.reading import MAX_TEXT_LENGTH
from scanner.serial.line import LINE_LIMIT_BYTES, MARKS, Line, LineEnd, LineSettings, line_of

__all__ = ["LINE_LIMIT_BYTES", "Line", "LineEnd", "LineFramer", "LineSettings"]

_STX = b"\x02"


class LineFramer:
    r"""Cuts a scanner's bytes into lines. One instance per opening of a port.

    `replies` matches what the scanner answers to commands, which stands before the next text
    without an end of its own; it must not match an empty string, nor less than a whole reply.

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
        self._limit_bytes = self._settings.limit_bytes
        self._marks = MARKS[self._settings.end]
        self._in_pairs = self._settings.end is LineEnd.CRLF
        self._quiet_ns = int(self._settings.quiet_s * 1e9)
        self._last_ns = 0
        self._held = b""
        self._kept = bytearray()
        self._flowing = self._settings.end is not LineEnd.ETX
        self._inside = self._flowing
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
            part = data[start:at]
            start = at + len(mark)
            if self._flowing and not self._kept and not self._skipping and at < self._limit_bytes:
                if part:  # a whole line at once, as nearly all are
                    self._emit(part, captured_ns, lines)
                continue
            self._extend(part, captured_ns, lines)
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
        while part and self._inside and not self._skipping:
            room = self._limit_bytes - len(self._kept)
            self._kept += part[:room]
            part = part[room:]
            if self._replies is not None:
                self._kept = bytearray(self._without_replies(bytes(self._kept)))
            if len(self._kept) == self._limit_bytes:
                self._emit(bytes(self._kept), captured_ns, lines, cut=True)
                self._kept.clear()
                self._skipping = True

    def _begin(self) -> None:
        self.abandoned += bool(self._kept)
        self._kept.clear()
        self._inside = True
        self._skipping = False

    def _finish(self, captured_ns: int, lines: list[Line]) -> None:
        if self._kept:
            self._emit(bytes(self._kept), captured_ns, lines)
        self._rest()

    def _rest(self) -> None:
        """Await the next line: inside it already, unless only an STX begins one."""
        self._kept.clear()
        self._inside = self._flowing
        self._skipping = False

    def _emit(self, data: bytes, captured_ns: int, lines: list[Line], *, cut: bool = False) -> None:
        if self._replies is not None:
            data = self._without_replies(data)
        line = line_of(data, self._settings, captured_ns, cut=cut)
        if line is not None:
            self.oversized += len(line.text) > MAX_TEXT_LENGTH
            lines.append(line)

    def _without_replies(self, data: bytes) -> bytes:
        start = 0
        while self._replies is not None and (reply := self._replies.match(data, start)):
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
