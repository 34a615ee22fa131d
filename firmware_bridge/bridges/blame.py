"""Why a board's link is down, in the words that help most."""

from __future__ import annotations

from typing import Final

from firmware_bridge.errors import BridgeError, BridgeIncompatible

PATIENCE_NS: Final = 2_000_000_000
"""How long an opened port may be silent before that is the news: a local board has to start."""


class Blame:
    """Keeps the reason for which the port was lost last.

    What is opened anew every half second, and fails anew, is not said to be silent in between; a
    board that answers, and cannot be used, has the last word in any case.
    """

    def __init__(self) -> None:
        self._error: BridgeError | None = None
        self._opened_ns: int | None = None

    def lost(self, error: BridgeError) -> None:
        """Take why the port was lost, or why it cannot be opened."""
        self._error, self._opened_ns = error, None

    def opened(self, now_ns: int) -> None:
        """Begin to wait for an answer at an open port."""
        self._opened_ns = now_ns

    def met(self) -> None:
        """Forget why the port was lost: the board is there."""
        self._error = None

    def reason(self, obstacle: BridgeError, now_ns: int) -> BridgeError:
        """Return the reason, where a session of the link says `obstacle`."""
        if self._error is None:
            return obstacle
        if self._opened_ns is None:
            return self._error
        told = isinstance(obstacle, BridgeIncompatible)
        return obstacle if told or now_ns - self._opened_ns >= PATIENCE_NS else self._error
