"""What every simulated scanner has in common: a code in its view, a trigger, people around it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Sign(StrEnum):
    """What the person in front hears or sees."""

    OWN_BEEP = "own_beep"
    """The scanner's own, at a read, whatever the host thinks of it."""
    GOOD = "good"
    BAD = "bad"
    LAMP = "lamp"
    DARK = "dark"
    NEUTRAL = "neutral"
    """A sound that says neither."""
    ERROR = "error"
    """The host did not answer in time."""


class Model(Protocol):
    """One scanner without its cable. Bytes that it returns are what it sends."""

    signs: list[Sign]
    """What people have heard and seen so far."""

    def present(self, text: str) -> bytes:
        """Hold a code into its view."""
        ...

    def hear(self, data: bytes) -> bytes:
        """Take what the host sends, which may begin and end anywhere."""
        ...

    def time_out(self) -> bytes:
        """Let the time pass that it waits for its host."""
        ...


class LineModel:
    """A scanner that sends lines: the ground that the others stand on, and the generic one.

    :param host_trigger: it reads only while its host holds the trigger.
    """

    def __init__(self, *, host_trigger: bool = False) -> None:
        self.signs: list[Sign] = []
        self.enabled = True
        self._host_trigger = host_trigger
        self._triggered = False
        self._in_view: str | None = None
        self._kept = b""

    def present(self, text: str) -> bytes:
        """Read the code if it may, else keep it in view."""
        self._in_view = text
        return self._read()

    def hear(self, data: bytes) -> bytes:
        """Take commands apart, as far as they are whole."""
        self._kept += data
        sent = b""
        while self._kept:
            taken, reply = self._command(self._kept)
            if not taken:
                break
            self._kept = self._kept[taken:]
            sent += reply
        self._kept = self._kept[-256:]
        return sent

    def time_out(self) -> bytes:
        """Nothing is waited for."""
        return b""

    def _command(self, data: bytes) -> tuple[int, bytes]:
        """Return how many bytes of `data` are done with, and the reply; 0 to wait for more."""
        return len(data), b""

    def _trigger(self, *, on: bool) -> bytes:
        self._triggered = on
        return self._read()

    def _may_read(self) -> bool:
        return self.enabled and (self._triggered or not self._host_trigger)

    def _read(self) -> bytes:
        if self._in_view is None or not self._may_read():
            return b""
        text, self._in_view, self._triggered = self._in_view, None, False
        return self._send(text)

    def _send(self, text: str) -> bytes:
        self.signs.append(Sign.OWN_BEEP)
        return text.encode() + b"\r"
