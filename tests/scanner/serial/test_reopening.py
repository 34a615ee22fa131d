"""Reopening: losses end in another attempt, mistakes end the run, pauses stay in their bounds."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from admission.backoff import Backoff
from scanner.errors import SerialError, SerialLostError
from scanner.serial.reopening import DeviceReader


class PipeDevice:
    """The reading end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.closed = False

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> bytes:
        try:
            data = os.read(self._descriptor, 16)
        except BlockingIOError:
            return b""
        if not data:
            raise SerialLostError("the pipe has ended")
        return data

    def close(self) -> None:
        self.closed = True
        os.close(self._descriptor)


class Bench:
    def __init__(self, open_device: Callable[[], PipeDevice]) -> None:
        self.log: list[object] = []
        self.event = asyncio.Event()
        self.reader = DeviceReader(
            open_device,
            opened=lambda: self._note("opened"),
            received=lambda data, _now_ns: self._note(data),
            quiet=lambda _now_ns: self._note("quiet"),
            quiet_s=0.001,
            monotonic_ns=time.monotonic_ns,
            draw=lambda: 0.0,
            backoff=Backoff(0.001, 0.002),
            changed=self._note,
        )

    def _note(self, what: object) -> None:
        self.log.append(what)
        self.event.set()

    async def run_until(self, condition: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.reader.run())
        try:
            async with asyncio.timeout(10):
                while not condition():
                    self.event.clear()
                    await self.event.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def a_pipe() -> tuple[PipeDevice, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    return PipeDevice(reader), writer


async def test_bytes_then_silence_then_loss_then_again() -> None:
    first, first_writer = a_pipe()
    second, second_writer = a_pipe()
    devices = [second, first]
    bench = Bench(devices.pop)
    os.write(first_writer, b"abc")

    def hang_up_after_silence() -> bool:
        if bench.log[-1:] == ["quiet"]:
            os.close(first_writer)
        return bench.log.count("opened") == 2

    await bench.run_until(hang_up_after_silence)
    os.close(second_writer)
    assert bench.log == ["opened", True, b"abc", "quiet", False, "opened", True, False]
    assert first.closed
    assert second.closed
    assert "ended" in str(bench.reader.failure)
    assert bench.reader.openings == 2


async def test_a_loop_that_was_held_up_reads_before_it_judges_silence() -> None:
    device, writer = a_pipe()
    bench = Bench(lambda: device)
    note = bench._note

    def held_up(data: bytes, _now_ns: int) -> None:
        note(data)
        if data == b"first":
            os.write(writer, b"second")
            time.sleep(0.02)

    bench.reader._received = held_up
    os.write(writer, b"first")
    await bench.run_until(lambda: "quiet" in bench.log)
    os.close(writer)
    assert bench.log[2:5] == [b"first", b"second", "quiet"]


async def test_no_silence_before_the_first_bytes() -> None:
    device, writer = a_pipe()
    bench = Bench(lambda: device)
    task = asyncio.create_task(bench.run_until(lambda: b"x" in bench.log))
    await asyncio.sleep(0)
    os.write(writer, b"x")
    await task
    os.close(writer)
    assert "quiet" not in bench.log[: bench.log.index(b"x")]


async def test_a_failed_opening_is_tried_again() -> None:
    device, writer = a_pipe()
    absences = [SerialError("absent"), SerialError("absent")]

    def open_device() -> PipeDevice:
        if absences:
            raise absences.pop()
        return device

    bench = Bench(open_device)
    await bench.run_until(lambda: bench.reader.up)
    os.close(writer)
    assert bench.log[:2] == ["opened", True]


async def test_a_plain_file_is_a_failure_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12\n")
    bench = Bench(lambda: PipeDevice(os.open(tmp_path / "file", os.O_RDONLY)))
    await bench.run_until(lambda: bench.reader.openings > 1)
    assert "plain file" in str(bench.reader.failure)


@pytest.mark.parametrize("failing", ["opened", "received", "quiet", "changed"])
async def test_an_owner_s_mistake_ends_the_run(failing: str) -> None:
    device, writer = a_pipe()
    bench = Bench(lambda: device)

    def fail(*_: object) -> None:
        raise LookupError(failing)

    setattr(bench.reader, f"_{failing}", fail)
    os.write(writer, b"x")
    with pytest.raises(LookupError, match=failing):
        await asyncio.wait_for(bench.reader.run(), 10)
    os.close(writer)
    assert device.closed


class NotedPauses:
    """A backoff that notes the failures before each pause, and has none or a very long one.

    `during` is called once the long one has begun.
    """

    ceiling_s = 3600.0

    def __init__(self, during: Callable[[], None] | None = None) -> None:
        self.asked: list[int] = []
        self._during = during

    def delay_s(self, failures: int, _draw: float) -> float:
        self.asked.append(failures)
        if self._during is None:
            return 0.0
        asyncio.get_running_loop().call_soon(self._during)
        return 3600.0


async def test_an_announced_device_is_tried_at_once_and_its_pauses_begin_anew() -> None:
    device, writer = a_pipe()
    absences = [SerialError("no permission yet")] * 4

    def open_device() -> PipeDevice:
        if absences:
            raise absences.pop()
        return device

    bench = Bench(open_device)
    pauses = NotedPauses(bench.reader.plugged)
    bench.reader._backoff = pauses  # type: ignore[assignment]
    await bench.run_until(lambda: bench.reader.up)
    os.close(writer)
    assert pauses.asked == [1, 1, 1, 1]


@pytest.mark.parametrize(("sent", "expected"), [(b"", [1, 2, 3, 4]), (b"x", [1, 1, 1, 1])])
async def test_a_device_that_spoke_in_between_is_tried_again_quickly(
    sent: bytes, expected: list[int]
) -> None:
    def flap() -> PipeDevice:
        device, writer = a_pipe()
        os.write(writer, sent)
        os.close(writer)
        return device

    bench = Bench(flap)
    pauses = NotedPauses()
    bench.reader._backoff = pauses  # type: ignore[assignment]
    await bench.run_until(lambda: bench.log.count("opened") >= 5)
    assert pauses.asked[:4] == expected
