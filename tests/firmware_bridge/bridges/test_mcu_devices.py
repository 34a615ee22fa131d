"""Protects: the bridge over anything with a descriptor, and a board configured through it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from admission.backoff import Backoff
from admission.gate import GateOutcome, Input
from admission.signal import ADMIT, REFER
from firmware_bridge.bridges import mcu
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import (
    BridgeError,
    BridgeRefused,
    BridgeTimeout,
    BridgeUnavailable,
)
from firmware_bridge.link.board import Board
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import BoardState, GateEvent, Refusal
from tests.firmware_bridge.bridges.test_mcu import PATIENCE_S, running

TURNSTILE = BoardConfiguration(
    inputs=frozenset({Input.PASSAGE_A, Input.STOP}), debounce_ms=1, window_ms=500
)


class Pipe:
    """One end of a socket pair, and the words of whoever held the other."""

    def __init__(self, ours: socket.socket, last_words: BridgeError | None) -> None:
        self._ours = ours
        self._last_words = last_words
        self.closed = False

    def fileno(self) -> int:
        return self._ours.fileno()

    def close(self) -> None:
        self.closed = True
        self._ours.close()

    def reason(self) -> BridgeError | None:
        return self._last_words


def answering(board: Board, theirs: socket.socket) -> Callable[[], None]:
    """Return what answers whatever has come to a board's end of a pair."""

    def answer() -> None:
        now_ns = time.monotonic_ns()
        board.receive(theirs.recv(4_096), now_ns)
        theirs.send(board.take_bytes())

    return answer


async def test_whatever_has_a_descriptor_will_do_and_tells_why_it_is_gone() -> None:
    words = BridgeUnavailable("the relay board does not answer", hint="its power?")
    pipes: list[Pipe] = []
    theirs: list[socket.socket] = []
    loop = asyncio.get_running_loop()

    def opening(path: str) -> Pipe:
        if pipes:
            raise words
        ours, other = socket.socketpair()
        for end in (ours, other):
            end.setblocking(False)
        theirs.append(other)
        pipes.append(Pipe(ours, words))
        loop.call_soon_threadsafe(
            lambda: loop.add_reader(other, answering(Board(time.monotonic_ns()), other))
        )
        return pipes[0]

    never = Backoff(first_s=60.0, ceiling_s=60.0, jitter=0)
    async with running("relays", open_device=opening, reopen=never) as desk:
        await desk.until_up()
        await desk.bridge.show(REFER)
        loop.remove_reader(theirs[0])
        theirs[0].close()
        await asyncio.wait_for(desk.down.wait(), PATIENCE_S)
        assert desk.bridge.last_error is words
        assert pipes[0].closed
        with pytest.raises(BridgeUnavailable, match="relay board"):
            await desk.bridge.show(REFER)


async def test_a_board_is_configured_over_its_cable_and_is_back_with_it() -> None:
    with SimulatedBoard(time.monotonic_ns, damaged=True) as board:
        async with running(board.path) as desk:
            await desk.until_up()
            with pytest.raises(BridgeRefused) as caught:
                await desk.bridge.show(ADMIT)
            assert caught.value.reason == Refusal.NOT_CONFIGURED
            with pytest.raises(BridgeRefused) as caught:
                await desk.bridge.configure(TURNSTILE)
            assert caught.value.reason == Refusal.LOCKED
            board.fit_jumper()
            await desk.bridge.configure(TURNSTILE)
            assert desk.bridge.board is not None
            assert desk.bridge.board.state == BoardState.STORED | BoardState.JUMPER
            assert await desk.bridge.read_configuration() == TURNSTILE
            await desk.bridge.show(ADMIT)


async def test_a_board_that_does_not_come_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcu, "RESTART_S", 0.0)
    with SimulatedBoard(time.monotonic_ns) as board:
        board.fit_jumper()
        async with running(board.path) as desk:
            await desk.until_up()
            with pytest.raises(BridgeTimeout, match="did not come back"):
                await desk.bridge.configure(TURNSTILE)


async def test_who_passed_and_what_is_active_reach_the_daemon() -> None:
    with SimulatedBoard(time.monotonic_ns, configuration=TURNSTILE) as board:
        async with running(board.path) as desk:
            await desk.until_up()
            await desk.bridge.show(ADMIT, entry=4_711)
            assert board.shown[0].entry == 4_711
            board.sense(Input.PASSAGE_A, 1)
            passed = await asyncio.wait_for(desk.events.get(), PATIENCE_S)
            assert isinstance(passed, GateEvent)
            assert (passed.outcome, passed.entry) == (GateOutcome.PASSED, 4_711)
            board.sense(Input.STOP, 1)
            await asyncio.wait_for(desk.events.get(), PATIENCE_S)
            assert Input.STOP in desk.bridge.sensed
            with pytest.raises(BridgeRefused) as caught:
                await desk.bridge.show(ADMIT, entry=4_712)
            assert caught.value.reason == Refusal.STOPPED
