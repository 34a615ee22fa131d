"""What the host has asked of the board and the board has not answered yet.

One show and one request about the configuration can be on their way at a time; a newer one takes
the place of the older of its kind. What was sent is never sent again in another session: it might
be done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from admission.signal import Output
from firmware_bridge.errors import BridgeError, BridgeSuperseded
from firmware_bridge.link import obstacles
from firmware_bridge.link.events import Counters, Ended, Event
from firmware_bridge.link.messages import (
    Acknowledge,
    ConfigurationReply,
    Configure,
    Message,
    ReadConfiguration,
    Show,
)
from firmware_bridge.link.retry import NS_PER_MS, RetransmissionTimer

SHOW_BOUND_NS: Final = 250 * NS_PER_MS
MAX_TRIES: Final = 5

Errand = Show | Configure | ReadConfiguration


class Flight:
    """One errand from the call to its end: answered, refused, superseded or given up."""

    def __init__(self, ticket: int, errand: Errand, now_ns: int) -> None:
        self.ticket = ticket
        self.errand = errand
        self.deadline_ns = now_ns + SHOW_BOUND_NS
        self.sequence = 0
        self.tries = 0
        self.sent_ns = 0
        self._resend_ns = self.deadline_ns

    @property
    def sent(self) -> bool:
        """Whether the board may have got it."""
        return self.tries > 0

    @property
    def is_show(self) -> bool:
        """Whether it is meant for the lamps."""
        return isinstance(self.errand, Show)

    @property
    def due_ns(self) -> int:
        """When it has to be sent again, or given up."""
        return min(self._resend_ns, self.deadline_ns)

    def fit(self, outputs: frozenset[Output]) -> bool:
        """Leave out pulses for what is not fitted. Return whether anything is left to ask."""
        if not isinstance(self.errand, Show):
            return True
        signal = self.errand.signal
        pulses = tuple(pulse for pulse in signal.pulses if pulse.output in outputs)
        self.errand = Show(msgspec.structs.replace(signal, pulses=pulses), self.errand.entry)
        return bool(pulses) or not signal.pulses

    def is_answered_by(self, message: Message) -> bool:
        """Return whether this is the kind of answer that the errand asks for."""
        wanted = ConfigurationReply if isinstance(self.errand, ReadConfiguration) else Acknowledge
        return isinstance(message, wanted)

    def count_try(self, now_ns: int, timer: RetransmissionTimer) -> None:
        """Note that it is being sent now."""
        self.tries += 1
        self.sent_ns = now_ns
        self._resend_ns = now_ns + timer.wait_ns(self.tries)


class Flights:
    """All that is on its way.

    `send` puts an errand with its number on the cable; `tell` gets each end, once. Shows are
    counted in `counters`, clean round trips taken by `timer`.
    """

    def __init__(
        self,
        timer: RetransmissionTimer,
        counters: Counters,
        *,
        send: Callable[[Errand, int], None],
        tell: Callable[[Event], None],
    ) -> None:
        self._timer = timer
        self._counters = counters
        self._send = send
        self._tell = tell
        self._under_way: list[Flight] = []
        self._tickets = 0
        self._sequence = 0

    @property
    def due_ns(self) -> int | None:
        """When `attend` has to be called next, or None while nothing is on its way."""
        return min((flight.due_ns for flight in self._under_way), default=None)

    def add(self, errand: Errand, now_ns: int) -> Flight:
        """Take an errand, in the place of an older one of its kind. It is not sent yet."""
        self._tickets += 1
        flight = Flight(self._tickets, errand, now_ns)
        for older in self._all():
            if older.is_show is flight.is_show:
                self.end(older, BridgeSuperseded("a newer signal took its place"))
        self._counters.shows += flight.is_show
        self._under_way.append(flight)
        return flight

    def begin_session(self, outputs: frozenset[Output], now_ns: int) -> None:
        """Send what has waited for this session, numbered from 1."""
        self._sequence = 0
        for flight in self._all():
            self.launch(flight, outputs, now_ns)

    def launch(self, flight: Flight, outputs: frozenset[Output], now_ns: int) -> None:
        """Send an errand for the first time, without what is not among `outputs`."""
        if not flight.fit(outputs):
            self.end(flight, obstacles.nothing_to_show())
            return
        self._sequence = self._sequence + 1 & 0xFF
        flight.sequence = self._sequence
        self._transmit(flight, now_ns)

    def attend(self, obstacle: BridgeError, now_ns: int) -> None:
        """Send again what is due, or give it up: what was never sent, because of `obstacle`."""
        for flight in self._all():
            if now_ns < flight.due_ns:
                continue
            if now_ns < flight.deadline_ns and flight.tries < MAX_TRIES:
                self._counters.retries += 1
                self._transmit(flight, now_ns)
            else:
                lost = obstacles.unacknowledged(flight.tries) if flight.sent else obstacle
                self.end(flight, lost)

    def sent_as(self, sequence: int) -> Flight | None:
        """Return what was sent under this number and is not answered yet."""
        return next((f for f in self._under_way if f.sent and f.sequence == sequence), None)

    def answer(self, sequence: int, message: Message, now_ns: int) -> None:
        """Take an answer of the board; one to what is settled already changes nothing."""
        flight = self.sent_as(sequence)
        if flight is None or not flight.is_answered_by(message):
            return
        if flight.tries == 1:
            self._timer.sample(now_ns - flight.sent_ns)
        self.end(flight, None, message)

    def end(self, flight: Flight, error: BridgeError | None, answer: Message | None = None) -> None:
        """End one errand."""
        self._under_way.remove(flight)
        self._tell(Ended(flight.ticket, error, answer))
        if flight.is_show:
            self._counters.count_end(error)

    def end_all(self, error: BridgeError, *, only_sent: bool = False) -> None:
        """End everything, or only what the board may have got."""
        for flight in self._all():
            if flight.sent or not only_sent:
                self.end(flight, error)

    def _transmit(self, flight: Flight, now_ns: int) -> None:
        flight.count_try(now_ns, self._timer)
        self._send(flight.errand, flight.sequence)

    def _all(self) -> tuple[Flight, ...]:
        return tuple(self._under_way)
