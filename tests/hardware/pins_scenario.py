"""Runs in the virtual machine: the gpio bridge on pins of the kernel's GPIO simulator.

Each step prints one line of JSON. `daemon` as an argument is the daemon that a step kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import gpiod

from admission.gate import Input
from admission.signal import Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.local import RESTART, LocalBoard
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError, TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import GateEvent, InputEvent
from firmware_bridge.terminals.gpio_spec import GpioSpec
from tests.hardware.pins import SimulatedChip, load_simulator

GREEN, GATE, RED = 17, 27, 22
STOP, FIRE, PASSAGE, HOGGED = 5, 6, 13, 26
SPEC = GpioSpec(
    {Output.GREEN: GREEN, Output.GATE: GATE, Output.RED: RED},
    {Input.STOP: STOP, Input.FIRE: FIRE, Input.PASSAGE_A: PASSAGE},
)
CONFIGURATION = BoardConfiguration(
    outputs=frozenset(SPEC.outputs),
    inputs=frozenset(SPEC.inputs),
    active_low=frozenset({Output.RED}),
    normally_closed=frozenset({Input.FIRE}),
)
LIT = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))
PATIENCE_S = 60.0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(step: str, **what: Any) -> None:
    say(json.dumps({"step": step, **what}))


def wait_for(condition: Callable[[], bool]) -> float:
    """Wait, and return how long it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > PATIENCE_S:
            raise TimeoutError
        time.sleep(0.005)
    return time.monotonic() - begun


class Lane:
    """A bridge over the pins, and what it told."""

    def __init__(self, spec: GpioSpec = SPEC) -> None:
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self.events: list[InputEvent | GateEvent] = []
        self.board = LocalBoard(spec, CONFIGURATION)
        self.bridge = McuBridge(
            "gpio",
            monotonic_ns=time.monotonic_ns,
            nonce=Random(os.getpid()).getrandbits,
            on_event=self.events.append,
            on_alive=self._turned,
            open_device=self.board.open,
            reopen=RESTART,
        )

    async def show(self, entry: int = 0) -> None:
        """Show until it is acknowledged: the emulated machine may be slower than the bound."""
        for _ in range(20):
            await asyncio.wait_for(self.up.wait(), PATIENCE_S)
            with contextlib.suppress(BridgeError):
                await self.bridge.show(LIT, entry=entry)
                return
        raise TimeoutError

    def _turned(self, alive: bool) -> None:
        (self.up if alive else self.down).set()
        (self.down if alive else self.up).clear()


@contextlib.asynccontextmanager
async def serving(spec: GpioSpec = SPEC) -> AsyncIterator[Lane]:
    lane = Lane(spec)
    running = asyncio.create_task(lane.bridge.run())
    try:
        yield lane
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - sysfs tells nobody
            await asyncio.sleep(0.005)


def levels(chip: SimulatedChip) -> dict[str, int]:
    lines = {"green": GREEN, "gate": GATE, "red": RED}
    return {name: chip.level(line) for name, line in lines.items()}


async def levels_and_events(chip: SimulatedChip) -> None:
    async with serving() as lane:
        await asyncio.wait_for(lane.up.wait(), PATIENCE_S)
        tell("at rest", levels=levels(chip), sensed=sorted(lane.bridge.sensed))
        chip.pull(FIRE, up=False)  # its contact closes: no fire any more
        await until(lambda: Input.FIRE not in lane.bridge.sensed)
        await lane.show(entry=7)
        tell("shown", levels=levels(chip))
        chip.pull(PASSAGE, up=False)
        await until(lambda: any(isinstance(e, GateEvent) for e in lane.events))
        chip.pull(PASSAGE, up=True)
        (passed,) = [e for e in lane.events if isinstance(e, GateEvent)]
        tell("passed", outcome=passed.outcome.name, entry=passed.entry)
        chip.pull(STOP, up=False)
        await until(lambda: Input.STOP in lane.bridge.sensed)
        await until(lambda: chip.level(GATE) == 0)
        tell("stopped", levels=levels(chip), events=[str(e.input.name) for e in inputs(lane)])
        chip.pull(STOP, up=True)
        await until(lambda: Input.STOP not in lane.bridge.sensed)
    tell("closed", took_s=wait_for(lambda: levels(chip) == {"green": 0, "gate": 0, "red": 1}))


def inputs(lane: Lane) -> list[InputEvent]:
    return [event for event in lane.events if isinstance(event, InputEvent)]


async def hum(chip: SimulatedChip) -> None:
    """A contact that chatters for a while, faster than any person: no event, and no harm."""
    async with serving() as lane:
        await asyncio.wait_for(lane.up.wait(), PATIENCE_S)
        begun_s = time.monotonic()
        pause_s = await asyncio.to_thread(chip.chatter, STOP, 10_000)
        took_s = time.monotonic() - begun_s
        await lane.show()
        await asyncio.sleep(0.5)  # an event would have come
        seen = [str(event.input.name) for event in inputs(lane)]
        tell("hum", took_s=took_s, pause_s=pause_s, events=seen, levels=levels(chip))


async def killed_board(chip: SimulatedChip) -> None:
    async with serving() as lane:
        await lane.show()
        before = lane.board.pid
        assert before
        os.kill(before, signal.SIGKILL)
        took_s = wait_for(lambda: chip.level(GATE) == 0)
        await asyncio.wait_for(lane.down.wait(), PATIENCE_S)
        why = str(lane.bridge.last_error)
        await lane.show()
        tell("board killed", off_s=took_s, why=why, again=levels(chip))


def killed_daemon(chip: SimulatedChip, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.hardware.pins_scenario", "daemon"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout
    pid = int(daemon.stdout.readline())
    lit = levels(chip)
    daemon.send_signal(number)
    off_s = wait_for(lambda: chip.level(GATE) == 0 and chip.level(GREEN) == 0)
    daemon.kill()
    daemon.wait()
    ended_s = wait_for(lambda: ended(pid))
    tell("daemon ended", by=number.name, lit=lit, off_s=off_s, ended_s=ended_s)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def refused(chip: SimulatedChip) -> None:
    """Lines in use, by a program and by the kernel; a chip that is not there."""
    settings = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT)
    with gpiod.request_lines(chip.path, {GATE: settings}, consumer="another-program"):
        tell("in use", why=await why_not(SPEC))
    hogged = GpioSpec({**SPEC.outputs, Output.GREEN: HOGGED}, SPEC.inputs)
    tell("in use by the kernel", why=await why_not(hogged))
    elsewhere = GpioSpec(SPEC.outputs, SPEC.inputs, chip="no-such-chip")
    tell("no such chip", why=await why_not(elsewhere))
    beyond = GpioSpec({**SPEC.outputs, Output.GREEN: 300}, SPEC.inputs)
    tell("no such line", why=await why_not(beyond))


async def why_not(spec: GpioSpec) -> str:
    async with serving(spec) as lane:
        await until(lambda: isinstance(lane.bridge.last_error, TerminalsError))
        return str(lane.bridge.last_error)


async def daemon() -> None:
    async with serving() as lane:
        await lane.show()
        say(str(lane.board.pid))
        await asyncio.sleep(PATIENCE_S)


async def main() -> None:
    load_simulator()
    SimulatedChip("other", "raspberrypi-exp-gpio")
    chip = SimulatedChip("header", "pinctrl-rp1", hogs={HOGGED: "a-driver"})
    # The red lamp's own resistor keeps it off while nobody drives its line.
    for line in (STOP, FIRE, PASSAGE, RED):
        chip.pull(line, up=True)
    await levels_and_events(chip)
    await hum(chip)
    await killed_board(chip)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        killed_daemon(chip, number)
    await refused(chip)
    tell("end")


if __name__ == "__main__":
    asyncio.run(daemon() if sys.argv[1:] == ["daemon"] else main())
