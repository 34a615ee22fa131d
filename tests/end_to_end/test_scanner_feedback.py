"""A real gate tells the scanner that read a code what the verdict was, for the person to hear."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from firmware_bridge.bridges.simulated import SimulatedBoard
from scanner.serial.simulated import SimulatedScanner
from tests.end_to_end.running import RunningGate, RunningHub, until

GOOD, BAD = b"\x1b7,", b"\x1b8,\x1b8,"


class Ear:
    """What the scanner hears of its host."""

    def __init__(self, scanner: SimulatedScanner) -> None:
        self._scanner = scanner
        self.heard = b""

    def has(self, command: bytes) -> bool:
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self._scanner.master, 4096)
        return command in self.heard


def test_a_scanner_with_host_ack_hears_every_verdict(prepared_hub: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared_hub, tmp_path, dirs_exist_ok=True)
    hub = RunningHub(tmp_path)
    with (
        SimulatedScanner(link=tmp_path / "scanner") as scanner,
        SimulatedBoard(time.monotonic_ns) as board,
    ):
        hub.start()
        gate = RunningGate(tmp_path, hub, scanner, board)
        config = gate.config.read_text()
        gate.config.write_text(
            config.replace('kind = "serial"', 'kind = "serial", profile = "honeywell"')
        )
        ear = Ear(scanner)
        try:
            gate.start()
            gate.scan(b"nobody's code\r")
            until(lambda: ear.has(BAD), "the sound of a code that is unrecognised")
            assert GOOD not in ear.heard
            for text in hub.texts():
                gate.scan(text.encode() + b"\r")
            until(lambda: ear.has(GOOD), "the sound of a card that opens")
            assert gate.stop() == 0
        finally:
            gate.kill()
            hub.stop(signal.SIGKILL)
