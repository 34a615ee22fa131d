"""A local board's process without hardware, and the test's hands on its contacts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from admission.gate import Input
from admission.signal import Output, Pulse, Signal, SignalName
from firmware_bridge.bridges.local import LocalBoard
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.link.configuration import BoardConfiguration
from tests.firmware_bridge.bridges.bench_process import INPUT_LINES, SPEC

ROOT = Path(__file__).resolve().parents[3]
COPY_S = 3.0
"""How long the forked copy of a daemon lives on."""


def board_command(folder: Path, kind: str) -> tuple[str, ...]:
    """Return what starts a board's process on the bench in this folder."""
    return _command("bench_process", "run", folder, kind)


def daemon_command(folder: Path, kind: str) -> tuple[str, ...]:
    """Return what runs `daemon` in a process of its own."""
    return _command("bench", "daemon", folder, kind)


def _command(module: str, what: str, folder: Path, kind: str) -> tuple[str, ...]:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        f"from tests.firmware_bridge.bridges.{module} import {what}; "
        f"sys.exit({what}({str(folder)!r}, {kind!r}, sys.argv[1:]))"
    )
    return (sys.executable, "-P", "-c", code)


class Bench:
    """The test's side: what the outputs carry, and fingers for the contacts."""

    def __init__(self, folder: Path, kind: str = "fake", label: str = "pinctrl-rp1") -> None:
        self.folder = folder
        self.kind = kind
        (folder / "writes").touch()
        os.mkfifo(folder / "contacts")
        self.chip(0, label)
        # Held open for both directions, so that neither side waits for the other.
        self._contacts = os.open(folder / "contacts", os.O_RDWR | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._contacts)

    @property
    def command(self) -> tuple[str, ...]:
        """What starts the board's process on this bench."""
        return board_command(self.folder, self.kind)

    def chip(self, number: int, label: str, **more: Any) -> None:
        """Have a GPIO chip: `used` by line, `forbidden`."""
        (self.folder / f"gpiochip{number}").write_text(json.dumps({"label": label, **more}))

    def be(self, fault: str, *, now: bool = True) -> None:
        """Let the fake terminals fail, or no longer: `failing`, `blocked` or `absent`."""
        if now:
            (self.folder / fault).touch()
        else:
            (self.folder / fault).unlink()

    def touch(self, source: Input, *, closed: bool) -> None:
        """Close a contact to ground, or open it."""
        number = INPUT_LINES[source] if self.kind == "gpio" else source
        level = not closed if self.kind == "gpio" else closed
        os.write(self._contacts, f"{number} {level:d}\n".encode())

    @property
    def writes(self) -> list[tuple[int, frozenset[Output]]]:
        """When the outputs were set, and which of them carried current from then on."""
        found = []
        for line in (self.folder / "writes").read_text().splitlines():
            at_ns, *outputs = map(int, line.split())
            found.append((at_ns, frozenset(map(Output, outputs))))
        return found

    @property
    def energised(self) -> frozenset[Output]:
        writes = self.writes
        return writes[-1][1] if writes else frozenset()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True


def daemon(folder: str, kind: str, arguments: list[str]) -> None:
    """A daemon that lights lamp and gate, tells its board's process, and goes on until killed.

    It leaves a forked process behind that has a copy of its end of the link, as pools of workers
    do: the link does not close with the daemon. Its argument is the dead-man's time in ms.
    """
    lit = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))
    configuration = BoardConfiguration(dead_man_ms=int(arguments[0]))
    board = LocalBoard(SPEC, configuration, command=board_command(Path(folder), kind))

    async def live() -> None:
        up = asyncio.Event()
        bridge = McuBridge(
            kind,
            monotonic_ns=time.monotonic_ns,
            nonce=Random(1).getrandbits,
            on_alive=lambda alive: up.set(),
            open_device=board.open,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bridge.run())
            await up.wait()
            await bridge.show(lit)
            if os.fork() == 0:
                os.close(sys.stdout.fileno())
                time.sleep(COPY_S)  # noqa: ASYNC251 - it shares nothing but descriptors
                os._exit(0)
            sys.stdout.write(f"{board.pid}\n")
            sys.stdout.flush()

    asyncio.run(live())
