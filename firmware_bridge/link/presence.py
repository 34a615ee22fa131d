"""Who is at the other end: a session's number, and whether somebody has spoken in it.

Whoever says HELLO may be deaf, or a recording of a host that is gone: only what carries the number
that the board gave shows that it was heard, and only that holds the dead-man's handle.
"""

from __future__ import annotations

from typing import Final

NS_PER_MS: Final = 1_000_000
DEAD_MAN_EARLY_MS: Final = 5
"""The dead-man's time is kept at the pins: what noticing a frame and switching off may take."""


class Presence:
    """The board's sessions since its start, one at a time. `session` is None while none is open.

    Sessions of different starts do not meet, so that a frame left over from one is refused.
    """

    def __init__(self, boot_count: int, dead_man_ms: int) -> None:
        self.session: int | None = None
        self.has_host = False
        self._last = (boot_count << 8) & 0xFFFF
        self._nonce = 0
        self._heard_ns = 0
        self._held_ns = (dead_man_ms - DEAD_MAN_EARLY_MS) * NS_PER_MS

    @property
    def ends_ns(self) -> int | None:
        """When the session ends unless somebody speaks in it; None while none is open."""
        return None if self.session is None else self._heard_ns + self._held_ns

    def greet(self, nonce: int, now_ns: int) -> bool:
        """Take a greeting. Return whether it began a session: a repeated one finds its own."""
        if self.session is not None and nonce == self._nonce:
            return False
        if not self.has_host:
            self._heard_ns = now_ns  # time to speak; no greeting holds another's handle
        self._last = self._last % 0xFFFF + 1
        self.session = self._last
        self._nonce = nonce
        return True

    def hear(self, now_ns: int) -> bool:
        """Take a word in the open session. Return whether this is how a host came."""
        came = not self.has_host
        self.has_host = True
        self._heard_ns = now_ns
        return came

    def lapse(self, now_ns: int) -> bool:
        """End the session if nobody spoke in it for too long. Return whether a host was lost."""
        if self.ends_ns is None or now_ns < self.ends_ns:
            return False
        return self.end()

    def end(self) -> bool:
        """End the session. Return whether a host was there."""
        had_host = self.has_host
        self.session = None
        self.has_host = False
        return had_host
