"""What a gate and one scanner say to each other, without I/O: texts in, commands out."""

from __future__ import annotations

import re
from typing import Protocol

from scanner.serial.framing import LineFramer
from scanner.serial.line import Line, LineSettings

Messages = tuple[bytes, ...]
"""Commands in the scanner's own language, sent one after the other. Empty: it knows none."""


class Dialogue(Protocol):
    """One side of the talk during one opening of a port. Times are monotonic nanoseconds."""

    @property
    def oversized(self) -> int:
        """Texts so far that were too long."""
        ...

    @property
    def abandoned(self) -> int:
        """Unfinished texts so far that were dropped."""
        ...

    @property
    def damaged(self) -> int:
        """Packets so far whose checksum was wrong."""
        ...

    @property
    def unanswered(self) -> int:
        """Commands so far that the scanner did not acknowledge."""
        ...

    @property
    def pending(self) -> bool:
        """Whether a text has begun and not ended."""
        ...

    @property
    def due_ns(self) -> int | None:
        """When `elapse` is to be called, if nothing else happens before."""
        ...

    def feed(self, data: bytes, now_ns: int) -> list[Line]:
        """Return the lines that `data` ends, in order."""
        ...

    def idle(self, now_ns: int) -> list[Line]:
        """Return the line that silence has ended, if it has; see `Profile.quiet_s`."""
        ...

    def say(self, messages: Messages, now_ns: int) -> None:
        """Queue commands."""
        ...

    def answer(self, messages: Messages, now_ns: int) -> None:
        """Queue what tells the scanner that its last text was taken note of."""
        ...

    def elapse(self, now_ns: int) -> None:
        """Queue what is to be said because nobody answered in time."""
        ...

    def take(self) -> bytes:
        """Return what is to be sent now, once."""
        ...


class LineDialogue:
    """With a scanner that sends lines and takes commands without acknowledging them.

    :param replies: what it answers to commands; taken off the texts.
    :param release: said when a text was not answered within `release_s`: a scanner that waits for
        its host (Honeywell's Host ACK) reads nothing meanwhile. Empty: it does not wait.
    """

    damaged = 0
    unanswered = 0

    def __init__(
        self,
        settings: LineSettings,
        *,
        replies: re.Pattern[bytes] | None = None,
        release: Messages = (),
        release_s: float = 2.0,
    ) -> None:
        self._framer = LineFramer(settings, replies)
        self._release = release
        self._release_ns = int(release_s * 1e9)
        self._unsent: list[bytes] = []
        self.due_ns: int | None = None
        """When the scanner is to be released."""

    @property
    def oversized(self) -> int:
        """Lines so far that were too long."""
        return self._framer.oversized

    @property
    def abandoned(self) -> int:
        """Unfinished lines so far that were dropped."""
        return self._framer.abandoned

    @property
    def pending(self) -> bool:
        """Whether a line has begun and not ended."""
        return self._framer.pending

    def feed(self, data: bytes, now_ns: int) -> list[Line]:
        """Return the lines that `data` ends, in order."""
        return self._awaiting_answer(self._framer.feed(data, now_ns), now_ns)

    def idle(self, now_ns: int) -> list[Line]:
        """Return the line that silence has ended, if it has."""
        return self._awaiting_answer(self._framer.idle(now_ns), now_ns)

    def say(self, messages: Messages, now_ns: int) -> None:  # noqa: ARG002 - the port's form
        """Queue commands; a line-speaking scanner takes them at any time."""
        self._unsent.extend(messages)

    def answer(self, messages: Messages, now_ns: int) -> None:
        """Queue an answer: the scanner need not be released any more."""
        self.due_ns = None
        self.say(messages, now_ns)

    def elapse(self, now_ns: int) -> None:
        """Release the scanner if its time has come."""
        if self.due_ns is not None and now_ns >= self.due_ns:
            self.answer(self._release, now_ns)

    def take(self) -> bytes:
        """Return what is to be sent now, once."""
        if not self._unsent:
            return b""
        data = b"".join(self._unsent)
        self._unsent.clear()
        return data

    def _awaiting_answer(self, lines: list[Line], now_ns: int) -> list[Line]:
        if lines and self._release:
            self.due_ns = now_ns + self._release_ns
        return lines
