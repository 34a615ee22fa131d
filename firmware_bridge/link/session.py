"""The host's side of the link: greeting, heartbeat, errands. A machine without I/O.

Whoever drives it hands over received bytes and the time, sends what `take_bytes` returns, handles
what `take_events` returns, and calls `advance` when `next_deadline_ns` has come.

One show is in flight at a time. A newer one takes its place at once (the lamps have to say what is
true now), and the older one ends `BridgeSuperseded`. A show that was sent is never sent again in
another session: it might run twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from admission.gate import Input
from admission.signal import Output, Signal
from firmware_bridge.errors import BridgeError, BridgeIncompatible, MessageError
from firmware_bridge.link import obstacles
from firmware_bridge.link.codec import frame_of, message_of, refusal_of
from firmware_bridge.link.event_filter import EventFilter, Sensed
from firmware_bridge.link.events import Counters, Event, LinkDown, LinkUp, State
from firmware_bridge.link.flights import Errand, Flights
from firmware_bridge.link.frame import VERSION, Decoder, Frame, encode
from firmware_bridge.link.heart import Heart
from firmware_bridge.link.messages import (
    BoardEvent,
    EventAcknowledge,
    GateEvent,
    Heartbeat,
    HeartbeatReply,
    Hello,
    HelloReply,
    InputEvent,
    Kind,
    Message,
    Refusal,
    Show,
)
from firmware_bridge.link.obstacles import Expected
from firmware_bridge.link.retry import NS_PER_MS, RetransmissionTimer

SILENCE_NS: Final = 1_000 * NS_PER_MS
"""After this long without a word from the board the link is dead."""
GREETING_NS: Final = 100 * NS_PER_MS
INCOMPATIBLE_GREETING_NS: Final = 1_000 * NS_PER_MS


class Session:
    """Talks to one board over one cable, over any number of openings and resets.

    `nonce(bits)` returns a random number of so many bits. Outputs in `required` must be fitted, or
    the board counts as incompatible; pulses for other outputs that it lacks are left out. So does
    a board that is not configured as `expected`, where that is given, or whose own configuration is
    damaged; `None` takes every board as it is, which is what commissioning needs.
    """

    def __init__(
        self,
        nonce: Callable[[int], int],
        *,
        required: frozenset[Output] = frozenset(),
        expected: Expected | None = None,
    ) -> None:
        self.counters = Counters()
        self.timer = RetransmissionTimer()
        self.board: HelloReply | None = None
        self._nonce = nonce
        self._required = required
        self._expected = expected
        self._decoder = Decoder()
        self._state = State.CLOSED
        self.obstacle: BridgeError = obstacles.not_open()
        """Why nothing can be shown, while the link is not up."""
        self._greeting = 0
        self._greet_ns = 0
        self._session = 0
        self._heard_ns = 0
        self._heart = Heart()
        self._sensed = Sensed()
        self._energised: frozenset[Output] = frozenset()
        self._filter = EventFilter()
        self._unsent = bytearray()
        self._events: list[Event] = []
        self._flights = Flights(
            self.timer, self.counters, send=self._depart, tell=self._events.append
        )

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def rejected_frames(self) -> int:
        """How often what lay between two delimiters was no frame."""
        return self._decoder.rejected

    @property
    def sensed(self) -> frozenset[Input]:
        """Which of the board's inputs are active, as far as it has told."""
        return self._sensed.active

    @property
    def energised(self) -> frozenset[Output]:
        """What was on at the last heartbeat (four a second); nothing before the first."""
        return self._energised

    @property
    def next_deadline_ns(self) -> int | None:
        """When `advance` has to be called next, or None while nothing will happen by itself."""
        deadlines = []
        if self._state is State.GREETING:
            deadlines.append(self._greet_ns)
        elif self._state is State.UP:
            deadlines += (self._heart.due_ns, self._heard_ns + SILENCE_NS)
        if (due_ns := self._flights.due_ns) is not None:
            deadlines.append(due_ns)
        return min(deadlines, default=None)

    def alive(self, now_ns: int) -> bool:
        """Return whether the board has answered within `SILENCE_NS`."""
        return self._state is State.UP and now_ns - self._heard_ns < SILENCE_NS

    def open(self, now_ns: int) -> None:
        """Begin to greet: a port was opened."""
        self._decoder.reset()
        self._unsent.clear()
        self.obstacle = obstacles.no_answer()
        self._greet(now_ns)

    def close(self, reason: BridgeError) -> None:
        """End everything: the port is gone. What is in flight ends with `reason`."""
        self.obstacle = reason
        self._leave(reason)
        self._flights.end_all(reason)
        self._state = State.CLOSED
        self._unsent.clear()

    def show(self, signal: Signal, now_ns: int, *, entry: int = 0) -> int:
        """Send the signal, and return the ticket under which its end will be reported.

        While the greeting is under way it waits for its end. `Ended` comes within `SHOW_BOUND_NS`
        in any case.
        """
        return self.ask(Show(signal, entry), now_ns)

    def ask(self, errand: Errand, now_ns: int) -> int:
        """Send the errand. Return the ticket as `show` does."""
        flight = self._flights.add(errand, now_ns)
        if self._state is State.CLOSED:
            self._flights.end(flight, self.obstacle)
        elif self._state is State.UP and self.board is not None:
            self._flights.launch(flight, self.board.outputs, now_ns)
        return flight.ticket

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the board."""
        if self._state is State.CLOSED:
            return
        for frame in self._decoder.feed(data):
            if frame.kind & 0x8:  # else our own voice, from a cable that echoes
                self._take(frame, now_ns)

    def advance(self, now_ns: int) -> None:
        """Do what is due: greet, beat, repeat, give up."""
        if self._state is State.UP and now_ns - self._heard_ns >= SILENCE_NS:
            self._restart(obstacles.silent(), now_ns)
        if self._state is State.UP and now_ns >= self._heart.due_ns:
            self._send(Heartbeat(), self._session, self._heart.beat(now_ns))
        elif self._state is State.GREETING and now_ns >= self._greet_ns:
            self._say_hello(now_ns)
        self._flights.attend(self.obstacle, now_ns)

    def confirm(self, event: BoardEvent) -> None:
        """Let the board forget an event that was taken: it is kept here now."""
        sequence = self._filter.confirm(event)
        if sequence is not None and self._state is State.UP:
            self._send(EventAcknowledge(), self._session, sequence)

    def take_bytes(self) -> bytes:
        """Return what is to be sent to the board, once."""
        unsent = bytes(self._unsent)
        self._unsent.clear()
        return unsent

    def take_events(self) -> list[Event]:
        """Return what happened since the last call, in order; `confirm` what is the board's."""
        events, self._events[:] = list(self._events), []
        return events

    def _greet(self, now_ns: int) -> None:
        self._state = State.GREETING
        self._greeting = self._nonce(32)
        self._say_hello(now_ns)

    def _say_hello(self, now_ns: int) -> None:
        waits = isinstance(self.obstacle, BridgeIncompatible)
        self._greet_ns = now_ns + (INCOMPATIBLE_GREETING_NS if waits else GREETING_NS)
        self._send(Hello(self._greeting), 0, 0)

    def _restart(self, reason: BridgeError, now_ns: int) -> None:
        self.obstacle = reason
        self._leave(reason)
        self._flights.end_all(reason, only_sent=True)
        self._greet(now_ns)

    def _leave(self, reason: BridgeError) -> None:
        if self._state is State.UP:
            self._events.append(LinkDown(reason))

    def _take(self, frame: Frame, now_ns: int) -> None:
        refusal = refusal_of(frame)
        if refusal is not None:
            self._take_refusal(frame, refusal.reason, now_ns)
            return
        try:
            message = message_of(frame)
        except MessageError:
            self.counters.misunderstood += 1
            self._pass_over(frame)
            return
        if isinstance(message, HelloReply):
            self._meet(message, now_ns)
        elif self._state is State.UP and frame.session == self._session:
            self._heard_ns = now_ns
            self._act(frame, message, now_ns)

    def _take_refusal(self, frame: Frame, reason: int, now_ns: int) -> None:
        if reason == Refusal.VERSION and frame.version != VERSION:
            self.obstacle = obstacles.other_version(frame.version)
            self._flights.end_all(self.obstacle)
            if self._state is State.UP:
                self._restart(self.obstacle, now_ns)
        elif self._state is State.UP and frame.session == self._session:
            flight = self._flights.sent_as(frame.sequence)
            lost_step = reason == Refusal.STALE and flight is not None
            if reason == Refusal.NO_SESSION or lost_step:
                self._restart(obstacles.restarted(), now_ns)
            elif flight is not None:
                self._flights.end(flight, obstacles.refused(reason))

    def _meet(self, board: HelloReply, now_ns: int) -> None:
        if self._state is not State.GREETING or board.nonce != self._greeting:
            return
        misfit = obstacles.misfit(board, self._required, self._expected)
        if misfit is not None:
            self.obstacle = misfit
            self._flights.end_all(self.obstacle)
            return
        if self.board is not None and board.boot_count != self.board.boot_count:
            self.counters.board_resets += 1
        self.counters.sessions += 1
        self.board = board
        self._state = State.UP
        self.obstacle = obstacles.silent()
        self._session = board.session
        self._sensed.greeted(board.sensed)
        self._energised = frozenset()
        self._heard_ns = self._heart.due_ns = now_ns
        self._events.append(LinkUp(board))
        self._flights.begin_session(board.outputs, now_ns)

    def _act(self, frame: Frame, message: Message, now_ns: int) -> None:
        match message:
            case HeartbeatReply(board_ms, energised, sensed):
                round_trip_ns = self._heart.answered(frame.sequence, now_ns)
                if round_trip_ns is not None:
                    self.timer.sample(round_trip_ns)
                    self._sensed.beaten(sensed, board_ms)
                    self._energised = energised
            case InputEvent() | GateEvent():
                self._take_event(frame, message)
            case _:
                self._flights.answer(frame.sequence, message, now_ns)

    def _take_event(self, frame: Frame, event: BoardEvent) -> None:
        if self.board is None:
            return
        if not self._filter.take(event, self.board.boot_count, frame.sequence):
            if self._filter.idle:  # else it is not kept yet: the board asks again
                self._send(EventAcknowledge(), self._session, frame.sequence)
            return
        self._sensed.changed(event)
        self.counters.events += 1
        self.counters.events_lost += event.lost
        self._events.append(event)

    def _pass_over(self, frame: Frame) -> None:
        """Confirm an event that means nothing here: it would block all those behind it."""
        ours = self._state is State.UP and frame.session == self._session
        if ours and frame.version == VERSION and frame.kind in (Kind.INPUT, Kind.GATE):
            self._send(EventAcknowledge(), self._session, frame.sequence)

    def _depart(self, errand: Errand, sequence: int) -> None:
        self._send(errand, self._session, sequence)

    def _send(self, message: Message, session: int, sequence: int) -> None:
        self._unsent += encode(frame_of(message, session, sequence))
