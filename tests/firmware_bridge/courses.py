"""A host that shows numbered signals over a hostile cable, and notes how each of them ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import msgspec

from admission.signal import Signal, SignalName
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.flights import SHOW_BOUND_NS
from tests.firmware_bridge.hostile_cable import MAX_DELAY_S, HostileCable
from tests.firmware_bridge.numbered_signals import LONGEST_MS, NUMBERS, QUIET_MS, signal_of

BOUND_S: Final = SHOW_BOUND_NS / 1e9
LATE_S: Final = 0.15
"""What a busy machine may add to a bound of real time: this process waits for a core."""
HEALING_S: Final = 2.0
NOTHING: Final = Signal(SignalName.TEST, ())
"""A signal that moves no pin: to ask whether signals are acknowledged."""
STALL_S: Final = 0.25
"""For how long a busy machine may stop a board's clock without two signals running together."""
_ENDED_S: Final = (LONGEST_MS + QUIET_MS) / 1e3 + STALL_S
_PAUSE_S: Final = 0.05


class Course(msgspec.Struct):
    """What became of the signals: how often each number was asked for, and acknowledged."""

    asked: Counter[int] = msgspec.field(default_factory=Counter)
    acknowledged: Counter[int] = msgspec.field(default_factory=Counter)
    endings: Counter[str] = msgspec.field(default_factory=Counter)
    slowest_s: float = 0.0
    healing_s: float = 0.0


class Host:
    """A bridge that runs, and whether its link is up."""

    def __init__(self, path: str, seed: int) -> None:
        self.up = asyncio.Event()
        self.bridge = McuBridge(
            path,
            monotonic_ns=time.monotonic_ns,
            nonce=Random(seed).getrandbits,
            on_alive=lambda alive: self.up.set() if alive else self.up.clear(),
        )


@asynccontextmanager
async def hosting(path: str, seed: int) -> AsyncIterator[Host]:
    """Keep a bridge to `path` running."""
    host = Host(path, seed)
    task = asyncio.create_task(host.bridge.run())
    try:
        yield host
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def hostile_course(cable: HostileCable, seed: int, shows: int) -> Course:
    """Show `shows` signals, each once; then heal the cable, and one more until it is acknowledged.

    Between two shows whatever the last one started has ended, copies on the way included.
    """
    course, numbers = Course(), Random(seed).sample(range(NUMBERS), shows + 1)
    async with hosting(cable.path, seed) as host:
        for number in numbers[:-1]:
            # A dead link refuses at once, which alone would prove little.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(host.up.wait(), HEALING_S)
            await _show(host.bridge, number, course)
        cable.heal()
        course.healing_s = await _healed_after_s(host.bridge)
        await asyncio.sleep(_ENDED_S)
        await _show(host.bridge, numbers[-1], course)
    return course


async def _show(bridge: McuBridge, number: int, course: Course) -> None:
    course.asked[number] += 1
    began = time.monotonic()
    try:
        await bridge.show(signal_of(number))
    except BridgeError as error:
        course.endings[type(error).__name__] += 1
        # It may have arrived, or its copies may be on the way still.
        pause_s = _ENDED_S + BOUND_S + 2 * MAX_DELAY_S
    else:
        course.endings["acknowledged"] += 1
        course.acknowledged[number] += 1
        pause_s = _ENDED_S
    course.slowest_s = max(course.slowest_s, time.monotonic() - began)
    await asyncio.sleep(pause_s)


async def _healed_after_s(bridge: McuBridge) -> float:
    began = time.monotonic()
    while True:
        try:
            await bridge.show(NOTHING)
        except BridgeError:
            await asyncio.sleep(_PAUSE_S)
        else:
            return time.monotonic() - began
