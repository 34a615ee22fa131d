"""The port of a bridge that has a board behind it, for what stands between it and the lanes."""

from __future__ import annotations

from typing import Protocol

from admission.gate import Input
from admission.signal import Signal
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.messages import HelloReply


class BoardBridge(Protocol):
    """A bridge with hardware behind it, as lanes and health look at it: `McuBridge` is one."""

    @property
    def last_error(self) -> BridgeError | None:
        """Why it is not alive, None while it is."""
        ...

    @property
    def alive(self) -> bool:
        """Whether the hardware has answered within its heartbeat limit."""
        ...

    @property
    def board(self) -> HelloReply | None:
        """How the board introduced itself last, None if it never did."""
        ...

    @property
    def sensed(self) -> frozenset[Input]:
        """Inputs that are active."""
        ...

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        """Return once the hardware has acknowledged the signal."""
        ...

    async def run(self) -> None:
        """Keep the link, until it is cancelled."""
        ...
