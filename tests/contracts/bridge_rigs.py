"""What stands behind the Bridge port, each with what a contract can see and touch of it."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from admission.gate import Input
from admission.ports import Bridge
from admission.signal import Output, Signal
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.bridges.local import RESTART, LocalBoard
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import GateEvent, InputEvent
from tests.doors import MemoryBridge
from tests.firmware_bridge.bridges.bench import Bench
from tests.firmware_bridge.bridges.bench_process import SPEC

BOUND_S = 5.0
"""Far above the real bound of 250 ms: these tests look for hanging, not for speed."""
START_S = 30.0
"""For a process to start on a machine that does much else."""
CONFIGURATION = BoardConfiguration(
    inputs=frozenset(Input) - {Input.READY}, window_ms=600, dead_man_ms=500
)
BoardEvent = InputEvent | GateEvent
NOTHING: frozenset[Output] = frozenset()


class Rig:
    """A bridge. What a rig lacks is None, and its tests leave it out.

    `touch` makes a contact active or not; `cut_off` parts the host from what it drives.
    """

    def __init__(
        self,
        bridge: Bridge,
        *,
        shown: Callable[[], list[Signal]] | None = None,
        energised: Callable[[], frozenset[Output]] | None = None,
        cut_off: Callable[[], None] | None = None,
        touch: Callable[[Input, bool], None] | None = None,
        events: asyncio.Queue[BoardEvent] | None = None,
    ) -> None:
        self.bridge = bridge
        self.shown = shown
        self.energised = energised
        self.cut_off = cut_off
        self.touch = touch
        self._events = events

    async def next_event(self) -> BoardEvent:
        """Return the next event that the hardware told of."""
        assert self._events is not None
        return await asyncio.wait_for(self._events.get(), BOUND_S)

    def dark_after_s(self) -> float:
        """Block until nothing is energised; return how long it took.

        The host's loop stands still meanwhile, as that of a host that hangs does. Elsewhere, call
        it on a thread.
        """
        assert self.energised is not None
        begun_s = time.monotonic()
        while self.energised() and time.monotonic() - begun_s < BOUND_S:
            time.sleep(0.005)
        return time.monotonic() - begun_s


MakeRig = Callable[[], AbstractAsyncContextManager[Rig]]


@asynccontextmanager
async def running(
    rig_of: Callable[[McuBridge, asyncio.Queue[BoardEvent]], Rig], path: str, **options: Any
) -> AsyncIterator[Rig]:
    """Run a bridge to a board from its first answer on."""
    up = asyncio.Event()
    events: asyncio.Queue[BoardEvent] = asyncio.Queue()
    bridge = McuBridge(
        path,
        monotonic_ns=time.monotonic_ns,
        nonce=Random(1).getrandbits,
        on_event=events.put_nowait,
        on_alive=lambda alive: up.set() if alive else up.clear(),
        **options,
    )
    task = asyncio.create_task(bridge.run())
    try:
        await asyncio.wait_for(up.wait(), START_S)
        yield rig_of(bridge, events)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def mcu() -> AsyncIterator[Rig]:
    with SimulatedBoard(time.monotonic_ns, configuration=CONFIGURATION) as board:

        def rig_of(bridge: McuBridge, events: asyncio.Queue[BoardEvent]) -> Rig:
            return Rig(
                bridge,
                shown=lambda: [shown.signal for shown in board.shown],
                energised=lambda: board.energised,
                cut_off=board.unplug,
                touch=board.sense,
                events=events,
            )

        async with running(rig_of, board.path) as rig:
            yield rig


@asynccontextmanager
async def _local(kind: str) -> AsyncIterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="chot-bench-") as folder:
        bench = Bench(Path(folder), kind)
        board = LocalBoard(SPEC, CONFIGURATION, command=bench.command)

        def cut_off() -> None:
            assert board.pid is not None
            os.kill(board.pid, signal.SIGKILL)

        def rig_of(bridge: McuBridge, events: asyncio.Queue[BoardEvent]) -> Rig:
            return Rig(
                bridge,
                energised=lambda: bench.energised,
                cut_off=cut_off,
                touch=lambda source, active: bench.touch(source, closed=active),
                events=events,
            )

        try:
            async with running(rig_of, kind, open_device=board.open, reopen=RESTART) as rig:
                yield rig
        finally:
            if board.device is not None:
                await asyncio.to_thread(board.device.join)
            bench.close()


def local() -> AbstractAsyncContextManager[Rig]:
    """A board's process with fake terminals."""
    return _local("fake")


def gpio() -> AbstractAsyncContextManager[Rig]:
    """A board's process with the real gpio driver on a fake of the kernel's chip."""
    return _local("gpio")


@asynccontextmanager
async def in_memory() -> AsyncIterator[Rig]:
    bridge = MemoryBridge()

    def cut_off() -> None:
        bridge.alive = False

    yield Rig(bridge, shown=lambda: bridge.shown, cut_off=cut_off)


@asynccontextmanager
async def screen_only() -> AsyncIterator[Rig]:
    yield Rig(ScreenOnlyBridge())


WITHOUT_HARDWARE: list[MakeRig] = [in_memory, screen_only]
HARDWARE: list[MakeRig] = [mcu, local]
"""Those that something is energised behind, with the contacts of a turnstile."""
