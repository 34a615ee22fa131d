"""What the host makes of a board's events: which are new, and what is active now."""

from __future__ import annotations

from typing import Final

from admission.gate import Input
from firmware_bridge.link.messages import BoardEvent, InputEvent

_HALF_U32: Final = 1 << 31


class EventFilter:
    """Remembers the newest event, over sessions, until the board starts anew.

    The board has one event on its way at a time and numbers events when it first sends them, so
    new ones are ahead by little (serial number arithmetic, RFC 1982, on 8 bits).
    """

    def __init__(self) -> None:
        self._newest: tuple[int, int] | None = None
        self._unconfirmed: tuple[BoardEvent, int] | None = None

    @property
    def idle(self) -> bool:
        """Whether every event that was taken has been confirmed."""
        return self._unconfirmed is None

    def take(self, event: BoardEvent, boot_count: int, sequence: int) -> bool:
        """Return whether this event was not seen before, and remember it."""
        if self._newest is not None and self._newest[0] == boot_count:
            ahead = sequence - self._newest[1] & 0xFF
            if not 0 < ahead < 0x80:
                return False
        self._newest = (boot_count, sequence)
        self._unconfirmed = (event, sequence)
        return True

    def confirm(self, event: BoardEvent) -> int | None:
        """Return the number under which the board waits for this event to be confirmed.

        None if it does not: it has begun anew meanwhile, and tells of other things.
        """
        if self._unconfirmed is None or self._unconfirmed[0] is not event:
            return None
        sequence = self._unconfirmed[1]
        self._unconfirmed = None
        return sequence


class Sensed:
    """Which inputs are active: as the board last said, and as its events have changed since.

    An event that waited in the board while no host was there is older than what the board said of
    itself in the meantime, and changes nothing.
    """

    def __init__(self) -> None:
        self.active: frozenset[Input] = frozenset()
        self._said_at_ms: int | None = None

    def greeted(self, active: frozenset[Input]) -> None:
        """Take what the board said in its greeting, which does not tell the board's time."""
        self.active = active
        self._said_at_ms = None

    def beaten(self, active: frozenset[Input], board_ms: int) -> None:
        """Take what the board said in its heartbeat."""
        self.active = active
        self._said_at_ms = board_ms

    def changed(self, event: BoardEvent) -> None:
        """Take an event of the board."""
        if not isinstance(event, InputEvent) or self._said_at_ms is None:
            return
        if event.board_ms - self._said_at_ms & 0xFFFF_FFFF < _HALF_U32:
            one = frozenset({event.input})
            self.active = self.active | one if event.value else self.active - one
