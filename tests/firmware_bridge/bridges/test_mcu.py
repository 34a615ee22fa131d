"""Protects: the bridge over a real pseudo-terminal, through unplugging, resets and bad wires."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import serial

from admission.gate import Input
from admission.signal import ADMIT, REFER, REFUSE, Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.faults import FaultyWire
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.port import open_device
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import (
    BridgeError,
    BridgeIncompatible,
    BridgeSuperseded,
    BridgeTimeout,
    BridgeUnavailable,
)
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import BoardEvent, InputEvent

PATIENCE_S = 10.0
LONG = Signal(SignalName.ADMIT, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))


class Desk:
    """A bridge that runs, and the news it gave."""

    def __init__(self, path: str, **settings: Any) -> None:
        self.events: asyncio.Queue[BoardEvent] = asyncio.Queue()
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        settings = {"on_event": self.events.put_nowait, "on_alive": self._on_alive} | settings
        self.bridge = McuBridge(
            path, monotonic_ns=time.monotonic_ns, nonce=Random(2).getrandbits, **settings
        )

    def _on_alive(self, alive: bool) -> None:
        (self.up if alive else self.down).set()
        (self.down if alive else self.up).clear()

    async def until_up(self) -> None:
        await asyncio.wait_for(self.up.wait(), PATIENCE_S)


@asynccontextmanager
async def running(path: str, **settings: Any) -> AsyncIterator[Desk]:
    desk = Desk(path, **settings)
    task = asyncio.create_task(desk.bridge.run())
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def board() -> Any:
    with SimulatedBoard(time.monotonic_ns) as board:
        yield board


async def test_unplugged_in_mid_pattern(board: SimulatedBoard) -> None:
    async with running(board.path) as desk:
        await desk.until_up()
        await desk.bridge.show(LONG)
        assert board.energised == {Output.GREEN, Output.GATE}
        board.unplug()
        with pytest.raises(BridgeUnavailable) as caught:
            await desk.bridge.show(REFER)
        assert caught.value.hint
        assert desk.bridge.alive is False
        dark = await asyncio.to_thread(board.wait_until, lambda: not board.energised, PATIENCE_S)
        assert dark
        on, off = [e.at_ns for e in board.timeline if e.output is Output.GATE]
        assert off - on < 4_000_000_000, "the dead-man ended it, not the pattern"

        board.replug()
        await desk.until_up()
        await desk.bridge.show(REFER)
        assert [shown.signal for shown in board.shown] == [LONG, REFER]
        assert desk.bridge.statistics().openings == 2


async def test_a_loop_that_stands_still_does_not_stop_the_dead_man(board: SimulatedBoard) -> None:
    async with running(board.path) as desk:
        await desk.until_up()
        await desk.bridge.show(LONG)
        assert board.wait_until(lambda: not board.energised, 4.0)  # blocks this loop on purpose


async def test_a_board_that_restarts_is_greeted_again(board: SimulatedBoard) -> None:
    async with running(board.path) as desk:
        await desk.until_up()
        await desk.bridge.show(LONG)
        board.reset()
        await asyncio.wait_for(desk.down.wait(), PATIENCE_S)
        await desk.until_up()
        await desk.bridge.show(ADMIT)
        assert desk.bridge.statistics().counters.board_resets == 1
        assert desk.bridge.board is not None
        assert desk.bridge.board.boot_count == 2


async def test_the_device_may_come_later_than_the_bridge(tmp_path: Path) -> None:
    path = tmp_path / "board"
    async with running(str(path)) as desk:
        with pytest.raises(BridgeUnavailable):
            await desk.bridge.show(ADMIT)
        with SimulatedBoard(time.monotonic_ns) as board:
            path.symlink_to(board.path)
            await desk.until_up()
            await desk.bridge.show(ADMIT)


async def test_a_bridge_that_does_not_run_says_so() -> None:
    desk = Desk("/dev/null")
    with pytest.raises(BridgeUnavailable, match="not open") as caught:
        await desk.bridge.show(ADMIT)
    assert "service runs" in caught.value.hint
    assert desk.bridge.alive is False


async def test_of_shows_at_one_time_the_newest_wins(board: SimulatedBoard) -> None:
    async with running(board.path) as desk:
        await desk.until_up()
        first = asyncio.create_task(desk.bridge.show(ADMIT))
        second = asyncio.create_task(desk.bridge.show(REFUSE))
        ends = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(ends[0], BridgeSuperseded)
        assert ends[1] is None
        assert board.shown[-1].signal == REFUSE


async def test_a_cancelled_show_leaves_the_bridge_sound(board: SimulatedBoard) -> None:
    async with running(board.path) as desk:
        await desk.until_up()
        show = asyncio.create_task(desk.bridge.show(ADMIT))
        await asyncio.sleep(0)
        show.cancel()
        await asyncio.gather(show, return_exceptions=True)
        await desk.bridge.show(REFER)
        assert not desk.bridge._waiting


async def test_inputs_reach_the_daemon_once(board: SimulatedBoard) -> None:
    async with running(board.path) as desk:
        await desk.until_up()
        board.sense(Input.TAMPER, 1)
        board.sense(Input.BUTTON, 1)
        got = [await asyncio.wait_for(desk.events.get(), PATIENCE_S) for _ in range(2)]
        assert [event.input for event in got if isinstance(event, InputEvent)] == [
            Input.TAMPER,
            Input.BUTTON,
        ]
        assert desk.events.empty()


async def test_over_a_bad_cable_no_show_is_believed_that_did_not_run() -> None:
    chance = Random(5)
    wires = [FaultyWire(chance, lose=0.1, repeat=0.1, cut=0.05, flip=0.1) for _ in range(2)]
    with SimulatedBoard(time.monotonic_ns, to_board=wires[0], to_host=wires[1]) as board:
        async with running(board.path) as desk:
            await desk.until_up()
            for number in range(40):
                signal = Signal(SignalName.REFER, (Pulse(Output.AMBER, number + 1),))
                try:
                    await desk.bridge.show(signal)
                except (BridgeTimeout, BridgeUnavailable):
                    continue
                assert [shown.signal for shown in board.shown].count(signal) == 1
            counters = desk.bridge.statistics().counters
            assert counters.retries > 0
            assert counters.acknowledged > 10


def refused(bridge: McuBridge) -> bool:
    return isinstance(bridge.last_error, BridgeIncompatible)


async def test_a_board_without_the_gate_that_the_site_needs() -> None:
    lamps_only = BoardConfiguration(outputs=frozenset({Output.GREEN, Output.AMBER, Output.RED}))
    with SimulatedBoard(time.monotonic_ns, configuration=lamps_only) as board:
        async with running(board.path, required=frozenset({Output.GATE})) as desk:
            told = functools.partial(board.wait_until, lambda: refused(desk.bridge), PATIENCE_S)
            assert await asyncio.to_thread(told)
            with pytest.raises(BridgeIncompatible, match="gate"):
                await desk.bridge.show(ADMIT)
            assert desk.bridge.alive is False


async def test_a_listener_that_raises_ends_run_with_its_error(board: SimulatedBoard) -> None:
    def broken(event: BoardEvent) -> None:
        assert isinstance(event, InputEvent)
        raise LookupError(event.input.name)

    desk = Desk(board.path, on_event=broken)
    task = asyncio.create_task(desk.bridge.run())
    await desk.until_up()
    board.sense(Input.STOP, 1)
    with pytest.raises(LookupError, match="STOP"):
        await asyncio.wait_for(task, PATIENCE_S)
    with pytest.raises(BridgeError):
        await desk.bridge.show(ADMIT)


async def test_a_port_in_use_is_not_shared(board: SimulatedBoard) -> None:
    first = open_device(board.path)
    with pytest.raises(BridgeUnavailable) as caught:
        open_device(board.path)
    assert "another program" in caught.value.hint
    first.close()


def test_what_is_no_serial_port_is_refused_with_a_hint(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    for path in (tmp_path / "absent", plain):
        with pytest.raises(BridgeUnavailable) as caught:
            open_device(str(path))
        assert "by-id" in caught.value.hint
        assert not isinstance(caught.value, serial.SerialException)


async def test_a_port_is_tried_often_enough_for_a_board_that_is_plugged_in_to_be_back_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(delay_s: float) -> None:
        waits.append(delay_s)
        if len(waits) == 6:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await Desk(str(tmp_path / "gone")).bridge.run()
    assert waits == [0.1, 0.2, 0.25, 0.25, 0.25, 0.25]
