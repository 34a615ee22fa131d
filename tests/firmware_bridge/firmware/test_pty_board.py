"""Protects: the appliance's bridge and the C core understand each other over a real terminal.

What the core does in each millisecond is shown in virtual time beside this; here are the operating
system's terminal, real time, and the bridge as the daemon uses it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from random import Random
from time import monotonic_ns

import pytest

from admission.gate import GateOutcome, Input, Side
from admission.signal import ADMIT, OUT_OF_ORDER, Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeRefused
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import GateEvent, InputEvent, Refusal, ResetCause
from tests.firmware_bridge.firmware.pty_board import PtyBoard

WITH_SENSORS = BoardConfiguration(
    inputs=frozenset(Input), window_ms=600, debounce_ms=5, settle_ms=0
)


class Events:
    """What the bridge reported."""

    def __init__(self) -> None:
        self.all: list[InputEvent | GateEvent] = []

    def gates(self) -> list[tuple[GateOutcome, Side, int]]:
        return [(e.outcome, e.side, e.entry) for e in self.all if isinstance(e, GateEvent)]

    def inputs(self) -> list[tuple[Input, int]]:
        return [(e.input, e.value) for e in self.all if isinstance(e, InputEvent)]


@pytest.fixture
def board(tmp_path: Path) -> Generator[PtyBoard]:
    with PtyBoard(tmp_path / "board") as running:
        yield running


@contextlib.asynccontextmanager
async def bridged(board: PtyBoard, events: Events | None = None) -> AsyncGenerator[McuBridge]:
    bridge = McuBridge(
        board.path,
        monotonic_ns=monotonic_ns,
        nonce=Random(1).getrandbits,
        on_event=(events or Events()).all.append,
    )
    async with asyncio.TaskGroup() as crew:
        running = crew.create_task(bridge.run())
        await until(lambda: bridge.alive)
        yield bridge
        running.cancel()


async def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 - another process is watched
            await asyncio.sleep(0.005)


async def test_a_verdict_is_on_the_pins_when_it_is_acknowledged(board: PtyBoard) -> None:
    async with bridged(board) as bridge:
        await bridge.show(ADMIT, entry=7)
        await until(lambda: board.level(Output.GATE) == 1)
        assert board.level(Output.GREEN) == 1
        await until(lambda: board.level(Output.GATE) == 0)
        assert bridge.alive, "it ended by itself, not by the dead-man"


async def test_everything_is_off_within_a_second_of_the_bridges_end(board: PtyBoard) -> None:
    async with bridged(board) as bridge:
        await bridge.show(Signal(SignalName.ADMIT, (Pulse(Output.GATE, 5_000),)))
        await until(lambda: board.level(Output.GATE) == 1)
    await until(lambda: board.level(Output.GATE) == 0)
    on, off = board.edges_of(Output.GATE)[-2:]
    assert off.at_ns - on.at_ns < 4e9, "the gate stayed open for as long as the pulse asked"


async def test_a_pulled_cable_comes_back_by_itself(board: PtyBoard) -> None:
    async with bridged(board) as bridge:
        board.unplug()
        await until(lambda: not bridge.alive)
        board.replug()
        await until(lambda: bridge.alive)
        await bridge.show(OUT_OF_ORDER)


async def test_a_reset_is_noticed_with_its_cause(board: PtyBoard) -> None:
    async with bridged(board) as bridge:
        await bridge.show(ADMIT)
        board.reset("brown_out")
        await until(lambda: bridge.statistics().counters.board_resets == 1)
        assert bridge.board is not None
        assert bridge.board.reset_cause is ResetCause.BROWN_OUT
        assert board.level(Output.GATE) == 0
        await bridge.show(ADMIT)


async def test_a_configuration_is_taken_only_with_the_jumper_and_then_lived(
    board: PtyBoard,
) -> None:
    events = Events()
    async with bridged(board, events) as bridge:
        with pytest.raises(BridgeRefused) as refused:
            await bridge.configure(WITH_SENSORS)
        assert refused.value.reason == Refusal.LOCKED
        board.fit_jumper()
        await bridge.configure(WITH_SENSORS)
        assert await bridge.read_configuration() == WITH_SENSORS

        with pytest.raises(BridgeRefused) as refused:
            await bridge.show(ADMIT, entry=3)
        assert refused.value.reason == Refusal.NOT_READY
        board.close(Input.READY)
        await until(lambda: (Input.READY, 1) in events.inputs())
        await bridge.show(ADMIT, entry=4)
        board.close(Input.PASSAGE_A)
        await until(lambda: (GateOutcome.PASSED, Side.A, 4) in events.gates())
        board.open(Input.PASSAGE_A)
        await until(lambda: board.level(Output.GATE) == 0)
        board.close(Input.PASSAGE_B)
        await until(lambda: (GateOutcome.FORCED, Side.B, 0) in events.gates())
        await bridge.show(ADMIT, entry=5)
        await until(lambda: (GateOutcome.NOT_PASSED, Side.A, 5) in events.gates())
        board.close(Input.STOP)
        await until(lambda: (Input.STOP, 1) in events.inputs())
        with pytest.raises(BridgeRefused) as refused:
            await bridge.show(ADMIT, entry=6)
        assert refused.value.reason == Refusal.STOPPED
