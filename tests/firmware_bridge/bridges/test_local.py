"""A local board's process: whatever ends, hangs or fails, what it energised goes off in time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from admission.gate import Input
from admission.signal import ADMIT, Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.local import RESTART, LocalBoard, Overseer
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError, TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import GateEvent, InputEvent
from tests.firmware_bridge.bridges.bench import ROOT, Bench, daemon_command
from tests.firmware_bridge.bridges.bench_process import SPEC

LONG = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))
LIT = frozenset({Output.GREEN, Output.GATE})
NOTHING: frozenset[Output] = frozenset()
BOUND_S = 30.0
LIMIT_S = 1.0
"""How soon everything has to be off."""
BEFORE_DEAD_MAN_S = 0.8
"""Sooner than the dead-man would do it: the daemon's end itself was seen."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


class Served(NamedTuple):
    bridge: McuBridge
    board: LocalBoard
    up: asyncio.Event
    down: asyncio.Event
    events: asyncio.Queue[InputEvent | GateEvent]

    async def wait(self, event: asyncio.Event) -> None:
        await asyncio.wait_for(event.wait(), BOUND_S)


@asynccontextmanager
async def served(
    bench: Bench, configuration: BoardConfiguration | None = None, *, at_once: bool = True
) -> AsyncIterator[Served]:
    up, down = asyncio.Event(), asyncio.Event()
    events: asyncio.Queue[InputEvent | GateEvent] = asyncio.Queue()

    def turned(alive: bool) -> None:
        (up if alive else down).set()
        (down if alive else up).clear()

    configuration = configuration or BoardConfiguration()
    board = LocalBoard(SPEC, configuration, command=bench.command)
    bridge = McuBridge(
        "fake",
        monotonic_ns=time.monotonic_ns,
        nonce=Random(1).getrandbits,
        on_event=events.put_nowait,
        on_alive=Overseer(board, turned).turned,
        open_device=board.open,
        reopen=RESTART,
    )
    running = asyncio.create_task(bridge.run())
    try:
        rig = Served(bridge, board, up, down, events)
        if at_once:
            await rig.wait(up)
        yield rig
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def gone(pid: int | None) -> bool:
    """Whether the process has ended and was waited for."""
    return not Path(f"/proc/{pid}").exists()


def off_within(bench: Bench, since_ns: int, limit_s: float) -> bool:
    """Whether everything went off so soon after `since_ns`, by the outputs' own stamps."""
    if not bench.wait_until(lambda: bench.writes[-1][1] == NOTHING, limit_s + BOUND_S):
        return False
    last_lit = max(n for n, (_, on) in enumerate(bench.writes) if on)
    return bench.writes[last_lit + 1][0] - since_ns < limit_s * 1e9


async def test_what_is_shown_is_on_before_it_is_acknowledged(bench: Bench) -> None:
    async with served(bench) as rig:
        await rig.bridge.show(LONG)
        assert bench.energised == LIT


async def test_contacts_become_events_once(bench: Bench) -> None:
    bench.touch(Input.FIRE, closed=True)
    async with served(bench) as rig:
        # What was active at the start is known, and is no event.
        assert rig.bridge.sensed == {Input.FIRE}
        bench.touch(Input.STOP, closed=True)
        event = await asyncio.wait_for(rig.events.get(), BOUND_S)
        assert isinstance(event, InputEvent)
        assert (event.input, event.value) == (Input.STOP, 1)
        bench.touch(Input.FIRE, closed=False)
        event = await asyncio.wait_for(rig.events.get(), BOUND_S)
        assert isinstance(event, InputEvent)
        assert (event.input, event.value) == (Input.FIRE, 0)


async def test_cancellation_leaves_no_process_and_nothing_energised(bench: Bench) -> None:
    async with served(bench) as rig:
        await rig.bridge.show(LONG)
        pid = rig.board.pid
        since_ns = time.monotonic_ns()
    assert await asyncio.to_thread(off_within, bench, since_ns, LIMIT_S)
    assert await asyncio.to_thread(bench.wait_until, lambda: gone(pid), BOUND_S)


async def test_a_process_that_hangs_is_ended_and_its_successor_switches_off(bench: Bench) -> None:
    async with served(bench) as rig:
        await rig.bridge.show(LONG)
        hung = rig.board.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)  # no alarm of its own ends it now
        await rig.wait(rig.down)
        await rig.wait(rig.up)
        assert await asyncio.to_thread(bench.wait_until, lambda: gone(hung), BOUND_S)
        assert bench.energised == NOTHING
        await rig.bridge.show(LONG)


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL])
async def test_a_process_that_is_ended_comes_back_with_everything_off(
    bench: Bench, number: signal.Signals
) -> None:
    async with served(bench) as rig:
        await rig.bridge.show(LONG)
        pid = rig.board.pid
        assert pid
        since_ns = time.monotonic_ns()
        os.kill(pid, number)
        await rig.wait(rig.down)
        why = str(rig.bridge.last_error)
        assert ("SIGKILL" if number is signal.SIGKILL else "ended with status 0") in why
        await rig.wait(rig.up)
        assert off_within(bench, since_ns, 2.0)
        assert rig.board.pid != pid
        await rig.bridge.show(ADMIT)


async def test_a_failing_terminal_says_why_through_the_bridge(bench: Bench) -> None:
    async with served(bench) as rig:
        bench.be("failing")
        with pytest.raises(BridgeError):
            await rig.bridge.show(ADMIT)
        await rig.wait(rig.down)
        assert isinstance(rig.bridge.last_error, TerminalsError)
        assert str(rig.bridge.last_error) == "the relay board does not answer"
        assert rig.bridge.last_error.hint == "check its power"
        bench.be("failing", now=False)
        await rig.wait(rig.up)
        await rig.bridge.show(ADMIT)


async def test_a_blocked_terminal_ends_the_process_and_not_the_gate(bench: Bench) -> None:
    async with served(bench) as rig:
        bench.be("blocked")
        with pytest.raises(BridgeError):
            await rig.bridge.show(ADMIT)
        while rig.bridge.last_error is None:  # noqa: ASYNC110 - the silence is told before
            await asyncio.sleep(0.001)
        assert "did not answer in time" in str(rig.bridge.last_error)
        bench.be("blocked", now=False)
        await rig.wait(rig.up)


async def test_terminals_that_are_not_there_are_tried_until_they_are(bench: Bench) -> None:
    bench.be("absent")
    async with served(bench, at_once=False) as rig:
        while rig.bridge.statistics().openings < 2:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        with pytest.raises(BridgeError):
            await rig.bridge.show(ADMIT)
        assert str(rig.bridge.last_error) == "no relay board answers"
        bench.be("absent", now=False)
        await rig.wait(rig.up)


async def test_a_lock_held_by_current_is_held_while_a_host_is_there_and_free_without(
    bench: Bench,
) -> None:
    held = BoardConfiguration(fail_safe=True, outputs=frozenset({Output.GREEN, Output.GATE}))
    async with served(bench, held) as rig:
        assert await asyncio.to_thread(
            bench.wait_until, lambda: bench.energised == {Output.GATE}, BOUND_S
        )
        await rig.bridge.show(LONG)
        assert bench.energised == {Output.GREEN}
    assert await asyncio.to_thread(bench.wait_until, lambda: bench.energised == NOTHING, BOUND_S)


@pytest.mark.parametrize(
    ("kind", "number", "dead_man_ms", "limit_s"),
    [
        ("fake", signal.SIGKILL, 1_000, BEFORE_DEAD_MAN_S),
        ("gpio", signal.SIGKILL, 1_000, BEFORE_DEAD_MAN_S),
        ("fake", signal.SIGSTOP, 500, LIMIT_S),
    ],
)
def test_a_daemon_that_is_killed_or_hangs_leaves_nothing_on(
    tmp_path: Path, kind: str, number: signal.Signals, dead_man_ms: int, limit_s: float
) -> None:
    bench = Bench(tmp_path, kind)
    command = [*daemon_command(tmp_path, kind), str(dead_man_ms)]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    try:
        pid = int(daemon.stdout.readline())
        assert bench.energised == LIT
        since_ns = time.monotonic_ns()
        daemon.send_signal(number)
        assert off_within(bench, since_ns, limit_s)
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()
    # Not our child: it becomes its first ancestor's to wait for.
    assert bench.wait_until(lambda: ended(pid), BOUND_S)
    bench.close()


def ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_an_order_that_is_none_is_told(bench: Bench) -> None:
    reading, writing = os.pipe()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            [*bench.command, str(theirs.fileno()), str(writing)],
            input=b'{"parent": 1',
            pass_fds=(theirs.fileno(), writing),
            stderr=subprocess.PIPE,
            check=False,
        )
    os.close(writing)
    assert done.returncode
    with os.fdopen(reading, "rb") as told:
        assert "DecodeError" in json.loads(told.read())["message"]


def test_its_memory_is_small() -> None:
    code = (
        "import sys, json, firmware_bridge.bridges.board_process, firmware_bridge.terminals.gpio; "
        "status = open('/proc/self/status').read(); "
        "rss = int(status.split('VmRSS:')[1].split()[0]); "
        "print(json.dumps([rss, sorted(sys.modules)]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rss_kib, modules = json.loads(done.stdout)
    heavy = {"numpy", "cv2", "asyncio", "aiohttp", "serial", "pymodbus", "osdp", "cryptography"}
    assert not heavy & set(modules)
    assert rss_kib < 32 * 1024
