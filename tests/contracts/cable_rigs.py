"""Boards on cables behind the Bridge port, each with its own process and a simulated device."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from admission.gate import Input
from admission.signal import GATES, Output
from firmware_bridge.bridges.local import RESTART, LocalBoard
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.several import AliveListener, EventListener, MemberPlan, SeveralBridge
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.cable_specs import ModbusRelaySpec, OsdpSpec, StackLightSpec
from firmware_bridge.terminals.opening import TerminalsSpec
from firmware_bridge.terminals.simulated_lights import SimulatedPatliteLight
from tests.contracts.bridge_rigs import BOUND_S, CONFIGURATION, BoardEvent, Rig, running
from tests.firmware_bridge.terminals.osdp_readers import ADDRESS, a_reader
from tests.firmware_bridge.terminals.relay_boards import a_board_in_the_network

LAMPS = frozenset(Output) - GATES
LIGHTS_ONLY = BoardConfiguration(outputs=LAMPS, inputs=frozenset(), dead_man_ms=500)
CONTACTS = {source: number for number, source in enumerate(sorted(CONFIGURATION.inputs))}


@asynccontextmanager
async def modbus() -> AsyncIterator[Rig]:
    """Relays and contacts in the network, on pymodbus's own server."""
    with a_board_in_the_network() as device:
        spec = ModbusRelaySpec(
            {output: int(output) for output in Output},
            host="127.0.0.1",
            port=device.port,
            timeout_ms=200,
            discrete_inputs=CONTACTS,
        )
        async with _process(
            spec,
            CONFIGURATION,
            energised=lambda: frozenset(output for output in Output if device.coils[output]),
            touch=lambda source, active: device.set_input(CONTACTS[source], active),
        ) as rig:
            yield rig


@asynccontextmanager
async def stack_light() -> AsyncIterator[Rig]:
    """A Patlite."""
    with SimulatedPatliteLight() as light:
        spec = StackLightSpec(light.path, "patlite-phe")
        async with _process(spec, LIGHTS_ONLY) as rig:
            yield rig


@asynccontextmanager
async def osdp() -> AsyncIterator[Rig]:
    """A reader, libosdp's own."""
    with a_reader() as (_, cable):
        spec = OsdpSpec(cable.paths[0], address=ADDRESS)
        async with _process(spec, LIGHTS_ONLY) as rig:
            yield rig


@asynccontextmanager
async def several() -> AsyncIterator[Rig]:
    """A microcontroller at the gate, a stack light above it."""
    up = asyncio.Event()
    events: asyncio.Queue[BoardEvent] = asyncio.Queue()
    with (
        SimulatedBoard(time.monotonic_ns, configuration=CONFIGURATION) as board,
        SimulatedPatliteLight() as light,
    ):
        local = LocalBoard(StackLightSpec(light.path, "patlite-phe"), LIGHTS_ONLY)

        def cut_off() -> None:
            board.unplug()
            _kill(local)

        def energised() -> frozenset[Output]:
            return board.energised | {Output[tier.upper()] for tier in light.lit}

        bridge = SeveralBridge(
            [
                _plan("gate board", GATES, board.path),
                _plan("stack light", LAMPS, "stack_light", local),
            ],
            on_event=events.put_nowait,
            on_alive=lambda alive: up.set() if alive else None,
        )
        task = asyncio.create_task(bridge.run())
        try:
            await asyncio.wait_for(up.wait(), BOUND_S)
            yield Rig(
                bridge, energised=energised, cut_off=cut_off, touch=board.sense, events=events
            )
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await _ended(local)


def _plan(
    name: str, outputs: frozenset[Output], path: str, local: LocalBoard | None = None
) -> MemberPlan:
    def opened(on_event: EventListener | None, on_alive: AliveListener) -> McuBridge:
        return McuBridge(
            path,
            monotonic_ns=time.monotonic_ns,
            nonce=Random(name).getrandbits,
            on_event=on_event,
            on_alive=on_alive,
            **({"open_device": local.open, "reopen": RESTART} if local else {}),
        )

    return MemberPlan(name, outputs, opened)


@asynccontextmanager
async def _process(
    spec: TerminalsSpec,
    configuration: BoardConfiguration,
    *,
    energised: Callable[[], frozenset[Output]] | None = None,
    touch: Callable[[Input, bool], None] | None = None,
) -> AsyncIterator[Rig]:
    board = LocalBoard(spec, configuration)

    def rig_of(bridge: McuBridge, events: asyncio.Queue[BoardEvent]) -> Rig:
        return Rig(
            bridge,
            energised=energised,
            cut_off=lambda: _kill(board),
            touch=touch,
            events=events,
        )

    try:
        async with running(rig_of, "local", open_device=board.open, reopen=RESTART) as rig:
            yield rig
    finally:
        await _ended(board)


def _kill(board: LocalBoard) -> None:
    assert board.pid is not None
    os.kill(board.pid, signal.SIGKILL)


async def _ended(board: LocalBoard) -> None:
    if board.device is not None:
        await asyncio.to_thread(board.device.join)
