"""Lines reach a course while its board goes on talking, and Ctrl-C leaves everything off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from admission.signal import Output
from appliance.cli.bridge_terminal import NoTerminal, StandardTerminal
from firmware_bridge.bridges.simulated import SimulatedBoard
from tests.appliance.cli.test_bridge import file_with
from tests.worlds import ROOT

PATIENCE_S = 30.0
CHOT = (sys.executable, "-P", "-m", "appliance", "bridge")


@pytest.fixture
def pipe() -> Iterator[tuple[TextIO, int]]:
    ours, theirs = os.pipe()
    with os.fdopen(ours) as stream:
        yield stream, theirs


async def test_lines_come_as_they_are_typed(pipe: tuple[TextIO, int]) -> None:
    stream, keys = pipe
    with StandardTerminal(stream) as terminal:
        waiting = asyncio.ensure_future(terminal.line())
        await asyncio.sleep(0)
        assert not waiting.done()
        os.write(keys, "xanh đ".encode()[:-1])  # half a letter
        os.write(keys, "đ".encode()[1:] + b"\nsecond\nthird")
        assert await asyncio.wait_for(waiting, PATIENCE_S) == "xanh đ"
        assert await terminal.line() == "second"
        os.close(keys)
        with pytest.raises(NoTerminal):
            await asyncio.wait_for(terminal.line(), PATIENCE_S)


async def test_a_flood_is_not_kept(pipe: tuple[TextIO, int]) -> None:
    stream, keys = pipe
    with StandardTerminal(stream) as terminal:
        os.write(keys, b"x" * 50_000 + b"\nshort\n")
        assert len(await asyncio.wait_for(terminal.line(), PATIENCE_S)) <= 1_000
        assert await asyncio.wait_for(terminal.line(), PATIENCE_S) == "short"
    os.close(keys)


async def test_what_was_typed_ahead_answers_no_later_question() -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"y\ny\n")
    with os.fdopen(theirs) as stream, StandardTerminal(stream) as terminal:
        assert await asyncio.wait_for(terminal.line(), PATIENCE_S) == "y"
        os.write(ours, b"y\n")
        terminal.forget()
        os.write(ours, b"n\n")
        assert await asyncio.wait_for(terminal.line(), PATIENCE_S) == "n"
    os.close(ours)


async def test_a_plain_file_is_nobody() -> None:
    with (ROOT / "README.md").open() as file, pytest.raises(NoTerminal) as caught:
        StandardTerminal(file).__enter__()
    assert "--automatic" in caught.value.hint


async def test_closed_standard_input_is_nobody() -> None:
    with pytest.raises(NoTerminal):
        StandardTerminal(None).__enter__()


def interrupted(process: subprocess.Popen[bytes]) -> int:
    """Send SIGINT until the process ends: one just before a read does not end the read."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.5)
    pytest.fail("it does not end")


def test_ctrl_c_at_the_question_whether_to_write_ends_it() -> None:
    wiring = 'wiring = { outputs = ["green", "amber", "red"] }'
    ours, theirs = pty.openpty()
    with SimulatedBoard(time.monotonic_ns) as board, tempfile.TemporaryDirectory() as folder:
        path = file_with(Path(folder), f'kind = "mcu"\nport = "{board.path}"\n{wiring}\n')
        process = subprocess.Popen(
            [*CHOT, "configure", "--config", str(path)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            said = b""
            while b"[y/N]" not in said:
                said += os.read(ours, 1_000)
            assert interrupted(process) == 1
        finally:
            process.kill()
            process.wait()
            os.close(ours)
            os.close(theirs)


def test_ctrl_c_leaves_everything_off() -> None:
    ours, theirs = pty.openpty()
    with SimulatedBoard(time.monotonic_ns) as board:
        process = subprocess.Popen(
            [*CHOT, "test", "--port", board.path],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            assert board.wait_until(lambda: Output.GREEN in board.energised, PATIENCE_S)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
        assert board.energised == frozenset()
        (green,) = (e for e in board.timeline if e.output is Output.GREEN and not e.energised)
        (lit,) = (e for e in board.timeline if e.output is Output.GREEN and e.energised)
    assert process.returncode == 130, said.decode()
    assert green.at_ns - lit.at_ns < 1_400_000_000, "it was switched off, and not at its end"
