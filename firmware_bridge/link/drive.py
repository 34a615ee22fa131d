"""What a board does with its outputs and contacts, whoever tells it to: no protocol, no I/O.

Patterns of lamps and buzzer, the gate cycle, the longest on-times, the blinking of a board without
host. Every call takes the time; `next_deadline_ns` says when to call `elapse` next.
"""

from __future__ import annotations

from typing import Final

from admission.gate import GateReport, Input, Obstacle, Side
from admission.signal import GATES, LAMPS, OUT_OF_ORDER, Output
from admission.turnstile import (
    Admitted,
    Elapsed,
    HostLost,
    Moved,
    Sensed,
    Turnstile,
    next_deadline_ms,
    step,
)
from admission.turnstile import GateEvent as TurnstileEvent
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.contacts import Contacts
from firmware_bridge.link.messages import BoardEvent, GateEvent, InputEvent, Show
from firmware_bridge.link.outputs import NS_PER_MS, Edge, Outputs

_PASSAGES: Final = frozenset({Side.A.sensor, Side.B.sensor})
_SIDES: Final = {side.gate: side for side in Side}
_U32: Final = 0xFFFF_FFFF


class Drive:
    """Outputs, contacts and gates of one board from its start at `now_ns` on.

    A new one has no host: it blinks, if it is configured to. Within one moment the order is:
    contacts, gate cycle, outputs, blinking.
    """

    def __init__(self, now_ns: int, configuration: BoardConfiguration) -> None:
        self._configuration = configuration
        self._settings = configuration.gate
        self._started_ns = now_ns
        self._outputs = Outputs(configuration.max_on_ms)
        self._contacts = Contacts(configuration.inputs, configuration.debounce_ms)
        self._turnstile = Turnstile()
        self._blink_ns: int | None = now_ns if configuration.safe_blink else None
        self._edges: list[Edge] = []
        self._events: list[BoardEvent] = []

    @property
    def energised(self) -> frozenset[Output]:
        """What is active: lamps and buzzer that are on, gates that are unlocked."""
        return self._outputs.energised

    @property
    def sensed(self) -> frozenset[Input]:
        """What is active of the inputs, debounced."""
        return self._contacts.active

    @property
    def next_deadline_ns(self) -> int | None:
        """When `elapse` has to be called next, or None while nothing will happen by itself."""
        deadlines = [self._outputs.next_change_ns, self._contacts.next_change_ns, self._blink_ns]
        if (gate_ms := next_deadline_ms(self._settings, self._turnstile)) is not None:
            deadlines.append(self._started_ns + gate_ms * NS_PER_MS)
        return min((due_ns for due_ns in deadlines if due_ns is not None), default=None)

    def coils(self, *, has_host: bool) -> frozenset[Output]:
        """Return what carries current. Where current locks the gates, each one that is locked does.

        Without a host no gate's coil carries current: the lock is as its site wants it without
        power.
        """
        if not self._configuration.fail_safe:
            return self.energised
        gates = self._configuration.outputs & GATES if has_host else frozenset[Output]()
        return (self.energised - GATES) | (gates - self.energised)

    def board_ms(self, now_ns: int) -> int:
        """Return the board's own clock, as it is on the wire."""
        return self._ms(now_ns) & _U32

    def show(self, show: Show, now_ns: int) -> Obstacle | None:
        """Run a signal, or return why one of its gates cannot open; then nothing of it is run."""
        admissions = [
            Admitted(_SIDES[pulse.output], show.entry, pulse.on_ms)
            for pulse in show.signal.pulses
            if pulse.output in GATES
        ]
        for admitted in admissions:
            obstacle = self._turnstile.obstacle(self._settings, admitted.side)
            if obstacle is not None:
                return obstacle
        self._edges += self._outputs.run(show.signal.pulses, now_ns)
        for admitted in admissions:
            self._cycle(admitted, now_ns)
        return None

    def meet_host(self, now_ns: int) -> None:
        """End the blinking: somebody commands this board now."""
        self._blink_ns = None
        self._edges += self._outputs.clear(now_ns)

    def lose_host(self, now_ns: int) -> None:
        """Let go of everything, at once."""
        self._cycle(HostLost(), now_ns)
        self._edges += self._outputs.clear(now_ns)
        self._blink_ns = now_ns if self._configuration.safe_blink else None

    def end(self, now_ns: int) -> None:
        """Let go of everything and stay so."""
        self.lose_host(now_ns)
        self._blink_ns = None

    def sample(self, active: frozenset[Input], now_ns: int) -> None:
        """Take the levels of all contacts. The first ones count at once, and are no events."""
        if self._contacts.sample(active, now_ns):
            for source in sorted(self.sensed - _PASSAGES):
                self._cycle(Sensed(source, True), now_ns)

    def sense(self, source: Input, active: bool, now_ns: int) -> None:
        """Take the level of one contact."""
        self._contacts.sense(source, active, now_ns)

    def interrupt(self, moved: frozenset[Input]) -> None:
        """Take that contacts moved between two samples: none of their levels has held."""
        self._contacts.interrupt(moved)

    def elapse(self, now_ns: int) -> None:
        """Do what is due now."""
        for source, active in self._contacts.advance(now_ns):
            if source not in _PASSAGES:
                self._events.append(InputEvent(source, int(active), self.board_ms(now_ns)))
            self._cycle(Sensed(source, active), now_ns)
        self._cycle(Elapsed(), now_ns)
        self._edges += self._outputs.advance(now_ns)
        if self._blink_ns is not None and now_ns >= self._blink_ns:
            self._blink(now_ns)

    def take_edges(self) -> list[Edge]:
        """Return the edges of `energised` made since the last call."""
        edges, self._edges = self._edges, []
        return edges

    def take_events(self) -> list[BoardEvent]:
        """Return what contacts and gates had to tell since the last call, in order."""
        events, self._events = self._events, []
        return events

    def _ms(self, now_ns: int) -> int:
        return (now_ns - self._started_ns) // NS_PER_MS

    def _cycle(self, event: TurnstileEvent, now_ns: int) -> None:
        self._turnstile, commands = step(self._settings, self._turnstile, event, self._ms(now_ns))
        for command in commands:
            match command:
                case Moved(side, released):
                    self._edges += self._outputs.hold(side.gate, released, now_ns)
                case GateReport(outcome, side, entry, at_ms):
                    self._events.append(GateEvent(outcome, side, entry, at_ms & _U32))

    def _blink(self, now_ns: int) -> None:
        lamps = LAMPS & self._configuration.outputs
        pulses = [pulse for pulse in OUT_OF_ORDER.pulses if pulse.output in lamps]
        self._edges += self._outputs.run(pulses, now_ns)
        periods_ms = (pulse.count * (pulse.on_ms + pulse.off_ms) for pulse in pulses)
        self._blink_ns = now_ns + NS_PER_MS * max(periods_ms, default=1_000)
