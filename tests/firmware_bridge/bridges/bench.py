"""A local board's process without hardware: its contacts are files in a folder, seen by the test.

What is written to the outputs is appended to `writes`, one line each; what the test does to a
contact goes down the FIFO `contacts`. Both terminals of this module work so: `FakeTerminals` stand
in for any driver, `FakeChip` for the kernel's GPIO chip under the real gpio driver.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, Self

import gpiod
from gpiod.line import Direction, Value

from admission.gate import Input
from admission.signal import Output, Pulse, Signal, SignalName
from firmware_bridge.bridges import board_process
from firmware_bridge.bridges import gpio as gpio_driver
from firmware_bridge.bridges.local import LocalBoard
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.terminal_specs import GpioSpec, TerminalsSpec
from firmware_bridge.bridges.terminals import Terminals
from firmware_bridge.errors import TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration

ROOT = Path(__file__).resolve().parents[3]
OUTPUT_LINES = {output: 20 + output for output in Output}
INPUT_LINES = {source: 4 + source for source in Input}
SPEC = GpioSpec(OUTPUT_LINES, INPUT_LINES)
LINES = 54


def command(what: str, folder: Path, kind: str) -> tuple[str, ...]:
    """Return what runs this module's function `what` in a process of its own."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        f"from tests.firmware_bridge.bridges.bench import {what}; "
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
        return command("run", self.folder, self.kind)

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


class Contacts:
    """The process's side of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fd = os.open(folder / "contacts", os.O_RDWR | os.O_NONBLOCK)
        self.levels: dict[int, bool] = {}

    def take(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for line in os.read(self.fd, 4_096).decode().splitlines():
                number, level = map(int, line.split())
                self.levels[number] = bool(level)

    def record(self, outputs: Iterable[Output]) -> None:
        with (self.folder / "writes").open("a") as file:
            file.write(" ".join(map(str, [time.monotonic_ns(), *map(int, outputs)])) + "\n")


class FakeTerminals:
    """Terminals whose contacts are files."""

    poll_ms = None

    def __init__(self, folder: Path) -> None:
        self._contacts = Contacts(folder)
        self.wake_fds = (self._contacts.fd,)
        if (folder / "absent").exists():
            raise TerminalsError("no relay board answers", hint="check its cable")
        self._contacts.record(())

    def write(self, energised: frozenset[Output]) -> None:
        if (self._contacts.folder / "blocked").exists():
            time.sleep(60)
        if (self._contacts.folder / "failing").exists():
            raise TerminalsError("the relay board does not answer", hint="check its power")
        self._contacts.record(energised)

    def read(self) -> frozenset[Input]:
        self._contacts.take()
        return frozenset(Input(number) for number, level in self._contacts.levels.items() if level)

    def close(self) -> None:
        self._contacts.record(())


class FakeChip:
    """What gpiod.Chip is to the gpio driver. A line that nobody touched has its bias's level."""

    def __init__(self, path: str) -> None:
        self.folder = Path(path).parent
        self._chip = json.loads(Path(path).read_text())  # FileNotFoundError is the kernel's too
        if self._chip.get("forbidden"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_info(self) -> Any:
        return type("ChipInfo", (), {"label": self._chip["label"]})

    def get_line_info(self, line: int) -> Any:
        user = self._chip.get("used", {}).get(str(line))
        return type("LineInfo", (), {"used": user is not None, "consumer": user})

    def request_lines(self, settings: dict[int, gpiod.LineSettings], consumer: str) -> FakeRequest:
        assert consumer == "chot"
        if any(line >= LINES for line in settings):
            raise ValueError("line offset of out range")
        if any(self.get_line_info(line).used for line in settings):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return FakeRequest(Contacts(self.folder), settings)


class FakeRequest:
    """What gpiod.LineRequest is: logical values, of which an output's are told electrically."""

    def __init__(self, contacts: Contacts, settings: dict[int, gpiod.LineSettings]) -> None:
        self._contacts = contacts
        self._settings = settings
        self.fd = contacts.fd
        outputs = {
            line: each.output_value
            for line, each in settings.items()
            if each.direction is Direction.OUTPUT
        }
        if outputs:
            self.set_values(outputs)

    def set_values(self, values: dict[int, Value]) -> None:
        outputs = {line: output for output, line in OUTPUT_LINES.items()}
        levels = {
            line: (value is Value.ACTIVE) is not self._settings[line].active_low
            for line, value in values.items()
        }
        self._contacts.record(outputs[line] for line, high in levels.items() if high)

    def wait_edge_events(self, timeout: float) -> bool:
        return False

    def read_edge_events(self) -> list[Any]:
        return []

    def get_values(self, lines: list[int]) -> list[Value]:
        self._contacts.take()
        return [Value.ACTIVE if self._active(line) else Value.INACTIVE for line in lines]

    def release(self) -> None:
        self.fd = -1

    def _active(self, line: int) -> bool:
        settings = self._settings[line]
        high = self._contacts.levels.get(line, settings.bias is not gpiod.line.Bias.PULL_DOWN)
        return high is not settings.active_low


def on_fake_pins(folder: Path) -> None:
    """Put the fake in gpiod's place in this process."""
    gpiod.Chip = FakeChip  # type: ignore[misc,assignment]
    gpio_driver.DEVICES = folder  # type: ignore[misc]


def run(folder: str, kind: str, arguments: list[str]) -> int:
    """The process: the real one, but for what stands behind its terminals."""

    def open_them(
        spec: TerminalsSpec, configuration: BoardConfiguration, *more: object
    ) -> Terminals:
        if kind == "fake":
            return FakeTerminals(Path(folder))
        on_fake_pins(Path(folder))
        assert isinstance(spec, GpioSpec)
        return gpio_driver.open_gpio(spec, configuration)  # type: ignore[return-value]

    return board_process.main(arguments, open_them)


def daemon(folder: str, kind: str, arguments: list[str]) -> None:
    """A daemon that lights lamp and gate, tells its board's process, and goes on until killed."""
    lit = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))
    configuration = BoardConfiguration(dead_man_ms=500)
    board = LocalBoard(SPEC, configuration, command=command("run", Path(folder), kind))

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
            sys.stdout.write(f"{board.pid}\n")
            sys.stdout.flush()

    asyncio.run(live())
