"""One board twice, the Python one and the C core: whatever happens to both shows the same."""

from __future__ import annotations

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import MessageError
from firmware_bridge.link.board import Board
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import Decoder, Frame, encode
from firmware_bridge.link.messages import (
    BoardState,
    EventAcknowledge,
    GateEvent,
    Heartbeat,
    HelloReply,
    InputEvent,
    Message,
    ResetCause,
)
from tests.firmware_bridge.firmware.c_board import MS, CBoard

HEARTBEAT_MS = 250

Change = tuple[int, frozenset[Output], frozenset[Output], bytes]
"""When (ms), what is energised, which pins are high, what was sent."""


class Twins:
    """Both boards, a clock in whole milliseconds, and a host that knows what they answered."""

    def __init__(
        self,
        configuration: BoardConfiguration | None = None,
        *,
        state: BoardState | None = None,
        boot_count: int = 1,
        chip_starts_at_ms: int = 0,
    ) -> None:
        self.now_ms = 7_000
        given = {
            "configuration": configuration,
            "state": BoardState.STORED if state is None else state,
            "boot_count": boot_count,
            "reset_cause": ResetCause.BROWN_OUT,
        }
        self.python = Board(self.now_ms * MS, **given)
        self.c = CBoard(self.now_ms * MS, **given, starts_at_ms=chip_starts_at_ms)
        self.contacts: frozenset[Input] | None = None
        self.session = 0
        self.event = 1
        self.heard: list[Message] = []
        self._decoder = Decoder()
        for board in (self.python, self.c):
            board.advance(self.now_ms * MS)
        self._compare()

    def receive(self, data: bytes) -> None:
        """Let both take these bytes now."""
        for board in (self.python, self.c):
            board.receive(data, self.now_ms * MS)
        self._compare()

    def say(self, message: Message, *, sequence: int = 0, session: int | None = None) -> None:
        self.receive(encode(frame_of(message, self._session(session), sequence)))

    def say_raw(self, kind: int, payload: bytes, *, sequence: int, session: int | None) -> None:
        self.receive(encode(Frame(kind, self._session(session), sequence, payload)))

    def touch(self, contacts: frozenset[Input]) -> None:
        """Let these contacts be active from now on."""
        self.contacts = contacts
        for board in (self.python, self.c):
            board.sample(contacts, self.now_ms * MS)
        self._compare()

    def jumper(self, fitted: bool) -> None:
        if self.contacts is None:  # the chip looks at its jumper whenever it looks at its contacts
            self.touch(frozenset())
        for board in (self.python, self.c):
            board.jumper = fitted

    def pass_ms(self, duration_ms: int) -> None:
        """Let time pass on both, and compare every change on the way."""
        end_ms = self.now_ms + duration_ms
        changes = self._python_changes(end_ms)
        assert self._c_changes(end_ms) == changes
        self._hear(b"".join(sent for *_, sent in changes))
        self.now_ms = end_ms
        self._compare()

    def hold_on(self, duration_ms: int) -> None:
        """Let time pass while the host beats and confirms what it hears."""
        end_ms = self.now_ms + duration_ms
        while self.now_ms < end_ms:
            self.pass_ms(min(HEARTBEAT_MS, end_ms - self.now_ms))
            self.say(Heartbeat())
            self.confirm()

    def confirm(self) -> None:
        """Confirm the event that was heard last, if any."""
        self.say(EventAcknowledge(), sequence=self.event)

    def rest(self) -> None:
        """Wait until nothing will happen by itself any more."""
        for _ in range(120):
            if self.python.next_deadline_ns is None:
                return
            self.pass_ms(1_000)
        raise AssertionError("a board without host never comes to rest")

    def jump_ms(self, duration_ms: int) -> None:
        """Let a long time pass at once, in which nothing happens."""
        self.now_ms += duration_ms
        self.python.advance(self.now_ms * MS)
        self.c.jump(self.now_ms * MS)
        self._compare()

    def _session(self, session: int | None) -> int:
        return self.session if session is None else session

    def _python_changes(self, end_ms: int) -> list[Change]:
        changes: list[Change] = []
        seen = (self.python.energised, self.python.pins)
        while (due_ns := self.python.next_deadline_ns) is not None and due_ns <= end_ms * MS:
            self.python.advance(due_ns)
            sent = self.python.take_bytes()
            if sent or seen != (self.python.energised, self.python.pins):
                seen = (self.python.energised, self.python.pins)
                changes.append((due_ns // MS, *seen, sent))
        self.python.advance(end_ms * MS)
        return changes

    def _c_changes(self, end_ms: int) -> list[Change]:
        changes: list[Change] = []
        at_ms, seen = self.now_ms, (self.c.energised, self.c.pins)
        while at_ms < end_ms:
            passed_ms, *now = self.c.run(end_ms - at_ms)
            at_ms += passed_ms
            sent = self.c.take_bytes()
            if sent or seen != tuple(now):
                seen = (now[0], now[1])
                changes.append((at_ms, *seen, sent))
        return changes

    def _compare(self) -> None:
        sent = self.python.take_bytes()
        assert self.c.take_bytes().hex() == sent.hex()
        for name in ("energised", "pins", "driven", "has_host", "take_configuration"):
            ours, theirs = getattr(self.c, name), getattr(self.python, name)
            if callable(ours):
                ours, theirs = ours(), theirs()
            assert ours == theirs, name
        self._hear(sent)

    def _hear(self, sent: bytes) -> None:
        for frame in self._decoder.feed(sent):
            try:
                message = message_of(frame)
            except MessageError:  # a refusal of another version
                continue
            self.heard.append(message)
            if isinstance(message, HelloReply):
                self.session = message.session
            elif isinstance(message, InputEvent | GateEvent):
                self.event = frame.sequence
