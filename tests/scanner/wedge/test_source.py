"""A wedge through the whole door: typed codes arrive once and whole, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Self

import pytest

from admission.backoff import Backoff
from admission.reading import MAX_TEXT_LENGTH, Reading, Symbology
from scanner.errors import FramingError, KeypadError
from scanner.input_events import EVENT, READ_BYTES
from scanner.wedge.layouts import LayoutName
from scanner.wedge.settings import WedgeEnd, WedgeSettings
from scanner.wedge.simulated import SimulatedKeyboard
from scanner.wedge.source import WedgeSource
from scanner.wedge.typist import AltNumbers, Typist

CODE = "HC1:6BF+70790T9WJWG.FKY*4GO0.O1CV2 O5 N2FBBRW1*70HS8WY04AC*WIFN0"


class Bench:
    """A wedge source beside a simulated keyboard; a context manager that runs it."""

    def __init__(self, keyboard: SimulatedKeyboard, **settings: object) -> None:
        self.readings: list[Reading] = []
        self.keyboard = keyboard
        self.source = WedgeSource(
            "/dev/input/by-id/usb-scanner-event-kbd",
            "hand",
            self.readings.append,
            monotonic_ns=time.monotonic_ns,
            draw=lambda: 0.0,
            settings=WedgeSettings(**settings),  # type: ignore[arg-type]
            backoff=Backoff(0.001, 0.002),
            open_device=keyboard.open_device,
        )

    async def __aenter__(self) -> Self:
        self.keyboard.plug()
        self._task = asyncio.create_task(self.source.run())
        await self.turning(lambda: self.source.up)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.keyboard.unplug()

    async def turning(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0)

    async def texts(self, count: int) -> list[str]:
        await self.turning(lambda: len(self.readings) >= count)
        return [reading.text for reading in self.readings]


@pytest.mark.parametrize("layout", LayoutName)
async def test_codes_arrive_whole_and_in_order(layout: LayoutName) -> None:
    keyboard = SimulatedKeyboard(Typist(layout), aim_identifier="]Q3")
    async with Bench(keyboard, layout=layout) as bench:
        for code in (CODE, "{^~`}", CODE[:9]):
            await keyboard.scan(code)
        assert await bench.texts(3) == [CODE, "{^~`}", CODE[:9]]
        assert {reading.symbology for reading in bench.readings} == {Symbology.QR_CODE}


async def test_a_vietnamese_name_arrives_by_number() -> None:
    keyboard = SimulatedKeyboard(Typist(LayoutName.US, AltNumbers.BYTES), terminator="\t")
    async with Bench(keyboard, end=WedgeEnd.TAB) as bench:
        await keyboard.scan("079200000123|Nguyễn Thị Ánh")
        assert await bench.texts(1) == ["079200000123|Nguyễn Thị Ánh"]
        assert bench.readings[0].symbology is Symbology.UNSTATED


async def test_without_a_terminator_silence_ends_a_code() -> None:
    keyboard = SimulatedKeyboard(Typist(LayoutName.DE), terminator="")
    async with Bench(keyboard, end=WedgeEnd.NONE, gap_s=0.02, layout=LayoutName.DE) as bench:
        await keyboard.scan("12345^")
        assert await bench.texts(1) == ["12345^"]


async def test_an_accent_that_waits_belongs_to_the_code_that_silence_ends() -> None:
    keyboard = SimulatedKeyboard(Typist(LayoutName.DE), terminator="")
    async with Bench(keyboard, end=WedgeEnd.NONE, gap_s=0.02, layout=LayoutName.DE) as bench:
        await keyboard.send(EVENT.pack(0, 0, 1, 2, 1) + EVENT.pack(0, 0, 1, 41, 1))
        assert await bench.texts(1) == ["1^"]
        await keyboard.scan("e")
        assert await bench.texts(2) == ["1^", "e"]


async def test_half_a_code_before_an_unplugging_is_dropped() -> None:
    keyboard = SimulatedKeyboard(terminator="")
    async with Bench(keyboard) as bench:
        await keyboard.scan("HALF")
        await bench.turning(lambda: bench.source._framer.pending)
        keyboard.unplug()
        await bench.turning(lambda: not bench.source.up)
        assert "ended" in bench.source.statistics().failure
        keyboard.plug()
        await bench.turning(lambda: bench.source.up)
        await keyboard.scan("WHOLE\r")
        assert await bench.texts(1) == ["WHOLE"]
        assert bench.source.statistics().abandoned == 1
        assert bench.source.statistics().openings == 2


async def test_a_code_of_which_events_were_lost_is_dropped_to_its_end() -> None:
    keyboard = SimulatedKeyboard(terminator="")
    async with Bench(keyboard) as bench:
        await keyboard.scan("0123")
        await keyboard.overflow()
        await keyboard.scan("6789\r")
        await keyboard.scan("next\r")
        assert await bench.texts(1) == ["next"]


async def test_a_gigabyte_without_an_end_is_one_oversized_reading() -> None:
    # A thousandth of it here; what matters is that nothing grows once the limit is reached.
    keyboard = SimulatedKeyboard(terminator="")
    async with Bench(keyboard) as bench:
        flood = EVENT.pack(0, 0, 1, 30, 1) * 40_000
        await keyboard.send(flood)
        (text,) = await bench.texts(1)
        assert text == "a" * (MAX_TEXT_LENGTH + 1)
        await keyboard.scan("\rnext\r")
        assert (await bench.texts(2))[1] == "next"
        assert bench.source.statistics().oversized == 1


async def test_a_flood_from_one_keyboard_leaves_turns_for_others() -> None:
    with SimulatedKeyboard() as keyboard:
        device = keyboard.open_device("a keyboard")
        await keyboard.send(EVENT.pack(0, 0, 1, 30, 1) * 2000)
        assert len(device.read()) == READ_BYTES
        device.close()


def test_a_keyboard_that_is_unplugged_cannot_be_opened() -> None:
    with pytest.raises(KeypadError) as caught:
        SimulatedKeyboard().open_device("a keyboard")
    assert caught.value.hint


def test_a_typist_cannot_type_what_its_keyboard_lacks() -> None:
    with pytest.raises(KeypadError, match=r"U\+1EC5"):
        Typist().typed("Nguyễn")


@pytest.mark.parametrize("gap_s", [0, 61])
def test_silences_have_bounds(gap_s: float) -> None:
    with pytest.raises(FramingError):
        WedgeSettings(gap_s=gap_s)
