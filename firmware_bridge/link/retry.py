"""One show on its way, and when to send it again: RFC 6298 in the bounds of one cable."""

from __future__ import annotations

from typing import Final

import msgspec

from admission.signal import Output, Signal

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


class Flight:
    """One show from the call to its end: acknowledged, refused, superseded or given up."""

    def __init__(self, ticket: int, signal: Signal, deadline_ns: int) -> None:
        self.ticket = ticket
        self.signal = signal
        self.deadline_ns = deadline_ns
        self.tries = 0
        self.sent_ns = 0
        self._resend_ns = deadline_ns

    @property
    def sent(self) -> bool:
        """Whether the board may have got it."""
        return self.tries > 0

    @property
    def due_ns(self) -> int:
        """When it has to be sent again, or given up."""
        return min(self._resend_ns, self.deadline_ns)

    def fit(self, outputs: frozenset[Output]) -> bool:
        """Leave out pulses for what is not fitted. Return whether any pulse is left."""
        pulses = tuple(pulse for pulse in self.signal.pulses if pulse.output in outputs)
        fits = bool(pulses) or not self.signal.pulses
        self.signal = msgspec.structs.replace(self.signal, pulses=pulses)
        return fits

    def count_try(self, now_ns: int, timer: RetransmissionTimer) -> None:
        """Note that it is being sent now."""
        self.tries += 1
        self.sent_ns = now_ns
        self._resend_ns = now_ns + timer.wait_ns(self.tries)
