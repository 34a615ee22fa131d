"""The board's side of the link: the protocol turned around, as a state machine without I/O.

The simulator and the local boards drive it in real time, the tests in virtual time, and the C
firmware is held against it. Every call takes the time; `next_deadline_ns` says when to call
`advance` next. Within one moment the order is: dead-man, contacts, gate cycle, outputs, blinking,
and the event that is not confirmed; bytes come after all that was due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import MessageError
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.drive import Drive
from firmware_bridge.link.event_queue import EventQueue
from firmware_bridge.link.frame import VERSION, Decoder, Frame
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardOptions,
    BoardState,
    ConfigurationReply,
    Configure,
    EventAcknowledge,
    Heartbeat,
    HeartbeatReply,
    Hello,
    HelloReply,
    Message,
    NotAcknowledged,
    ReadConfiguration,
    Refusal,
    ResetCause,
    Show,
)
from firmware_bridge.link.outbox import Outbox
from firmware_bridge.link.outputs import NS_PER_MS, Edge
from firmware_bridge.link.presence import Presence

EVENT_RESEND_MS: Final = 100
FIRMWARE: Final = (2, 0, 0)
_NONE_RAN: Final = NotAcknowledged(Refusal.STALE)


class Board:
    """One board from its start at `now_ns` on. A reset is a new Board with the next boot count.

    `state` says where `configuration` comes from; with a damaged one the board drives nothing.
    `jumper` is whether a new one is accepted. `on_show` is told of every show that begins to run:
    once, however often the host had to repeat it.
    """

    def __init__(
        self,
        now_ns: int,
        *,
        configuration: BoardConfiguration | None = None,
        state: BoardState = BoardState(0),  # noqa: B008 - immutable
        boot_count: int = 1,
        reset_cause: ResetCause = ResetCause.POWER_ON,
        firmware: tuple[int, int, int] = FIRMWARE,
        on_show: Callable[[Show], None] | None = None,
    ) -> None:
        self.configuration = configuration or BoardConfiguration()
        self.jumper = False
        self._state = state
        self._boot_count = boot_count & 0xFFFF
        self._reset_cause = reset_cause
        self._firmware = firmware
        self._on_show = on_show
        self._decoder = Decoder()
        self._drive = Drive(now_ns, self.configuration)
        self._events = EventQueue()
        self._resend_ns = 0
        self._outbox = Outbox()
        self._edges: list[Edge] = []
        self._presence = Presence(self._boot_count, self.configuration.dead_man_ms)
        self._last_show = 0
        self._last_answer: Message = _NONE_RAN
        self._accepted: BoardConfiguration | None = None
        self._ended = False

    @property
    def energised(self) -> frozenset[Output]:
        """What is active: lamps and buzzer that are on, gates that are unlocked."""
        return self._drive.energised

    @property
    def coils(self) -> frozenset[Output]:
        """What carries current; where current locks the gates, that is each one that is locked."""
        return self._carrying & self.driven

    @property
    def pins(self) -> frozenset[Output]:
        """Which of the driven pins are high: coils, inverted where a low level energises."""
        return (self.coils ^ self.configuration.active_low) & self.driven

    @property
    def driven(self) -> frozenset[Output]:
        """Which pins are driven at all; others are left at high impedance."""
        if BoardState.DAMAGED in self._state:
            return frozenset()
        if BoardState.STORED not in self._state:
            return self._carrying  # nobody knows the polarity yet: off is high impedance
        return self.configuration.outputs

    @property
    def has_host(self) -> bool:
        """Whether a host holds the dead-man's handle: it has spoken in the open session."""
        return self._presence.has_host

    @property
    def next_deadline_ns(self) -> int | None:
        """When `advance` has to be called next, or None while nothing will happen by itself."""
        deadlines = [self._drive.next_deadline_ns]
        deadlines.append(self._presence.ends_ns)
        if self._presence.session is not None and self._events:
            deadlines.append(self._resend_ns)
        return min((due_ns for due_ns in deadlines if due_ns is not None), default=None)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the host."""
        self.advance(now_ns)
        for frame in self._decoder.feed(data):
            self._take(frame, now_ns)
        self._tell(now_ns)
        self._collect(now_ns)

    def sample(self, active: frozenset[Input], now_ns: int) -> None:
        """Take the levels of all contacts. The first ones count at once, and are no events."""
        self.advance(now_ns - 1)  # a level that ends at this moment did not last until it
        self._drive.sample(active, now_ns)
        self.advance(now_ns)

    def interrupt(self, moved: frozenset[Input]) -> None:
        """Take that contacts moved between two samples: none of their levels has held."""
        self._drive.interrupt(moved)

    def sense(self, source: Input, value: int, now_ns: int) -> None:
        """Take the level of one contact: 1 is active."""
        self.advance(now_ns - 1)
        self._drive.sense(source, bool(value), now_ns)
        self.advance(now_ns)

    def advance(self, now_ns: int) -> None:
        """Do what is due, in the order in which it was. Edges are stamped with now."""
        while (due_ns := self.next_deadline_ns) is not None and due_ns <= now_ns:
            self._elapse(due_ns)
        self._elapse(now_ns)
        self._collect(now_ns)

    def take_bytes(self) -> bytes:
        """Return what is to be sent to the host, once."""
        return self._outbox.take()

    def take_edges(self) -> list[Edge]:
        """Return the edges of `energised` made since the last call."""
        edges, self._edges = self._edges, []
        return edges

    def take_configuration(self) -> BoardConfiguration | None:
        """Return a configuration that the host gave, once: it is to be stored, then a reset."""
        accepted, self._accepted = self._accepted, None
        return accepted

    @property
    def _carrying(self) -> frozenset[Output]:
        return self._drive.coils(has_host=self.has_host) & self.configuration.outputs

    def _elapse(self, now_ns: int) -> None:
        if self._presence.lapse(now_ns):
            self._drive.lose_host(now_ns)
        self._drive.elapse(now_ns)
        self._tell(now_ns)
        if self._events and now_ns >= self._resend_ns:
            self._send_event(now_ns)

    def _collect(self, now_ns: int) -> None:
        self._edges += [Edge(e.output, e.energised, now_ns) for e in self._drive.take_edges()]

    def _take(self, frame: Frame, now_ns: int) -> None:
        if frame.kind & 0x8:
            return  # our own voice, from a cable that echoes
        if frame.version != VERSION:
            self._answer(frame, NotAcknowledged(Refusal.VERSION))
            return
        try:
            message = message_of(frame)
        except MessageError:
            self._answer(frame, NotAcknowledged(Refusal.MALFORMED))
            return
        if isinstance(message, Hello):
            self._greet(frame, message.nonce, now_ns)
        elif frame.session != self._presence.session:
            self._answer(frame, NotAcknowledged(Refusal.NO_SESSION))
        else:
            if self._presence.hear(now_ns):
                self._drive.meet_host(now_ns)
            self._act(frame, message, now_ns)

    def _act(self, frame: Frame, message: Message, now_ns: int) -> None:
        match message:
            case Show():
                self._answer(frame, self._show(frame.sequence, message, now_ns))
            case Heartbeat():
                drive = self._drive
                beat = HeartbeatReply(drive.board_ms(now_ns), drive.energised, drive.sensed)
                self._answer(frame, beat)
            case EventAcknowledge():
                if self._events.confirm(frame.sequence):
                    self._send_event(now_ns)
            case ReadConfiguration():
                self._answer(frame, ConfigurationReply(self.configuration))
            case Configure() if not self.jumper:
                self._answer(frame, NotAcknowledged(Refusal.LOCKED))
            case Configure(configuration):
                self._answer(frame, Acknowledge())
                self._presence.end()
                self._drive.end(now_ns)
                self._accepted = configuration
                self._ended = True

    def _greet(self, frame: Frame, nonce: int, now_ns: int) -> None:
        if self._ended:
            return
        if self._presence.greet(nonce, now_ns):
            self._last_show = 0
            self._last_answer = _NONE_RAN
        self._answer(frame, self._introduction(nonce))
        self._send_event(now_ns)

    def _introduction(self, nonce: int) -> HelloReply:
        configuration = self.configuration
        jumper = BoardState.JUMPER if self.jumper else BoardState(0)
        return HelloReply(
            nonce,
            self._presence.session or 0,
            self._boot_count,
            self._reset_cause,
            configuration.outputs,
            configuration.inputs,
            self._drive.sensed,
            configuration.fingerprint,
            self._state | jumper,
            BoardOptions(configuration.options),
            max((configuration.max_on_ms[output] for output in configuration.outputs), default=0),
            configuration.dead_man_ms,
            configuration.window_ms,
            self._firmware,
        )

    def _show(self, sequence: int, show: Show, now_ns: int) -> Message:
        ahead = sequence - self._last_show & 0xFF
        if BoardState.DAMAGED in self._state:
            return NotAcknowledged(Refusal.NOT_CONFIGURED)
        if not {pulse.output for pulse in show.signal.pulses} <= self.configuration.outputs:
            return NotAcknowledged(Refusal.NO_SUCH_OUTPUT)
        if ahead >= 0x80:
            return NotAcknowledged(Refusal.STALE)
        if ahead:
            # The answer is kept with the number: a doubled frame never opens what was refused.
            self._last_show = sequence
            self._last_answer = self._run(show, now_ns)
        return self._last_answer

    def _run(self, show: Show, now_ns: int) -> Message:
        obstacle = self._drive.show(show, now_ns)
        if obstacle is not None:
            return NotAcknowledged(obstacle)
        if self._on_show:
            self._on_show(show)
        return Acknowledge()

    def _tell(self, now_ns: int) -> None:
        """Queue what happened; what comes to the front of the queue is sent."""
        for event in self._drive.take_events():
            self._events.add(event)
            if len(self._events) == 1:
                self._send_event(now_ns)

    def _send_event(self, now_ns: int) -> None:
        event, session = self._events.first, self._presence.session
        if event is not None and session is not None:
            self._resend_ns = now_ns + EVENT_RESEND_MS * NS_PER_MS
            self._outbox.send(frame_of(event, session, self._events.sequence))

    def _answer(self, frame: Frame, message: Message) -> None:
        self._outbox.send(frame_of(message, frame.session, frame.sequence))
