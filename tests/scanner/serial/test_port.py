"""A scanner on a pseudo-terminal, end to end: what is sent arrives, what is lost comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from admission.backoff import Backoff
from admission.reading import MAX_TEXT_LENGTH, Reading, Symbology
from scanner.errors import SerialError
from scanner.serial.framing import LineEnd, LineSettings
from scanner.serial.port import Port
from scanner.serial.simulated import Pacing, SimulatedScanner
from scanner.serial.source import SerialSource
from tests.worlds import ManualClock

BRISK = Backoff(first_s=0.002, ceiling_s=0.01)


class Bench:
    """A running source and what it delivered."""

    def __init__(self, path: str, settings: LineSettings | None = None) -> None:
        self.readings: list[Reading] = []
        self.clock = ManualClock()
        self._event = asyncio.Event()
        self.source = SerialSource(
            path,
            "serial-1",
            self._deliver,
            monotonic_ns=lambda: self.clock.monotonic_ns,
            draw=lambda: 0.5,
            settings=settings,
            backoff=BRISK,
            changed=lambda _up: self._event.set(),
        )

    def _deliver(self, reading: Reading) -> None:
        self.readings.append(reading)
        self._event.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._event.clear()
                await self._event.wait()

    @property
    def texts(self) -> list[str]:
        return [reading.text for reading in self.readings]


async def turning(condition: Callable[[], bool]) -> None:
    """Let the loop turn until what has no event of its own has happened."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def running(path: str, settings: LineSettings | None = None) -> AsyncIterator[Bench]:
    bench = Bench(path, settings)
    task = asyncio.create_task(bench.source.run())
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_two_hundred_codes_arrive_in_order() -> None:
    codes = [f"{n:012d}|NGUYEN VAN {n}|1990-01-01|0|{n}|<1<<" for n in range(200)]
    with SimulatedScanner(aim_identifier="]Q1") as scanner:
        async with running(scanner.path) as bench:
            await bench.until(lambda: bench.source.up)
            for code in codes:
                await scanner.send(code)
            await bench.until(lambda: len(bench.readings) == len(codes))
    assert bench.texts == codes
    assert {(r.symbology, r.source) for r in bench.readings} == {(Symbology.QR_CODE, "serial-1")}
    assert bench.source.statistics().readings == len(codes)


async def test_one_byte_at_a_time() -> None:
    async def turn_of_the_loop(_pause_s: float) -> None:
        await asyncio.sleep(0)

    scanner = SimulatedScanner(terminator=b"\r\n", pacing=Pacing(1, 1.0), pause=turn_of_the_loop)
    with scanner:
        async with running(scanner.path) as bench:
            await bench.until(lambda: bench.source.up)
            await scanner.send("Nguyễn Văn An")
            await bench.until(lambda: bool(bench.readings))
    assert bench.texts == ["Nguyễn Văn An"]


async def test_a_four_megabyte_text_is_one_oversized_reading() -> None:
    with SimulatedScanner() as scanner:
        async with running(scanner.path) as bench:
            await bench.until(lambda: bench.source.up)
            await scanner.send_bytes(b"x" * 4_000_000 + b"\r")
            await scanner.send("next")
            await bench.until(lambda: len(bench.readings) == 2)
    assert [len(text) for text in bench.texts] == [MAX_TEXT_LENGTH + 1, 4]
    assert bench.readings[0].oversized
    assert bench.source.statistics().oversized == 1


async def test_nul_bytes_reach_the_law() -> None:
    with SimulatedScanner() as scanner:
        async with running(scanner.path) as bench:
            await bench.until(lambda: bench.source.up)
            await scanner.send_bytes(b"\0A\0\r\0\r")
            await bench.until(lambda: len(bench.readings) == 2)
    assert bench.texts == ["\0A\0", "\0"]


async def test_unplugged_reports_down_and_comes_back(tmp_path: Path) -> None:
    with SimulatedScanner(link=tmp_path / "scanner") as scanner:
        async with running(scanner.path) as bench:
            await bench.until(lambda: bench.source.up)
            await scanner.send("before")
            await scanner.send_bytes(b"half a li")
            sent = len(b"before\rhalf a li")
            await turning(lambda: bench.source.statistics().bytes_received == sent)
            scanner.unplug()
            await bench.until(lambda: not bench.source.up)
            assert "lost" in bench.source.statistics().failure
            scanner.plug()
            await bench.until(lambda: bench.source.up)
            await scanner.send("after")
            await bench.until(lambda: len(bench.readings) == 2)
    assert bench.texts == ["before", "after"]
    statistics = bench.source.statistics()
    assert (statistics.openings, statistics.readings, statistics.abandoned) == (2, 2, 1)


async def test_silence_ends_a_line_without_suffix() -> None:
    settings = LineSettings(end=LineEnd.GAP, gap_s=0.01)
    with SimulatedScanner(terminator=b"") as scanner:
        async with running(scanner.path, settings) as bench:
            await bench.until(lambda: bench.source.up)
            await scanner.send("first")
            await turning(lambda: bench.source.statistics().bytes_received == 5)
            stamp = bench.clock.monotonic_ns
            bench.clock.advance(0.02)
            await bench.until(lambda: bool(bench.readings))
    assert bench.texts == ["first"]
    assert bench.readings[0].captured_ns == stamp


async def test_an_absent_port_is_waited_for(tmp_path: Path) -> None:
    link = tmp_path / "scanner"
    async with running(str(link)) as bench:
        await turning(lambda: bool(bench.source.statistics().failure))
        assert not bench.source.up
        with SimulatedScanner(link=link) as scanner:
            await bench.until(lambda: bench.source.up)
            await scanner.send("there")
            await bench.until(lambda: bool(bench.readings))


async def test_a_port_in_use_is_not_shared() -> None:
    with SimulatedScanner() as scanner:
        async with running(scanner.path) as first:
            await first.until(lambda: first.source.up)
            async with running(scanner.path) as second:
                await turning(lambda: bool(second.source.statistics().failure))
                assert not second.source.up


@pytest.mark.parametrize(
    "baud", [9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 250_000, 460_800, 921_600]
)
def test_every_usual_rate_can_be_set_and_some_unusual(baud: int) -> None:
    with SimulatedScanner() as scanner:
        port = Port(scanner.path, baud)
        assert port.read() == b""
        port.close()


def test_a_rate_that_is_none_is_refused_with_what_to_do() -> None:
    with SimulatedScanner() as scanner, pytest.raises(SerialError) as refusal:
        Port(scanner.path, -1)
    assert "baud" in refusal.value.hint


async def test_cancelling_closes_the_port() -> None:
    with SimulatedScanner() as scanner:
        before = open_descriptors()
        async with running(scanner.path) as bench:
            await bench.until(lambda: bench.source.up)
            assert open_descriptors() > before
        assert open_descriptors() == before
        assert not bench.source.up


async def test_what_deliver_raises_ends_the_run() -> None:
    def refuse(_reading: Reading) -> None:
        raise LookupError("no room")

    with SimulatedScanner() as scanner:
        source = SerialSource(
            scanner.path, "s", refuse, monotonic_ns=lambda: 0, draw=lambda: 0.0, backoff=BRISK
        )
        task = asyncio.create_task(source.run())
        await turning(lambda: source.up)
        await scanner.send("x")
        with pytest.raises(LookupError):
            await asyncio.wait_for(task, 10)


@pytest.mark.parametrize(
    ("name", "why"), [("absent", "is not there"), ("file", "is no serial port"), ("", "is no ser")]
)
def test_a_path_that_is_no_port_is_said_in_a_few_words(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SerialError) as refusal:
        Port(str(tmp_path / name), 9600)
    assert str(refusal.value).startswith(f"{tmp_path / name} {why}")
    assert "rrno" not in str(refusal.value)
    assert "/dev/serial/by-id" in refusal.value.hint
