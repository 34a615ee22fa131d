"""The scanner that read a code is told how it was judged; nobody else is, and nobody waits."""

from __future__ import annotations

import asyncio
import random
import time

import msgspec
import pytest

from admission.credential import UNRECOGNISED
from admission.reading import Reading
from admission.verdict import Outcome, Reason, Verdict
from appliance.feedback import Feedback
from appliance.observation import Scan
from appliance.serial_table import SerialSourceTable
from appliance.sources import PortDoor, ScannerDoor, open_source
from scanner.serial.simulated import SimulatedDevice
from scanner.serial.simulated.device import MODELS
from scanner.serial.simulated.model import Sign
from tests.scanner.serial.talking import until
from tests.worlds import a_reading


class Told(ScannerDoor):
    def __init__(self, name: str) -> None:
        self._name = name
        self.told: list[bool] = []

    @property
    def name(self) -> str:
        return self._name

    def acknowledge(self, *, good: bool) -> None:
        self.told.append(good)


class Deaf(PortDoor):
    def __init__(self) -> None: ...


def a_scan(outcome: Outcome, source: str) -> Scan:
    reading = msgspec.structs.replace(a_reading("42"), source=source)
    shown = Verdict(outcome, (Reason.FAULT,))
    admitted = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,))
    return Scan("in", reading, UNRECOGNISED, admitted, 1, shown, lit=True, stamps_ns=(1, 2, 3, 4))


async def test_from_a_configuration_to_the_beep() -> None:
    readings: asyncio.Queue[Reading] = asyncio.Queue()
    with SimulatedDevice(MODELS["honeywell"]()) as device:
        table = SerialSourceTable("hand", device.path, profile="honeywell")
        source = open_source(
            table, readings.put_nowait, monotonic_ns=time.monotonic_ns, rng=random.Random(1)
        )
        running = asyncio.create_task(source.run())
        feedback = Feedback()
        feedback.add([source])
        await until(lambda: source.up)
        for outcome in (Outcome.ADMIT, Outcome.REFUSE):
            await device.present("42")
            reading = await asyncio.wait_for(readings.get(), 10)
            feedback.scanned(a_scan(outcome, reading.source))
            await until(lambda: not device.model.suspended)  # type: ignore[attr-defined]
        running.cancel()
        await asyncio.wait([running])
    assert device.model.signs == [Sign.GOOD, Sign.BAD, Sign.BAD]


@pytest.mark.parametrize("outcome", Outcome)
def test_it_hears_what_people_were_shown(outcome: Outcome) -> None:
    feedback, reader, other = Feedback(), Told("hand"), Told("other")
    feedback.add([reader, Deaf(), other])
    feedback.scanned(a_scan(outcome, "hand"))
    assert reader.told == [outcome is Outcome.ADMIT]
    assert other.told == []


def test_other_sources_and_other_news_are_told_to_no_scanner() -> None:
    feedback, reader = Feedback(), Told("hand")
    feedback.add([reader])
    feedback.scanned(a_scan(Outcome.ADMIT, "camera"))
    feedback.repeated("in")
    feedback.turned_away("in")
    feedback.failed("in", "journal", OSError())
    assert reader.told == []
