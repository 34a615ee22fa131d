"""What a session reports to whoever drives it, and what it counts."""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from firmware_bridge.errors import (
    BridgeError,
    BridgeRefused,
    BridgeSuperseded,
    BridgeTimeout,
)
from firmware_bridge.link.messages import BoardEvent, HelloReply, Message


class State(Enum):
    """Where a session stands."""

    CLOSED = auto()
    """No port is open."""
    GREETING = auto()
    """The port is open; nobody has answered yet."""
    UP = auto()
    """The board answered."""


class Ended(msgspec.Struct, frozen=True):
    """What was asked under `ticket` got its `answer`, or ended with `error`."""

    ticket: int
    error: BridgeError | None = None
    answer: Message | None = None


class LinkUp(msgspec.Struct, frozen=True):
    """A session has begun with the board that introduced itself so."""

    board: HelloReply


class LinkDown(msgspec.Struct, frozen=True):
    """The session is over, for this reason."""

    error: BridgeError


Event = Ended | LinkUp | LinkDown | BoardEvent


class Counters(msgspec.Struct):
    """What happened since the start. They only grow.

    Every show is counted once in `shows` and, when it ends, once in one of the next five.
    """

    shows: int = 0
    acknowledged: int = 0
    refused: int = 0
    superseded: int = 0
    timed_out: int = 0
    unavailable: int = 0
    retries: int = 0
    sessions: int = 0
    board_resets: int = 0
    misunderstood: int = 0
    """Sound frames from the board that are no message of this version."""
    events: int = 0
    """What the board's inputs and gates had to tell."""
    events_lost: int = 0
    """What found the board's memory full."""

    def count_end(self, error: BridgeError | None) -> None:
        """Count the end of one show."""
        match error:
            case None:
                self.acknowledged += 1
            case BridgeRefused():
                self.refused += 1
            case BridgeSuperseded():
                self.superseded += 1
            case BridgeTimeout():
                self.timed_out += 1
            case _:
                self.unavailable += 1
