"""One board for both directions: shows take turns, and each lane hears of its own gate alone."""

from __future__ import annotations

import asyncio

import pytest

from admission.gate import GateOutcome, Input, Side
from admission.signal import ADMIT, REFUSE, Signal
from appliance.shared_board import SharedBoard
from firmware_bridge.errors import BridgeError, BridgeUnavailable
from firmware_bridge.link.messages import BoardEvent, GateEvent, HelloReply, InputEvent


class SlowBoard:
    """A bridge whose shows end when they are let go, and that a second show would take away."""

    alive = True
    last_error: BridgeError | None = None
    board: HelloReply | None = None
    sensed = frozenset({Input.STOP})

    def __init__(self) -> None:
        self.shown: list[tuple[Signal, int]] = []
        self.running = 0
        self.most = 0
        self.go = asyncio.Event()
        self.runs = 0

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await self.go.wait()
        self.running -= 1
        self.shown.append((signal, entry))

    async def run(self) -> None:
        self.runs += 1


def heard(lanes: dict[Side, list[BoardEvent]], side: Side) -> list[BoardEvent]:
    return lanes.setdefault(side, [])


async def test_lanes_show_in_turn_and_both_are_shown() -> None:
    board, shared = SlowBoard(), SharedBoard(Side.A)
    shared.connect(board)
    way_in = shared.lane(Side.A, lambda _: None)
    way_out = shared.lane(Side.B, lambda _: None)
    async with asyncio.TaskGroup() as group:
        group.create_task(way_in.show(ADMIT, entry=7))
        group.create_task(way_out.show(REFUSE, entry=8))
        board.go.set()
    assert board.shown == [(ADMIT, 7), (REFUSE, 8)]
    assert board.most == 1


async def test_only_the_owner_keeps_the_link() -> None:
    board, shared = SlowBoard(), SharedBoard(Side.B)
    shared.connect(board)
    for side in Side:
        await shared.lane(side, lambda _: None).run()
    assert board.runs == 1


async def test_each_lane_hears_of_its_own_gate_and_the_owner_of_all_else() -> None:
    shared, lanes = SharedBoard(Side.A), dict[Side, list[BoardEvent]]()
    shared.connect(SlowBoard())
    for side in Side:
        shared.lane(side, heard(lanes, side).append)
    events = [GateEvent(GateOutcome.PASSED, side, 7, 0, 0) for side in Side]
    pressed = InputEvent(Input.STOP, 1, 0, 0)
    for event in [*events, pressed]:
        shared.hear(event)
    assert lanes == {Side.A: [events[0], pressed], Side.B: [events[1]]}


async def test_a_side_without_a_lane_is_told_to_the_owner() -> None:
    shared, lanes = SharedBoard(Side.A), dict[Side, list[BoardEvent]]()
    shared.connect(SlowBoard())
    shared.lane(Side.A, heard(lanes, Side.A).append)
    forced = GateEvent(GateOutcome.FORCED, Side.B, 0, 0, 0)
    shared.hear(forced)
    assert lanes == {Side.A: [forced]}


async def test_a_share_says_of_the_board_what_the_board_says() -> None:
    board, shared = SlowBoard(), SharedBoard(Side.A)
    board.alive, board.last_error = False, BridgeUnavailable("unplugged")
    shared.connect(board)
    share = shared.lane(Side.B, lambda _: None)
    assert (share.alive, share.last_error) == (False, board.last_error)
    assert share.sensed == {Input.STOP}
    assert share.board is None


def test_a_board_is_connected_before_it_is_shared() -> None:
    with pytest.raises(RuntimeError):
        SharedBoard(Side.A).lane(Side.A, lambda _: None)
