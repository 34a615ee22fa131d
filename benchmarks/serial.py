"""A scanner's line to a reading: our source beside a bare reader and pyserial's `read_until`.

Each line goes to all three in turn, each on a pseudo-terminal of its own, so that they share the
weather of one run. Counted is the time from the line's being written until it is there: `deliver`
was called, the bare reader has all of its bytes, `read_until` has returned in its thread.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import msgspec
import serial
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from admission.reading import Reading
from benchmarks.percentiles import Percentiles, percentiles
from scanner.serial.port import Port
from scanner.serial.simulated import SimulatedScanner
from scanner.serial.source import SerialSource

TEXT = b"079123456789|Nguy\xe1\xbb\x85n V\xc4\x83n An|1990-01-01|"
LINE_BYTES = 306
LINE = TEXT.ljust(LINE_BYTES - 1, b"7") + b"\r"
WARM_UP = 50
TIMEOUT_S = 10.0
SETTLE_S = 0.0005
"""Until the peer's thread waits for its next line again, rather than for the interpreter."""


class SerialFigures(msgspec.Struct, frozen=True):
    """What `chot bench serial --json` prints. Microseconds, from written to there."""

    lines: int
    line_bytes: int
    reading_us: Percentiles
    """Our source: the reading was delivered."""
    own_us: Percentiles
    """...of which ours: since its last bytes were read. The rest is the kernel's and the loop's."""
    floor_us: Percentiles
    """The loop's reader and `read` alone: what no source on this loop and machine can undercut."""
    read_until_us: Percentiles
    """pyserial's `read_until` in a thread."""
    peer_ratio: float
    """Median of `read_until` over ours."""
    floor_ratio: float
    """Median of ours over the floor's."""


class _Arrival:
    """One receiver of lines: when the last one was there, and how to wait for it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[int] = self._loop.create_future()
        self.samples: list[float] = []

    async def time_one(self) -> None:
        """Write a line and note the microseconds until it is there."""
        self._waiter = self._loop.create_future()
        self._write(LINE)
        written_ns = time.perf_counter_ns()
        async with asyncio.timeout(TIMEOUT_S):
            self.samples.append((await self._waiter - written_ns) / 1e3)

    def there(self) -> None:
        """Say on the loop that a line is there."""
        self._arrived(time.perf_counter_ns())

    def there_in_thread(self) -> None:
        """Say on another thread that a line is there; telling the loop is not counted."""
        self._loop.call_soon_threadsafe(self._arrived, time.perf_counter_ns())

    def _arrived(self, at_ns: int) -> None:
        if not self._waiter.done():
            self._waiter.set_result(at_ns)


async def measure(lines: int, progress: Callable[[int], None]) -> SerialFigures:
    """Time `lines` lines on each of the three.

    :param progress: called with the number of lines done.
    """
    with SimulatedScanner() as ours, SimulatedScanner() as bare, SimulatedScanner() as peers:
        reading = _Arrival(_writer(ours))
        floor = _Arrival(_writer(bare))
        peer = _Arrival(_writer(peers))
        up = asyncio.Event()
        own: list[float] = []
        read_ns = 0

        def deliver(_reading: Reading) -> None:
            reading.there()
            own.append((time.perf_counter_ns() - read_ns) / 1e3)

        class StampedPort(Port):
            def read(self) -> bytes:
                nonlocal read_ns
                data = super().read()
                read_ns = time.perf_counter_ns()
                return data

        source = SerialSource(
            ours.path,
            "bench",
            deliver,
            monotonic_ns=time.monotonic_ns,
            draw=lambda: 0.0,
            changed=lambda _up: up.set(),
            open_port=StampedPort,
        )
        running = asyncio.create_task(source.run())
        await asyncio.wait_for(up.wait(), TIMEOUT_S)
        with _bare_reader(bare.path, floor), _read_until(peers.path, peer):
            for number in range(WARM_UP + lines):
                await peer.time_one()
                await asyncio.sleep(SETTLE_S)
                for each in (reading, floor) if number % 2 else (floor, reading):
                    await each.time_one()
                progress(max(0, number + 1 - WARM_UP))
        running.cancel()
        await asyncio.wait([running])
    found = [percentiles(each.samples[WARM_UP:], digits=1) for each in (reading, floor, peer)]
    return SerialFigures(
        lines=lines,
        line_bytes=LINE_BYTES,
        reading_us=found[0],
        own_us=percentiles(own[WARM_UP:], digits=1),
        floor_us=found[1],
        read_until_us=found[2],
        peer_ratio=round(found[2].p50 / found[0].p50, 2),
        floor_ratio=round(found[0].p50 / found[1].p50, 2),
    )


def _writer(scanner: SimulatedScanner) -> Callable[[bytes], object]:
    master = scanner.master
    return lambda data: os.write(master, data)


@contextmanager
def _bare_reader(path: str, floor: _Arrival) -> Iterator[None]:
    port, loop = Port(path, 9600), asyncio.get_running_loop()
    received = 0

    def read() -> None:
        nonlocal received
        received += len(os.read(port.fileno(), 4096))
        if received >= LINE_BYTES:
            received = 0
            floor.there()

    loop.add_reader(port.fileno(), read)
    try:
        yield
    finally:
        loop.remove_reader(port.fileno())
        port.close()


@contextmanager
def _read_until(path: str, peer: _Arrival) -> Iterator[None]:
    port = serial.Serial(path, 9600, timeout=0.2)
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            if port.read_until(b"\r").endswith(b"\r"):
                peer.there_in_thread()

    thread = threading.Thread(target=read, name="read_until", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        port.close()


@click.command("serial")
@click.option("--lines", default=2_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def serial_line(*, lines: int, as_json: bool) -> None:
    """One line of a serial scanner to its reading, beside pyserial's read_until."""
    with Progress(console=Console(stderr=True), disable=as_json, transient=True) as progress:
        task = progress.add_task("lines", total=lines)
        figures = uvloop.run(measure(lines, lambda done: progress.update(task, completed=done)))
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        Console().print(_table(figures))


def _table(figures: SerialFigures) -> Table:
    table = Table(title=f"{figures.lines:,} lines of {figures.line_bytes} bytes")
    for heading in ("written until there", "p50 µs", "p99 µs"):
        table.add_column(heading, justify="left" if heading.startswith("w") else "right")
    for name, found in (
        ("reading delivered", figures.reading_us),
        ("  of which since it was read", figures.own_us),
        ("floor: bare reader", figures.floor_us),
        ("peer: read_until in a thread", figures.read_until_us),
    ):
        table.add_row(name, f"{found.p50:.1f}", f"{found.p99:.1f}")
    table.caption = (
        f"{figures.floor_ratio} × the floor; read_until takes {figures.peer_ratio} × as long"
    )
    return table
