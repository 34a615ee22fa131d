"""The board's side of the link: the protocol turned around, as a state machine without I/O.

The simulator drives it in real time, the tests in virtual time, and the C firmware is measured
against it. Every call takes the time; `next_deadline_ns` says when to call `advance` next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from admission.signal import MAX_ON_MS, OUT_OF_ORDER, Output, Pulse, Signal
from firmware_bridge.errors import MessageError
from firmware_bridge.link.frame import VERSION, Decoder, Frame, encode
from firmware_bridge.link.messages import (
    Acknowledge,
    Heartbeat,
    HeartbeatReply,
    Hello,
    HelloReply,
    Input,
    InputAcknowledge,
    InputEvent,
    Message,
    NotAcknowledged,
    Refusal,
    ResetCause,
    Show,
    frame_of,
    message_of,
)
from firmware_bridge.link.outputs import NS_PER_MS, Edge, Outputs

INPUT_RESEND_MS: Final = 100
MAX_WAITING_INPUTS: Final = 8
MAX_UNSENT_BYTES: Final = 512
LAMPS: Final = frozenset({Output.GREEN, Output.AMBER, Output.RED})


class Profile(msgspec.Struct, frozen=True):
    """What is fitted and how the site wants it. On the microcontroller this lives in EEPROM.

    `safe_blink` makes the lamps of OUT OF ORDER blink while no host is there; all else is off then
    in any case.
    """

    outputs: frozenset[Output] = frozenset(Output)
    inputs: frozenset[Input] = frozenset(Input)
    max_on_ms: int = MAX_ON_MS
    dead_man_ms: int = 1_000
    safe_blink: bool = False
    firmware: tuple[int, int, int] = (1, 0, 0)


class Board:
    """One board from its start at `now_ns` on. A reset is a new Board with the next boot count.

    `on_show(signal)` is told of every signal that begins to run: once, however often the host had
    to repeat it.
    """

    def __init__(
        self,
        now_ns: int,
        *,
        boot_count: int = 1,
        reset_cause: ResetCause = ResetCause.POWER_ON,
        profile: Profile | None = None,
        on_show: Callable[[Signal], None] | None = None,
    ) -> None:
        self._profile = profile or Profile()
        self._boot_count = boot_count & 0xFFFF
        self._reset_cause = reset_cause
        self._on_show = on_show
        self._started_ns = now_ns
        self._decoder = Decoder()
        self._outputs = Outputs(self._profile.max_on_ms)
        self._unsent = bytearray()
        self._edges: list[Edge] = []
        # Sessions of different starts do not meet, so that a frame left over from one is refused.
        self._last_session = (self._boot_count << 8) & 0xFFFF
        self._session: int | None = None
        self._nonce = 0
        self._heard_ns = now_ns
        self._last_show = 0
        self._blink_ns = now_ns
        self._inputs: deque[InputEvent] = deque()
        self._lost_inputs = 0
        self._input_sequence = 1
        self._input_resend_ns = 0

    @property
    def energised(self) -> frozenset[Output]:
        """What is on."""
        return self._outputs.energised

    @property
    def has_host(self) -> bool:
        """Whether a session is open, that is, a host holds the dead-man's handle."""
        return self._session is not None

    @property
    def next_deadline_ns(self) -> int | None:
        """When `advance` has to be called next, or None while nothing will happen by itself."""
        deadlines = []
        if (change_ns := self._outputs.next_change_ns) is not None:
            deadlines.append(change_ns)
        if self._session is not None:
            deadlines.append(self._dead_man_ns)
            if self._inputs:
                deadlines.append(self._input_resend_ns)
        elif self._profile.safe_blink:
            deadlines.append(self._blink_ns)
        return min(deadlines, default=None)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes from the host."""
        self.advance(now_ns)
        for frame in self._decoder.feed(data):
            self._take(frame, now_ns)

    def sense(self, source: Input, value: int, now_ns: int) -> None:
        """Take an edge on an input. It is repeated to the host until the host holds it."""
        if len(self._inputs) >= MAX_WAITING_INPUTS:
            self._lost_inputs = min(self._lost_inputs + 1, 0xFF)
            return
        event = InputEvent(source, value, self._board_ms(now_ns), self._lost_inputs)
        self._lost_inputs = 0
        self._inputs.append(event)
        if len(self._inputs) == 1:
            self._send_input(now_ns)

    def advance(self, now_ns: int) -> None:
        """Do what is due: edges, the dead-man, input events that the host has not confirmed."""
        if self._session is not None and now_ns >= self._dead_man_ns:
            self._lose_host(now_ns)
        self._edges += self._outputs.advance(now_ns)
        if self._session is None:
            self._blink(now_ns)
        elif self._inputs and now_ns >= self._input_resend_ns:
            self._send_input(now_ns)

    def take_bytes(self) -> bytes:
        """Return what is to be sent to the host, once."""
        unsent = bytes(self._unsent)
        self._unsent.clear()
        return unsent

    def take_edges(self) -> list[Edge]:
        """Return the edges made since the last call."""
        edges = self._edges
        self._edges = []
        return edges

    @property
    def _dead_man_ns(self) -> int:
        return self._heard_ns + self._profile.dead_man_ms * NS_PER_MS

    def _board_ms(self, now_ns: int) -> int:
        return (now_ns - self._started_ns) // NS_PER_MS & 0xFFFF_FFFF

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
        elif frame.session != self._session:
            self._answer(frame, NotAcknowledged(Refusal.NO_SESSION))
        else:
            self._heard_ns = now_ns
            self._act(frame, message, now_ns)

    def _act(self, frame: Frame, message: Message, now_ns: int) -> None:
        match message:
            case Show(signal):
                self._show(frame, signal, now_ns)
            case Heartbeat():
                self._answer(frame, HeartbeatReply(self._board_ms(now_ns), self.energised))
            case InputAcknowledge() if self._inputs and frame.sequence == self._input_sequence:
                self._inputs.popleft()
                self._input_sequence = self._input_sequence + 1 & 0xFF
                self._send_input(now_ns)
            case _:
                pass  # a confirmation of an event that was confirmed before

    def _greet(self, frame: Frame, nonce: int, now_ns: int) -> None:
        # A repeated greeting finds the session that it began; only a new one begins another.
        if self._session is None or nonce != self._nonce:
            if self._session is None:
                self._edges += self._outputs.clear(now_ns)  # the blinking of a board without host
            self._last_session = self._last_session % 0xFFFF + 1
            self._session = self._last_session
            self._nonce = nonce
            self._last_show = 0
        self._heard_ns = now_ns
        self._answer(frame, self._introduction(nonce, self._session))
        self._send_input(now_ns)

    def _introduction(self, nonce: int, session: int) -> HelloReply:
        return HelloReply(
            nonce,
            session,
            self._boot_count,
            self._reset_cause,
            self._profile.outputs,
            self._profile.inputs,
            self._profile.max_on_ms,
            self._profile.dead_man_ms,
            self._profile.firmware,
        )

    def _show(self, frame: Frame, signal: Signal, now_ns: int) -> None:
        ahead = frame.sequence - self._last_show & 0xFF
        if not {pulse.output for pulse in signal.pulses} <= self._profile.outputs:
            self._answer(frame, NotAcknowledged(Refusal.NO_SUCH_OUTPUT))
        elif ahead >= 0x80:
            self._answer(frame, NotAcknowledged(Refusal.STALE))
        else:
            if ahead:
                self._last_show = frame.sequence
                self._edges += self._outputs.run(signal.pulses, now_ns)
                if self._on_show:
                    self._on_show(signal)
            self._answer(frame, Acknowledge())

    def _lose_host(self, now_ns: int) -> None:
        self._session = None
        self._edges += self._outputs.clear(now_ns)
        self._blink_ns = now_ns

    def _blink(self, now_ns: int) -> None:
        if not self._profile.safe_blink or now_ns < self._blink_ns:
            return
        lamps = self._profile.outputs & LAMPS
        pulses = [pulse for pulse in OUT_OF_ORDER.pulses if pulse.output in lamps]
        self._edges += self._outputs.run(pulses, now_ns)
        self._blink_ns = now_ns + NS_PER_MS * max(map(_period_ms, pulses), default=1_000)

    def _send_input(self, now_ns: int) -> None:
        if self._inputs and self._session is not None:
            self._input_resend_ns = now_ns + INPUT_RESEND_MS * NS_PER_MS
            self._send(frame_of(self._inputs[0], self._session, self._input_sequence))

    def _answer(self, frame: Frame, message: Message) -> None:
        self._send(frame_of(message, frame.session, frame.sequence))

    def _send(self, frame: Frame) -> None:
        data = encode(frame)
        if len(self._unsent) + len(data) <= MAX_UNSENT_BYTES:
            self._unsent += data


def _period_ms(pulse: Pulse) -> int:
    return pulse.count * (pulse.on_ms + pulse.off_ms)
