"""One board for several lanes: a turnstile has two directions, a reader at each, and one board."""

from __future__ import annotations

import asyncio

from admission.gate import Input, Side
from admission.signal import Signal
from firmware_bridge.bridges.board_bridge import BoardBridge
from firmware_bridge.bridges.listeners import EventListener
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.messages import BoardEvent, GateEvent, HelloReply


class SharedBoard:
    """Lets lanes show in turn, so that none takes another's signal off the cable.

    The lamps say what was shown last; each side's gate goes its own way. `hear` is for the bridge's
    events: a gate's go to the lane of its side, all others to the lane that owns the board.

    :param owner: the side of the lane whose table names the board.
    """

    def __init__(self, owner: Side) -> None:
        self._owner = owner
        self._listeners: dict[Side, EventListener] = {}
        self._bridge: BoardBridge | None = None
        self._turn = asyncio.Lock()

    def connect(self, bridge: BoardBridge) -> None:
        """Take the bridge that was opened with `hear`."""
        self._bridge = bridge

    def lane(self, side: Side, listener: EventListener) -> SharedBridge:
        """Return the bridge of the lane that unlocks `side`."""
        self._listeners[side] = listener
        if self._bridge is None:
            raise RuntimeError("connect the board's bridge first")
        return SharedBridge(self._bridge, self._turn, runs=side is self._owner)

    def hear(self, event: BoardEvent) -> asyncio.Future[None] | None:
        """Hand an event of the board to the lane that it concerns; return what that returns."""
        side = event.side if isinstance(event, GateEvent) else self._owner
        listener = self._listeners.get(side) or self._listeners.get(self._owner)
        return listener(event) if listener is not None else None


class SharedBridge:
    """One lane's share of a board. `owned` is its bridge in the owner's share, None in others."""

    def __init__(self, bridge: BoardBridge, turn: asyncio.Lock, *, runs: bool) -> None:
        self.owned = bridge if runs else None
        self._bridge = bridge
        self._turn = turn

    @property
    def alive(self) -> bool:
        """As the board's bridge."""
        return self._bridge.alive

    @property
    def last_error(self) -> BridgeError | None:
        """As the board's bridge."""
        return self._bridge.last_error

    @property
    def board(self) -> HelloReply | None:
        """As the board's bridge."""
        return self._bridge.board

    @property
    def sensed(self) -> frozenset[Input]:
        """As the board's bridge."""
        return self._bridge.sensed

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        """Show it in turn. See the board's bridge."""
        async with self._turn:
            await self._bridge.show(signal, entry=entry)

    async def run(self) -> None:
        """Keep the link, if this lane owns the board."""
        if self.owned is not None:
            await self.owned.run()
