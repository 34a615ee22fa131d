"""What every device keeps that a loop reads: serial ports, input devices, terminals, simulators."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from scanner.errors import ScannerError
from scanner.input_events import READ_BYTES as EVENT_BYTES
from scanner.input_events import ReadyDescriptor, open_keyboard
from scanner.keypad import open_terminal
from scanner.serial.port import READ_BYTES, Port
from scanner.serial.reopening import Device
from scanner.serial.simulated import SimulatedScanner
from scanner.wedge.simulated import SimulatedKeyboard

MOST_BYTES = max(READ_BYTES, EVENT_BYTES)

Send = Callable[[bytes], None]
End = Callable[[], None]
Bench = tuple[Device, Send, End]
"""A device, how bytes are sent to it, and how its other end goes away."""


@contextmanager
def serial_port(_: Path) -> Iterator[Bench]:
    with SimulatedScanner() as scanner:
        device = Port(scanner.path, 9600)
        yield device, lambda data: _written(scanner._master, data), scanner.unplug
        device.close()


@contextmanager
def input_device(folder: Path) -> Iterator[Bench]:
    """A pipe with a name, opened as an input device is, but for the grab."""
    os.mkfifo(path := folder / "event-kbd")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    device = ReadyDescriptor(reader, str(path), lambda: os.close(reader))
    with path.open("wb", buffering=0) as writer:
        yield device, lambda data: _written(writer.fileno(), data), writer.close
    device.close()


@contextmanager
def simulated_keyboard(_: Path) -> Iterator[Bench]:
    with SimulatedKeyboard() as keyboard:
        device = keyboard.open_device("a keyboard")
        yield device, lambda data: _written(keyboard._writer, data), keyboard.unplug
        device.close()


@contextmanager
def terminal(_: Path) -> Iterator[Bench]:
    master, slave = os.openpty()
    device = open_terminal(slave)
    with os.fdopen(master, "wb", buffering=0) as writer:
        yield device, lambda data: _written(writer.fileno(), data), writer.close
    device.close()
    os.close(slave)


def _written(descriptor: int, data: bytes) -> None:
    os.set_blocking(descriptor, False)
    os.write(descriptor, data)


@pytest.fixture(params=[serial_port, input_device, simulated_keyboard, terminal])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    make: Callable[[Path], AbstractContextManager[Bench]] = request.param
    with make(tmp_path) as made:
        yield made


def readable(device: Device, timeout_ms: int = 5000) -> bool:
    poll = select.poll()
    poll.register(device.fileno(), select.POLLIN)
    return bool(poll.poll(timeout_ms))


def test_silence_is_empty_and_is_not_waited_out(bench: Bench) -> None:
    device, _, _ = bench
    assert not readable(device, 0)
    assert device.read() == b""


def test_what_is_sent_arrives_in_order(bench: Bench) -> None:
    device, send, _ = bench
    send(b"first")
    send(b" second")
    heard = b""
    while len(heard) < 12:
        assert readable(device)
        heard += device.read()
    assert heard == b"first second"
    assert device.read() == b""


def test_one_read_is_bounded(bench: Bench) -> None:
    device, send, _ = bench
    send(b"x" * 3000)
    send(b"x" * 900)
    assert readable(device)
    assert 0 < len(device.read()) <= MOST_BYTES


def test_an_end_is_an_error_of_the_scanner_s_house(bench: Bench) -> None:
    device, _, end = bench
    end()
    assert readable(device), "nobody would look"
    with pytest.raises(ScannerError):
        device.read()


@pytest.mark.parametrize("open_device", [open_keyboard, lambda path: Port(path, 9600)])
def test_what_is_absent_cannot_be_opened(open_device: Callable[[str], Device]) -> None:
    with pytest.raises(ScannerError) as caught:
        open_device("/dev/none-such")
    assert caught.value.hint
