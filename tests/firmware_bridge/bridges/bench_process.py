"""What runs in a local board's process on the bench: contacts that are files in a folder.

What is written to the outputs is appended to `writes`, one line each; what the test does to a
contact comes down the FIFO `contacts`. Both terminals of this module work so: `FakeTerminals` stand
in for any driver, `FakeChip` for the kernel's GPIO chip under the real gpio driver. Imported by the
process, so it imports no more than that one does.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import gpiod
from gpiod.line import Direction, Value

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.bridges import board_process
from firmware_bridge.errors import TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals import gpio as gpio_driver
from firmware_bridge.terminals.gpio_spec import GpioSpec
from firmware_bridge.terminals.opening import TerminalsSpec
from firmware_bridge.terminals.terminals import Terminals

OUTPUT_LINES = {output: 20 + output for output in Output}
INPUT_LINES = {source: 4 + source for source in Input}
SPEC = GpioSpec(OUTPUT_LINES, INPUT_LINES)
LINES = 54


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

    def take_moved(self) -> frozenset[Input]:
        return frozenset()

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
