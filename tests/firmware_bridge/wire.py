"""A host that says to a board exactly what it is told to, in virtual time."""

from __future__ import annotations

from admission.signal import Signal
from firmware_bridge.link.board import Board
from firmware_bridge.link.codec import frame_of, message_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import Decoder, Frame, encode
from firmware_bridge.link.messages import (
    BoardState,
    Hello,
    HelloReply,
    Message,
)
from tests.firmware_bridge.cables import MS


class Wire:
    """A host that says exactly what it is told to."""

    def __init__(
        self,
        configuration: BoardConfiguration | None = None,
        boot_count: int = 1,
        state: BoardState = BoardState.STORED,
    ) -> None:
        self.shown: list[Signal] = []
        self.board = Board(
            0,
            boot_count=boot_count,
            configuration=configuration,
            state=state,
            on_show=lambda show: self.shown.append(show.signal),
        )
        self.session = 0

    def say(self, message: Message, at_ms: int, sequence: int = 1) -> list[Message]:
        return self.send(frame_of(message, self.session, sequence), at_ms)

    def send(self, frame: Frame, at_ms: int) -> list[Message]:
        self.board.receive(encode(frame), at_ms * MS)
        return self.heard()

    def heard(self) -> list[Message]:
        return [message_of(frame) for frame in Decoder().feed(self.board.take_bytes())]

    def greet(self, nonce: int = 7, at_ms: int = 0) -> HelloReply:
        (reply, *_) = self.send(frame_of(Hello(nonce), 0, 0), at_ms)
        assert isinstance(reply, HelloReply)
        self.session = reply.session
        return reply
