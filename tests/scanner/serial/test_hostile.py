"""Scanners that stutter, dawdle or never end: memory and the loop's turn stay bounded."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from admission.reading import MAX_TEXT_LENGTH
from scanner.serial.framing import LineEnd, LineSettings
from scanner.serial.profiles import PROFILES
from scanner.serial.simulated import SimulatedScanner
from tests.scanner.serial.talking import talking, until

FLOOD_BYTES = 8_000_000
FLOODS = {
    "no end": b"x" * 65_536,
    "texts": b"0123456789\r" * 6_000,
    "packets that are none": b"\xff\xf3\x00\x00" * 16_384,
    "half envelopes": b"\x02half" * 13_000,
    "replies": bytes.fromhex("02000001003331") * 9_000,
    "noise": bytes(range(256)) * 256,
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("profile", ["generic", "zebra-ssi", "gm65", "newland"])
async def test_a_flood_takes_no_memory_and_another_scanner_is_read_meanwhile(
    profile: str, flood: str
) -> None:
    piece = FLOODS[flood]
    with SimulatedScanner() as endless, SimulatedScanner() as other:
        async with (
            talking(endless.path, profile) as flooded,
            talking(other.path, "generic") as calm,
        ):
            await until(lambda: flooded.source.up and calm.source.up)

            async def pour() -> None:
                for _ in range(FLOOD_BYTES // 16 // len(piece)):
                    await endless.send_bytes(piece)

            pouring = asyncio.create_task(pour())
            while not pouring.done():
                read = len(calm.readings)
                await other.send("calm")
                await until(lambda r=read: len(calm.readings) > r)  # type: ignore[misc]
                flooded.readings.clear()
            await pouring
    assert set(calm.texts) == {"calm"}


@pytest.mark.parametrize("end", LineEnd)
async def test_an_endless_text_keeps_memory_level_and_the_next_text_is_read(end: LineEnd) -> None:
    settings = LineSettings(end=end, gap_s=0.01, abandon_s=0.01)
    with SimulatedScanner(terminator=b"") as scanner:
        async with talking(scanner.path, "generic", settings=settings) as talk:
            await until(lambda: talk.source.up)
            await scanner.send_bytes(b"\x02")
            tracemalloc.start()
            piece = b"x" * 65_536
            for _ in range(FLOOD_BYTES // len(piece)):
                await scanner.send_bytes(piece)
            sent = 1 + FLOOD_BYTES // len(piece) * len(piece)
            await until(lambda: talk.source.statistics().bytes_received == sent)
            _, peak_bytes = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak_bytes < 2_000_000
            assert [len(text) for text in talk.texts] == [MAX_TEXT_LENGTH + 1]
            talk.clock.advance(60)
            await until(lambda: not talk.source._talk.dialogue.pending)  # type: ignore[union-attr]
            marks = {LineEnd.LF: b"\n", LineEnd.CRLF: b"\r\n", LineEnd.TAB: b"\t"}
            before = b"\x02" if end is LineEnd.ETX else b""
            after = {LineEnd.ETX: b"\x03", LineEnd.GAP: b""} | marks
            await scanner.send_bytes(before + b"next" + after.get(end, b"\r"))
            if end is LineEnd.GAP:
                received = sent + 4
                await until(lambda: talk.source.statistics().bytes_received == received)
                talk.clock.advance(60)
            await until(lambda: talk.texts[-1] == "next")


async def test_one_byte_a_second_is_a_text_and_a_longer_pause_is_the_end_of_it() -> None:
    with SimulatedScanner() as scanner:
        async with talking(scanner.path, "generic") as talk:
            await until(lambda: talk.source.up)
            for number, byte in enumerate(b"slow\r", 1):
                await scanner.send_bytes(bytes([byte]))
                await until(lambda n=number: talk.source.statistics().bytes_received == n)  # type: ignore[misc]
                talk.clock.advance(1)
            await until(lambda: talk.texts == ["slow"])


async def test_a_scanner_that_never_reads_holds_nobody_up() -> None:
    with SimulatedScanner() as deaf:
        async with talking(deaf.path, "honeywell") as talk:
            await until(lambda: talk.source.up)
            for _ in range(20_000):
                talk.source.acknowledge(good=True)
            await deaf.send("still read")
            await until(lambda: talk.texts == ["still read"])
            assert talk.source.statistics().unsent_bytes > 0


def test_every_profile_bounds_what_it_keeps() -> None:
    for profile in PROFILES.values():
        dialogue = profile.dialogue()
        for number in range(64):
            for piece in FLOODS.values():
                dialogue.feed(piece[:4096], number)
                assert len(dialogue.take()) <= 64 * 1024
