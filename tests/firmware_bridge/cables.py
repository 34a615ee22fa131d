"""A host session and a board on one cable, in virtual time: nothing sleeps, everything repeats."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import Protocol

from admission.signal import Output, Signal
from firmware_bridge.bridges.faults import FaultyWire
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.board import Board
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.events import Ended, Event, LinkDown, LinkUp
from firmware_bridge.link.messages import GateEvent, InputEvent, ResetCause, Show
from firmware_bridge.link.outputs import Edge
from firmware_bridge.link.session import Session

MS = 1_000_000


class MakeBoard(Protocol):
    """What makes the board's end: one of the implementations of the link."""

    def __call__(
        self,
        now_ns: int,
        *,
        boot_count: int,
        reset_cause: ResetCause,
        configuration: BoardConfiguration | None,
        on_show: Callable[[Show], None],
    ) -> Board: ...


class Cable:
    """Moves bytes and time between the two ends. `delay_ns()` is asked anew for every chunk.

    `make_board` is called at every start of the board.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        configuration: BoardConfiguration | None = None,
        required: frozenset[Output] = frozenset(),
        to_board: FaultyWire | None = None,
        to_host: FaultyWire | None = None,
        delay_ns: Callable[[], int] = lambda: MS,
        make_board: MakeBoard = Board,
    ) -> None:
        self.now_ns = 1_000 * MS
        self.session = Session(Random(seed).getrandbits, required=required)
        self.configuration = configuration
        self.boots = 0
        self._make_board = make_board
        self.executed: list[Signal] = []
        self.edges: list[Edge] = []
        self.events: list[Event] = []
        self.confirms = True
        self.to_board = to_board or FaultyWire(Random(0))
        self.to_host = to_host or FaultyWire(Random(0))
        self.plugged = True
        self._delay_ns = delay_ns
        self._travelling: list[tuple[int, int, bool, bytes]] = []
        self._order = 0
        self.reset_board(ResetCause.POWER_ON)

    def reset_board(self, cause: ResetCause = ResetCause.BROWN_OUT) -> None:
        self.boots += 1
        self.board = self._make_board(
            self.now_ns,
            boot_count=self.boots,
            reset_cause=cause,
            configuration=self.configuration,
            on_show=lambda show: self.executed.append(show.signal),
        )

    def open(self) -> None:
        self.session.open(self.now_ns)
        self._exchange()

    def show(self, signal: Signal, *, entry: int = 0) -> int:
        ticket = self.session.show(signal, self.now_ns, entry=entry)
        self._exchange()
        return ticket

    def run_for(self, duration_ms: float) -> None:
        """Let everything happen that falls into this span."""
        end_ns = self.now_ns + int(duration_ms * MS)
        while (next_ns := self._next_ns()) is not None and next_ns <= end_ns:
            self.now_ns = max(self.now_ns, next_ns)
            self._step()
        self.now_ns = end_ns

    def endings(self) -> dict[int, BridgeError | None]:
        return {e.ticket: e.error for e in self.events if isinstance(e, Ended)}

    def ups(self) -> list[LinkUp]:
        return [event for event in self.events if isinstance(event, LinkUp)]

    def downs(self) -> list[LinkDown]:
        return [event for event in self.events if isinstance(event, LinkDown)]

    def inject(self, data: bytes, *, to_board: bool) -> None:
        """Let bytes arrive that the other end did not send."""
        if to_board:
            self.board.receive(data, self.now_ns)
        else:
            self.session.receive(data, self.now_ns)
        self._exchange()

    def _next_ns(self) -> int | None:
        candidates = [self.session.next_deadline_ns, self.board.next_deadline_ns]
        if self._travelling:
            candidates.append(self._travelling[0][0])
        return min((c for c in candidates if c is not None), default=None)

    def _step(self) -> None:
        while self._travelling and self._travelling[0][0] <= self.now_ns:
            _, _, to_board, data = heapq.heappop(self._travelling)
            if not self.plugged:
                continue
            if to_board:
                self.board.receive(data, self.now_ns)
            else:
                self.session.receive(data, self.now_ns)
        self.session.advance(self.now_ns)
        self.board.advance(self.now_ns)
        self._exchange()

    def take_events(self) -> None:
        """Take what the session has to tell, and keep it, as a host does."""
        events = self.session.take_events()
        self.events += events
        for event in events:
            if self.confirms and isinstance(event, InputEvent | GateEvent):
                self.session.confirm(event)

    def _exchange(self) -> None:
        self.take_events()
        self._send(self.to_board.carry(self.session.take_bytes()), to_board=True)
        self._send(self.to_host.carry(self.board.take_bytes()), to_board=False)
        self.edges += self.board.take_edges()

    def _send(self, data: bytes, *, to_board: bool) -> None:
        if data and self.plugged:
            self._order += 1
            arrival_ns = self.now_ns + self._delay_ns()
            heapq.heappush(self._travelling, (arrival_ns, self._order, to_board, data))


def an_open_cable(**settings: object) -> Cable:
    cable = Cable(**settings)  # type: ignore[arg-type]
    cable.open()
    cable.run_for(10)
    return cable
