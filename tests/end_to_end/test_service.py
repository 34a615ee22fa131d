"""The daemon as a service manager sees it: ready, alive, stopping."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from firmware_bridge.bridges.simulated import SimulatedBoard
from scanner.serial.simulated import SimulatedScanner
from tests.end_to_end.running import RunningGate, RunningHub, until


def test_ready_watchdog_and_stopping_are_told(prepared_hub: Path, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    hub = RunningHub(prepared_hub)
    hub.url = "http://127.0.0.1:9"  # nobody: a gate starts and is ready without its hub
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        SimulatedScanner(link=tmp_path / "scanner") as scanner,
        SimulatedBoard(time.monotonic_ns) as board,
    ):
        manager.bind(str(address))
        manager.settimeout(20)
        gate = RunningGate(tmp_path, hub, scanner, board)
        gate.environ = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "300000"}
        gate.launch()
        try:
            heard = [manager.recv(1024)]
            until(lambda: heard.append(manager.recv(1024)) or b"WATCHDOG=1" in heard, "a heartbeat")
            assert heard[0] == b"READY=1"
            assert gate.stop() == 0
            manager.setblocking(False)
            rest: list[bytes] = []
            until(lambda: rest.append(manager.recv(1024)) or b"STOPPING=1" in rest, "a farewell")
        finally:
            gate.kill()
