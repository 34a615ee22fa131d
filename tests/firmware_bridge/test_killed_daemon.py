"""Protects, by the pins: a gate that is open while its daemon is killed closes within a second.

A real gate (`chot run`) reads a code that opens, at the firmware on a simulated chip and at its
core compiled for this machine. Its pulse would last five seconds.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from admission.signal import Output
from scanner.serial.simulated import SimulatedScanner
from tests.end_to_end.running import RunningGate, RunningHub, prepare_hub, until
from tests.firmware_bridge.watched_boards import WatchedBoard, in_c, in_simavr

PULSE = "gate = {pulse_ms = 5000}\n"
DEAD_MAN_MS = 1_000.0
READING_MS = 30.0
"""What this process may take to learn of an edge."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hub_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare_hub(folder)
    return folder


@pytest.mark.parametrize("board", [in_simavr, in_c])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_the_gate_closes_behind_a_daemon_that_is_no_more(
    board: Callable[[], AbstractContextManager[WatchedBoard]],
    end: signal.Signals,
    hub_files: Path,
    tmp_path: Path,
) -> None:
    shutil.copytree(hub_files, tmp_path, dirs_exist_ok=True)
    hub = RunningHub(tmp_path)
    with SimulatedScanner(link=tmp_path / "scanner") as scanner, board() as watched:
        try:
            hub.start()
            gate = RunningGate(tmp_path, hub, scanner, watched)
            gate.config.write_text(gate.config.read_text() + PULSE)
            try:
                gate.start()
                open_the_gate(gate, hub, watched)
                assert gate.process is not None
                gate.process.send_signal(end)
                assert closed_after_ms(watched) < DEAD_MAN_MS + READING_MS
                assert len([e for e in watched.edges() if e.output is Output.GATE]) == 2
            finally:
                gate.kill()
        finally:
            hub.stop(signal.SIGKILL)


def closed_after_ms(board: WatchedBoard) -> float:
    began = time.monotonic()
    while is_open(board) and time.monotonic() - began < 4.0:
        time.sleep(0.002)
    return (time.monotonic() - began) * 1e3


def is_open(board: WatchedBoard) -> bool:
    gate = [edge.on for edge in board.edges() if edge.output is Output.GATE]
    return bool(gate) and gate[-1]


def open_the_gate(gate: RunningGate, hub: RunningHub, board: WatchedBoard) -> None:
    """Hold codes under the scanner until one opens."""
    for text in hub.texts():
        seen = gate.verdicts()
        gate.scan(f"{text}\r".encode())
        until(lambda seen=seen: gate.verdicts() > seen, "a verdict")  # type: ignore[misc]
        time.sleep(0.1)  # the edge is on its way to this process
        if is_open(board):
            return
    pytest.fail("no code opened the gate")
