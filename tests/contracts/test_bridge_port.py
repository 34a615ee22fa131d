"""The Bridge port's contract, kept by every implementation, the fake of other tests included."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest

from admission.ports import Bridge
from admission.signal import ADMIT, OUT_OF_ORDER, REFER, REFUSE, Signal
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import BridgeError
from tests.doors import MemoryBridge

SIGNALS = [ADMIT, REFER, REFUSE, OUT_OF_ORDER]
BOUND_S = 5.0
"""Far above the real bound of 250 ms: these tests look for hanging, not for speed."""


class Rig:
    """One implementation with what the suite has to know about it."""

    def __init__(
        self,
        bridge: Bridge,
        shown: Callable[[], list[Signal]] | None = None,
        dark: Callable[[], bool] | None = None,
        cut_off: Callable[[], None] | None = None,
    ) -> None:
        self.bridge = bridge
        self.shown = shown
        self.dark = dark
        self.cut_off = cut_off


@asynccontextmanager
async def an_mcu() -> AsyncIterator[Rig]:
    up = asyncio.Event()
    with SimulatedBoard(time.monotonic_ns) as board:
        bridge = McuBridge(
            board.path,
            monotonic_ns=time.monotonic_ns,
            nonce=Random(1).getrandbits,
            on_alive=lambda alive: up.set() if alive else up.clear(),
        )
        running = asyncio.create_task(bridge.run())
        try:
            await asyncio.wait_for(up.wait(), BOUND_S)
            yield Rig(
                bridge,
                shown=lambda: [shown.signal for shown in board.shown],
                dark=lambda: board.wait_until(lambda: not board.energised, 15.0),
                cut_off=board.unplug,
            )
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Rig]:
    bridge = MemoryBridge()

    def cut_off() -> None:
        bridge.alive = False

    yield Rig(bridge, shown=lambda: bridge.shown, cut_off=cut_off)


@asynccontextmanager
async def screen_only() -> AsyncIterator[Rig]:
    yield Rig(ScreenOnlyBridge())


@pytest.fixture(params=[an_mcu, in_memory, screen_only], ids=lambda rig: rig.__name__)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with request.param() as rig:
        yield rig


async def test_a_reachable_bridge_is_alive(rig: Rig) -> None:
    assert rig.bridge.alive is True


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name.name)
async def test_show_returns_once_the_hardware_has_it(rig: Rig, signal: Signal) -> None:
    assert await asyncio.wait_for(rig.bridge.show(signal), BOUND_S) is None
    if rig.shown:
        assert rig.shown() == [signal]


async def test_signals_follow_each_other_in_order_each_once(rig: Rig) -> None:
    for signal in SIGNALS * 5:
        await asyncio.wait_for(rig.bridge.show(signal), BOUND_S)
    if rig.shown:
        assert rig.shown() == SIGNALS * 5


async def test_what_is_energised_ends_by_itself(rig: Rig) -> None:
    await rig.bridge.show(ADMIT)
    if rig.dark:
        assert await asyncio.to_thread(rig.dark)


@pytest.mark.parametrize("rig", [an_mcu, in_memory], indirect=True, ids=lambda rig: rig.__name__)
async def test_an_unreachable_bridge_raises_in_bounded_time(rig: Rig) -> None:
    assert rig.cut_off is not None
    rig.cut_off()
    with pytest.raises(BridgeError):
        await asyncio.wait_for(rig.bridge.show(ADMIT), BOUND_S)
    assert rig.bridge.alive is False
