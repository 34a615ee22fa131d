"""When to send again what nobody answered: RFC 6298 in the bounds of one cable."""

from __future__ import annotations

from typing import Final

NS_PER_MS: Final = 1_000_000
INITIAL_RTO_NS: Final = 50 * NS_PER_MS
MIN_RTO_NS: Final = 20 * NS_PER_MS
"""Above the 16 ms for which common USB serial chips hold bytes back."""
MAX_RTO_NS: Final = 100 * NS_PER_MS


class RetransmissionTimer:
    """Smoothed round-trip time and the time-out that follows from it (RFC 6298, section 2).

    Feed it unambiguous round trips only (Karn's rule): of what was sent once.
    """

    def __init__(self) -> None:
        self.smoothed_ns: int | None = None
        self._variation_ns = 0
        self._rto_ns = INITIAL_RTO_NS

    def sample(self, round_trip_ns: int) -> None:
        """Take one measured round trip."""
        if self.smoothed_ns is None:
            self.smoothed_ns = round_trip_ns
            self._variation_ns = round_trip_ns // 2
        else:
            error_ns = abs(self.smoothed_ns - round_trip_ns)
            self._variation_ns += (error_ns - self._variation_ns) // 4
            self.smoothed_ns += (round_trip_ns - self.smoothed_ns) // 8
        wanted_ns = self.smoothed_ns + 4 * self._variation_ns
        self._rto_ns = min(max(wanted_ns, MIN_RTO_NS), MAX_RTO_NS)

    def wait_ns(self, tries: int) -> int:
        """Return how long to wait for an answer after the `tries`-th sending: doubled each time."""
        return min(self._rto_ns << min(tries - 1, 8), MAX_RTO_NS)
