"""Terminals and keyboards: bytes and events become the keys that were pressed."""

from __future__ import annotations

import asyncio
import os
import struct
import termios
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from admission.backoff import Backoff
from admission.reading import Reading, Symbology
from scanner.keypad import (
    EventKeys,
    KeypadSource,
    TerminalKeys,
    open_terminal,
)
from scanner.keystrokes import Key
from tests.worlds import ManualClock


def event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 1, 2, kind, code, value)


@settings(deadline=None)
@given(st.data())
def test_events_may_be_cut_anywhere(data: st.DataObject) -> None:
    presses = data.draw(st.lists(st.sampled_from([2, 11, 28, 79, 82, 0x205, 30, 300]), max_size=20))
    stream = b"".join(
        event(1, code, value) + event(0, 0, 0) for code in presses for value in (1, 2, 0)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    whole = EventKeys().keys(stream)
    pieces = EventKeys()
    assert whole == [
        key
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for key in pieces.keys(stream[start:end])
    ]
    known = {2: "1", 11: "0", 28: "enter", 79: "1", 82: "0", 0x205: "5"}
    assert [key.value for key in whole] == [known[code] for code in presses if code in known]


def test_lost_events_clear_what_was_typed() -> None:
    assert EventKeys().keys(event(1, 3, 1) + event(0, 3, 0)) == [Key.DIGIT_2, Key.CLEAR]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_upset_the_decoders(data: bytes) -> None:
    for key in TerminalKeys().keys(data) + EventKeys().keys(data):
        assert isinstance(key, Key)


class Bench:
    def __init__(self, descriptor: int) -> None:
        self.readings: list[Reading] = []
        self.clock = ManualClock()
        self.source = KeypadSource(
            lambda: open_terminal(descriptor),
            TerminalKeys,
            "keypad-1",
            self.readings.append,
            monotonic_ns=lambda: self.clock.monotonic_ns,
            draw=lambda: 0.0,
            clear_after_s=0.01,
            backoff=Backoff(0.001, 0.001),
        )

    async def turning(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0)


async def test_a_terminal_gives_typed_readings_and_is_restored() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    bench = Bench(slave)
    task = asyncio.create_task(bench.source.run())
    try:
        await bench.turning(lambda: bench.source.up)
        os.write(master, b"12x3\x7f4\n")
        await bench.turning(lambda: bool(bench.readings))
        assert [r.text for r in bench.readings] == ["124"]
        assert bench.readings[0].symbology is Symbology.TYPED
        assert os.get_blocking(slave), "what is drawn on the same terminal relies on it"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert termios.tcgetattr(slave) == before
        os.close(slave)
        os.close(master)


async def test_silence_forgets_half_a_code() -> None:
    reader, writer = os.pipe()
    bench = Bench(reader)
    task = asyncio.create_task(bench.source.run())
    try:
        await bench.turning(lambda: bench.source.up)
        os.write(writer, b"77")
        await bench.turning(lambda: bool(bench.source._keystrokes._digits))
        bench.clock.advance(1)
        await bench.turning(lambda: not bench.source._keystrokes._digits)
        os.write(writer, b"8\n")
        await bench.turning(lambda: bool(bench.readings))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        os.close(reader)
        os.close(writer)
    assert [r.text for r in bench.readings] == ["8"]


async def test_a_plain_file_is_a_failure_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"1\n")
    with path.open("rb") as file:
        bench = Bench(file.fileno())
        task = asyncio.create_task(bench.source.run())
        await bench.turning(lambda: bool(bench.source.statistics().failure))
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
