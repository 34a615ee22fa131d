"""Writing to a scanner: in order, bounded, never waited for, and never a reason to fail."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from scanner.errors import SerialLostError
from scanner.serial.outbox import UNSENT_LIMIT_BYTES, Outbox
from scanner.serial.port import Port
from scanner.serial.simulated import SimulatedScanner


class PipePort:
    """The writing end of a pipe: unlike a terminal it is full at an exact byte."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def master(pipe: tuple[int, int]) -> int:
    return pipe[0]


@pytest.fixture
def port(pipe: tuple[int, int]) -> PipePort:
    return PipePort(pipe[1])


def fill(port: PipePort) -> int:
    total = 0
    while written := port.write(b"." * 512):
        total += written
    return total


async def read_until_quiet(master: int, size: int) -> bytes:
    data = b""
    async with asyncio.timeout(10):
        while len(data) < size:
            try:
                data += os.read(master, 4096)
            except BlockingIOError:
                await asyncio.sleep(0)
    return data


async def test_what_fits_is_written_at_once() -> None:
    with SimulatedScanner() as scanner:
        port = Port(scanner.path, 9600)
        outbox = Outbox(port)
        outbox.send(b"one")
        outbox.send(b"two")
        assert await read_until_quiet(scanner.master, 6) == b"onetwo"
        outbox.stop()
        port.close()
    assert outbox.dropped_bytes == 0


async def test_a_full_port_holds_nobody_up_and_takes_the_rest_later(
    port: PipePort, master: int
) -> None:
    filled = fill(port)
    outbox = Outbox(port)
    outbox.send(b"one")
    outbox.send(b"two")
    assert (await read_until_quiet(master, filled + 6))[-6:] == b"onetwo"
    outbox.send(b"three")
    assert await read_until_quiet(master, 5) == b"three"
    outbox.stop()
    assert outbox.dropped_bytes == 0


async def test_what_waits_is_bounded_and_what_is_dropped_is_whole_and_counted(
    port: PipePort, master: int
) -> None:
    filled = fill(port)
    outbox = Outbox(port)
    for number in range(10_000):
        outbox.send(b"%07d\n" % number)
    kept = UNSENT_LIMIT_BYTES // 8
    assert outbox.dropped_bytes == (10_000 - kept) * 8
    tail = (await read_until_quiet(master, filled + kept * 8))[filled:]
    assert tail.split() == [b"%07d" % number for number in range(kept)]
    outbox.stop()


async def test_stopping_gives_up_what_waits_and_watches_no_more(port: PipePort) -> None:
    fill(port)
    outbox = Outbox(port)
    outbox.send(b"late")
    outbox.stop()
    outbox.stop()
    outbox.send(b"later")
    assert outbox.dropped_bytes == len(b"latelater")
    assert not asyncio.get_running_loop().remove_writer(port.fileno())


class LostPort:
    def fileno(self) -> int:
        return 0

    def write(self, data: bytes) -> int:
        raise SerialLostError("gone")


async def test_a_lost_port_is_the_reader_s_affair() -> None:
    outbox = Outbox(LostPort())
    outbox.send(b"one")
    outbox.send(b"two")
    assert outbox.dropped_bytes == 6
