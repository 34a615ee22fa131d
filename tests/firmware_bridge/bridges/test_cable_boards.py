"""Relay boards and lights behind the board's own process: what ends by itself in which failure.

The table in docs/bridges.md says what these tests find.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import msgspec
import pytest

from admission.gate import Input
from admission.signal import ADMIT, REFUSE, Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.local import local_bridge
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.several import MemberPlan, SeveralBridge
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.errors import BridgeError, TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import GateEvent, InputEvent
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.terminals.opening import TerminalsSpec
from firmware_bridge.terminals.simulated_lights import SimulatedAdafruitLight, SimulatedPatliteLight
from tests.firmware_bridge.terminals.osdp_readers import ADDRESS, a_reader
from tests.firmware_bridge.terminals.relay_boards import (
    RelayBoard,
    a_board_in_the_network,
    a_board_on_rs485,
)

BOUND_S = 10.0
ROOT = Path(__file__).resolve().parents[3]
COILS = {output: int(output) for output in Output}
LAMPS = frozenset({Output.GREEN, Output.AMBER, Output.RED, Output.BUZZER})
LONG = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))
LONG_LAMP = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000),))
TURNSTILE = BoardConfiguration(
    inputs=frozenset({Input.STOP, Input.PASSAGE_A}), dead_man_ms=500, window_ms=2_000
)


class Served:
    """A bridge that runs, and the process behind it."""

    def __init__(self, spec: TerminalsSpec, configuration: BoardConfiguration) -> None:
        self.up, self.down = asyncio.Event(), asyncio.Event()
        self.events: asyncio.Queue[InputEvent | GateEvent] = asyncio.Queue()
        self.bridge = local_bridge(
            spec,
            configuration,
            monotonic_ns=time.monotonic_ns,
            nonce=Random(1).getrandbits,
            on_event=self.events.put_nowait,
            on_alive=self._turned,
        )

    def _turned(self, alive: bool) -> None:
        (self.up if alive else self.down).set()
        (self.down if alive else self.up).clear()

    async def wait(self, event: asyncio.Event) -> None:
        await asyncio.wait_for(event.wait(), BOUND_S)


@asynccontextmanager
async def served(spec: TerminalsSpec, configuration: BoardConfiguration) -> AsyncIterator[Served]:
    rig = Served(spec, configuration)
    running = asyncio.create_task(rig.bridge.run())
    try:
        await rig.wait(rig.up)
        yield rig
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def by_network(board: RelayBoard) -> ModbusRelaySpec:
    return ModbusRelaySpec(
        COILS,
        host="127.0.0.1",
        port=board.port,
        timeout_ms=200,
        discrete_inputs={Input.STOP: 0, Input.PASSAGE_A: 1},
    )


async def until(condition: Callable[[], bool]) -> bool:
    """Return whether the condition came to hold, looked at from a thread."""

    def look() -> bool:
        deadline = time.monotonic() + BOUND_S
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.005)
        return condition()

    return await asyncio.to_thread(look)


def children_of(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    found = [child for thread in threads for child in (thread / "children").read_text().split()]
    return [int(child) for child in found if _is_a_board(child)]


def _is_a_board(child: str) -> bool:
    try:
        return b"board_process" in Path(f"/proc/{child}/cmdline").read_bytes()
    except OSError:
        return False


async def test_an_admission_is_watched_to_its_passage_over_modbus() -> None:
    with a_board_in_the_network() as board:
        async with served(by_network(board), TURNSTILE) as rig:
            await rig.bridge.show(ADMIT, entry=4711)
            assert board.coils[Output.GATE]
            board.set_input(1, True)
            event = await asyncio.wait_for(rig.events.get(), BOUND_S)
            assert isinstance(event, GateEvent)
            assert (event.outcome.name, event.entry) == ("PASSED", 4711)


@pytest.mark.slow
async def test_stop_takes_the_gates_relay_at_once_over_modbus() -> None:
    with a_board_in_the_network() as board:
        async with served(by_network(board), TURNSTILE) as rig:
            await rig.bridge.show(LONG)
            board.set_input(0, True)
            assert await until(lambda: not board.coils[Output.GATE])
            assert board.coils[Output.GREEN]


async def test_a_killed_process_comes_back_and_switches_everything_off_first() -> None:
    with a_board_on_rs485() as (board, cable):
        spec = ModbusRelaySpec(COILS, device=cable.paths[0], timeout_ms=200)
        async with served(spec, BoardConfiguration(inputs=frozenset())) as rig:
            await rig.bridge.show(LONG)
            assert board.coils[Output.GATE]
            (pid,) = children_of(os.getpid())
            os.kill(pid, signal.SIGKILL)
            await rig.wait(rig.down)
            assert await until(lambda: not any(board.coils))
            await rig.wait(rig.up)
            await rig.bridge.show(ADMIT)


async def test_a_board_that_is_gone_puts_the_bridge_down_and_says_why_and_comes_back() -> None:
    with a_board_in_the_network() as board:
        async with served(by_network(board), TURNSTILE) as rig:
            board.answers = lambda data: b""
            since = time.monotonic()
            await rig.wait(rig.down)
            assert time.monotonic() - since < 2.0  # 0.2 s by itself; a loaded machine takes longer
            assert isinstance(rig.bridge.last_error, TerminalsError)
            assert "unit 1 does not answer" in str(rig.bridge.last_error)
            with pytest.raises(BridgeError):
                await rig.bridge.show(ADMIT)
            board.answers = lambda data: data
            await rig.wait(rig.up)
            await rig.bridge.show(ADMIT)


def test_a_killed_daemon_leaves_no_relay_closed() -> None:
    with a_board_in_the_network() as board:
        spec = msgspec.json.encode(by_network(board)).decode()
        daemon = subprocess.Popen(
            [sys.executable, "-P", "-c", _DAEMON, spec],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == "lit\n"
            assert board.coils[Output.GATE]
            daemon.kill()
            since = time.monotonic()
            while any(board.coils) and time.monotonic() - since < BOUND_S:
                time.sleep(0.005)
            assert time.monotonic() - since < 1.0
        finally:
            daemon.kill()
            daemon.wait()
            daemon.stdout.close()  # type: ignore[union-attr]


_DAEMON = f"""
import asyncio, sys, time, msgspec
from random import Random
from admission.signal import Output, Pulse, Signal, SignalName
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec
from firmware_bridge.bridges.local import local_bridge
from firmware_bridge.link.configuration import BoardConfiguration
async def main():
    spec = msgspec.json.decode(sys.argv[1], type=ModbusRelaySpec)
    up = asyncio.Event()
    bridge = local_bridge(
        spec,
        BoardConfiguration(inputs=frozenset(spec.discrete_inputs)),
        monotonic_ns=time.monotonic_ns,
        nonce=Random(1).getrandbits,
        on_alive=lambda alive: up.set(),
    )
    running = asyncio.create_task(bridge.run())
    await up.wait()
    await bridge.show(Signal(SignalName.TEST, (Pulse(Output.GATE, 5_000),)))
    print("lit", flush=True)
    await asyncio.sleep({BOUND_S})
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "model", [pytest.param("adafruit-5125", marks=pytest.mark.slow), "patlite-phe"]
)
async def test_a_light_shows_the_pattern_and_ends_dark(model: str) -> None:
    make = SimulatedAdafruitLight if model == "adafruit-5125" else SimulatedPatliteLight
    with make() as light:
        spec = StackLightSpec(light.path, model)  # type: ignore[arg-type]
        configuration = BoardConfiguration(outputs=LAMPS, inputs=frozenset())
        async with served(spec, configuration) as rig:
            await rig.bridge.show(REFUSE)
            assert await until(lambda: light.lit == {"red", "buzzer"})
        assert await until(lambda: light.lit == frozenset())


@pytest.mark.slow
async def test_a_readers_lamp_follows_and_the_bridge_ends_dark() -> None:
    with a_reader() as (reader, cable):
        configuration = BoardConfiguration(outputs=LAMPS, inputs=frozenset({Input.TAMPER}))
        async with served(OsdpSpec(cable.paths[0], address=ADDRESS), configuration) as rig:
            await rig.bridge.show(LONG_LAMP)
            assert reader.lamp[-1]["timer_count"] == 50
            reader.tamper()
            event = await asyncio.wait_for(rig.events.get(), BOUND_S)
            assert isinstance(event, InputEvent)
            assert event.input is Input.TAMPER
        assert await until(lambda: reader.lamp[-1]["control_code"] == 1)


async def test_a_pulled_light_keeps_the_gate_on_another_board_shut() -> None:
    up, down = asyncio.Event(), asyncio.Event()
    with SimulatedBoard(time.monotonic_ns) as gate, SimulatedPatliteLight() as light:
        spec = StackLightSpec(light.path, "patlite-phe")
        lamps = BoardConfiguration(outputs=LAMPS, inputs=frozenset())
        bridge = SeveralBridge(
            [
                MemberPlan(
                    "gate board",
                    frozenset({Output.GATE}),
                    lambda on_event, on_alive: McuBridge(
                        gate.path,
                        monotonic_ns=time.monotonic_ns,
                        nonce=Random(1).getrandbits,
                        on_event=on_event,
                        on_alive=on_alive,
                    ),
                ),
                MemberPlan(
                    "stack light",
                    LAMPS,
                    lambda on_event, on_alive: local_bridge(
                        spec,
                        lamps,
                        monotonic_ns=time.monotonic_ns,
                        nonce=Random(2).getrandbits,
                        on_event=on_event,
                        on_alive=on_alive,
                    ),
                ),
            ],
            on_alive=lambda alive: up.set() if alive else down.set(),
        )
        running = asyncio.create_task(bridge.run())
        try:
            await asyncio.wait_for(up.wait(), BOUND_S)
            await bridge.show(ADMIT, entry=1)
            assert [shown.entry for shown in gate.shown] == [1]
            assert await until(lambda: "green" in light.lit)
            light.unplug()
            await asyncio.wait_for(down.wait(), BOUND_S)
            assert str(bridge.last_error).startswith("stack light: ")
            with pytest.raises(BridgeError, match="stack light"):
                await bridge.show(ADMIT, entry=2)
            assert [shown.entry for shown in gate.shown] == [1]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
