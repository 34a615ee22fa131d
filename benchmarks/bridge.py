"""The firmware bridge, measured: from the host's `show` to the pins of a simulated chip.

The product's `McuBridge` on this machine, a cable at true speed, and the firmware as it is shipped
on an ATmega328P of libsimavr that keeps pace with the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal as signals
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from admission.signal import Output, Signal, SignalName
from benchmarks.bridge_commands import PinEdge, all_on_ns, command, edge_count, is_right, rest_ms
from benchmarks.bridge_figures import BYTE_MS, BridgeFigures
from benchmarks.chip.build import footprint
from benchmarks.chip.chip import CYCLES_PER_MS, Chip, pin_of
from benchmarks.errors import ChildError
from benchmarks.percentiles import percentiles
from benchmarks.progress import Progress
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.frame import encode
from firmware_bridge.link.messages import Show

_SEED: Final = 20_210_911
_PATIENCE_S: Final = 20.0
_PAUSE_S: Final = 0.001
_EDGES_S: Final = 1.0
"""How long a command's edges may take: the longest is 120 ms."""
_OUTPUTS: Final = {pin_of(output): output for output in Output}
_DEATHS: Final = (signals.SIGSTOP, signals.SIGKILL, signals.SIGSTOP, signals.SIGKILL)
_UNPLUGGINGS: Final = 5
_NOTHING: Final = Signal(SignalName.TEST, ())
"""Moves no pin: to ask whether signals are acknowledged."""


async def measure(*, commands: int, progress: Progress) -> BridgeFigures:
    """Return the figures of a chip that obeys `commands` commands, loses its host, and its cable.

    :raises ToolMissingError: if the firmware or the simulated chip cannot be built here.
    :raises ChildError: if the chip or a host's process does not do its part.
    """
    progress("firmware")
    sizes = await asyncio.to_thread(footprint)
    with Chip() as chip:
        async with _hosting(chip.path) as bridge:
            ways_ms, wrong = await _obey(bridge, chip, commands, progress)
            recovery_s = await _recover(bridge, chip, progress)
        dead_man_ms = await asyncio.to_thread(_die, chip, progress)
    if not ways_ms:
        raise ChildError("no command moved a pin")
    found = percentiles(ways_ms)
    return BridgeFigures(
        p50_ms=found.p50,
        p99_ms=found.p99,
        floor_ms=round(_frame_ms(command(1, Random(_SEED))), 3),
        dead_man_ms=round(dead_man_ms, 1),
        recovery_s=round(recovery_s, 3),
        flash_bytes=sizes["flash_bytes"],
        ram_bytes=sizes["ram_bytes"],
        commands=commands,
        wrong=wrong,
    )


@asynccontextmanager
async def _hosting(path: str) -> AsyncIterator[McuBridge]:
    bridge = McuBridge(path, monotonic_ns=time.monotonic_ns, nonce=secrets.randbits)
    running = asyncio.create_task(bridge.run())
    try:
        await _until_acknowledged(bridge, _NOTHING)
        yield bridge
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _until_acknowledged(bridge: McuBridge, signal: Signal) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                await bridge.show(signal)
            except BridgeError:
                await asyncio.sleep(_PAUSE_S)
            else:
                return


class _Pins:
    """The outputs' edges, handed out once each."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._told = len(chip.edges)

    async def take(self, count: int) -> list[PinEdge]:
        """Return the edges since the last call, once they are so many, or after a while."""
        edges: list[PinEdge] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EDGES_S):
                while len(edges) < count:
                    await asyncio.sleep(_PAUSE_S)
                    edges += self._new()
        return edges

    def _new(self) -> list[PinEdge]:
        edges = self._chip.edges[self._told :]
        self._told += len(edges)
        return [
            PinEdge(_OUTPUTS[edge.pin], edge.level == 1, edge.cycle / CYCLES_PER_MS, edge.at_ns)
            for edge in edges
            if edge.pin in _OUTPUTS
        ]


async def _obey(
    bridge: McuBridge, chip: Chip, commands: int, progress: Progress
) -> tuple[list[float], int]:
    """Return how long each command took to the pins, in ms, and how many went wrong.

    An edge too many counts against the command after it.
    """
    chance, pins, wrong = Random(_SEED), _Pins(chip), 0
    ways_ms: list[float] = []
    for number in range(commands):
        asked = command(number, chance)
        began_ns = time.monotonic_ns()
        with contextlib.suppress(BridgeError):  # then the pins tell whether it ran nevertheless
            await bridge.show(asked)
        edges = await pins.take(edge_count(asked))
        wrong += not is_right(asked, edges)
        on_ns = all_on_ns(asked, edges)
        if on_ns is not None:
            ways_ms.append((on_ns - began_ns) / 1e6)
        await asyncio.sleep(rest_ms(asked) / 1e3)
        if not bridge.alive:
            await _until_acknowledged(bridge, _NOTHING)
        if number % 50 == 0:
            progress("commands", number / commands)
    return ways_ms, wrong


async def _recover(bridge: McuBridge, chip: Chip, progress: Progress) -> float:
    """Return the longest time from a port that is there again to an acknowledged signal, in s."""
    longest_s, chance = 0.0, Random(_SEED)
    for number in range(_UNPLUGGINGS):
        progress("cable pulled", number / _UNPLUGGINGS)
        chip.unplug()
        await asyncio.sleep(chance.uniform(0.5, 2.5))
        began = time.monotonic()
        chip.replug()
        await _until_acknowledged(bridge, command(1, chance))
        longest_s = max(longest_s, time.monotonic() - began)
    return longest_s


def _die(chip: Chip, progress: Progress) -> float:
    """Return the longest time from a dead host's last frame to the gate's going off, in ms."""
    longest_ms = 0.0
    for number, death in enumerate(_DEATHS):
        progress("host stopped", number / len(_DEATHS))
        longest_ms = max(longest_ms, _die_once(chip, death))
    return longest_ms


def _die_once(chip: Chip, death: signals.Signals) -> float:
    seen = len(chip.edges_of(Output.GATE))
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.bridge_host", chip.path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as host:
        try:
            if host.stdout is None or host.stdout.readline() != b"open\n":
                raise ChildError("the host that is to be stopped did not come up")
            host.send_signal(death)
            if not chip.wait_until(
                lambda: [e.level == 1 for e in chip.edges_of(Output.GATE)[seen:]] == [True, False],
                _PATIENCE_S,
            ):
                raise ChildError("the gate did not close after its host was stopped")
        finally:
            host.kill()
    off = chip.edges_of(Output.GATE)[-1]
    last = max(moment.cycle for moment in chip.delimiters if moment.cycle < off.cycle)
    return (off.cycle - last) / CYCLES_PER_MS


def _frame_ms(signal: Signal) -> float:
    return len(encode(frame_of(Show(signal, 0), 1, 1))) * BYTE_MS
