"""The host's heartbeat: when it is due, and how long its echo took."""

from __future__ import annotations

from typing import Final

from firmware_bridge.link.retry import NS_PER_MS

HEARTBEAT_NS: Final = 250 * NS_PER_MS
"""Three may be lost before the board's dead-man (1 s) lets go."""


class Heart:
    """Beats every `HEARTBEAT_NS`. Each beat is sent once, so its echo is a clean round trip."""

    def __init__(self) -> None:
        self.due_ns = 0
        self._sequence = 0
        self._sent_ns: int | None = None

    def beat(self, now_ns: int) -> int:
        """Note that a beat goes out now. Return its sequence."""
        self.due_ns = now_ns + HEARTBEAT_NS
        self._sent_ns = now_ns
        self._sequence = self._sequence + 1 & 0xFF
        return self._sequence

    def answered(self, sequence: int, now_ns: int) -> int | None:
        """Return the round trip, or None if this answers an older beat or comes a second time."""
        if sequence != self._sequence or self._sent_ns is None:
            return None
        round_trip_ns = now_ns - self._sent_ns
        self._sent_ns = None
        return round_trip_ns
