"""Exactly the sources whose device was announced are told of it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from admission.backoff import Backoff
from admission.reading import Reading
from appliance.outlook import _source
from appliance.plugging import Plugging
from appliance.serial_table import SerialSourceTable
from appliance.sources import open_source
from scanner.errors import HotplugError
from scanner.hotplug import Announcement, Monitor
from scanner.serial.simulated import SimulatedScanner
from tests.scanner.test_hotplug import CAMERA, MemoryMonitor, camera


class MemorySource:
    """Notes what it is told of its device."""

    alive = up = True
    failure = ""
    frames_dropped = frames_bad = None

    def statistics(self) -> None:
        return None

    def __init__(self, name: str, device: str) -> None:
        self.name = name
        self.device = device
        self.told: list[str] = []

    def plugged(self) -> None:
        self.told.append("plugged")

    def unplugged(self) -> None:
        self.told.append("unplugged")

    async def run(self) -> None: ...


def plugging(sources: list[MemorySource], open_monitor: Callable[[], Monitor]) -> Plugging:
    return Plugging(sources, draw=lambda: 0.0, open_monitor=open_monitor)


async def run_until(subject: Plugging, condition: Callable[[], bool]) -> None:
    task = asyncio.create_task(subject.run())
    try:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is told has no event
                await asyncio.sleep(0)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_only_the_source_of_the_device_is_told(tmp_path: Path) -> None:
    own_link = tmp_path / "door-camera"
    own_link.symlink_to("/dev/video0")
    sources = [
        MemorySource("by id", CAMERA),
        MemorySource("by node", "/dev/video0"),
        MemorySource("by a link of somebody's own", str(own_link)),
        MemorySource("another", "/dev/video2"),
        MemorySource("none", ""),
    ]
    monitor = MemoryMonitor(camera(), Announcement(True, frozenset()), camera(appeared=False))
    subject = plugging(sources, lambda: monitor)
    await run_until(subject, lambda: len(sources[2].told) == 2)
    assert [source.told for source in sources] == [["plugged", "unplugged"]] * 3 + [[], []]


async def test_what_may_have_been_missed_wakes_everybody() -> None:
    sources = [MemorySource("camera", CAMERA), MemorySource("hand", "/dev/ttyACM0")]
    monitors = [MemoryMonitor(), MemoryMonitor(HotplugError("the queue overflowed"))]
    subject = plugging(sources, monitors.pop)
    subject._hotplug._backoff = Backoff(0.001, 0.001)
    await run_until(subject, lambda: bool(sources[1].told))
    assert [source.told for source in sources] == [["plugged"], ["plugged"]]
    assert subject.finding().facts["listening"] is True


async def test_a_machine_that_announces_nothing_is_no_fault_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = 0

    def refuse() -> Monitor:
        nonlocal asked
        asked += 1
        raise HotplugError("no udev daemon runs here")

    subject = plugging([MemorySource("camera", CAMERA)], refuse)
    subject._hotplug._backoff = Backoff(0.001, 0.001)
    with caplog.at_level(logging.INFO):
        await run_until(subject, lambda: asked > 3)
    finding = subject.finding()
    assert finding.ok
    assert finding.facts == {"listening": False, "reason": "no udev daemon runs here"}
    said = [record for record in caplog.records if record.name == "appliance.plugging"]
    assert [record.levelname for record in said] == ["INFO"]


async def test_a_scanner_that_comes_back_is_read_without_a_pause(tmp_path: Path) -> None:
    link = tmp_path / "usb-Newland_FM430-if00"
    readings: asyncio.Queue[Reading] = asyncio.Queue()
    source = open_source(
        SerialSourceTable("hand", str(link)),
        readings.put_nowait,
        monotonic_ns=time.monotonic_ns,
        rng=random.Random(1),
    )
    source._source._reader._backoff = Backoff(3600.0, 3600.0)  # type: ignore[attr-defined]
    monitor = MemoryMonitor()
    subject = Plugging([source], draw=lambda: 0.0, open_monitor=lambda: monitor)
    running = [asyncio.create_task(work) for work in (source.run(), subject.run())]
    async with asyncio.timeout(10):
        while not source.failure:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
        assert str(link) in source.failure, "a technician must learn which one is missing"
        with SimulatedScanner(link=link) as scanner:
            monitor.put(Announcement(True, frozenset({"/dev/ttyACM0", str(link)})))
            while not source.up:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0)
            await scanner.send("hello")
            assert (await readings.get()).text == "hello"
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def test_health_names_the_device_that_is_missing() -> None:
    source = MemorySource("hand", "/dev/serial/by-id/usb-Newland_FM430-if00")
    source.up = False
    finding = _source(source)
    assert not finding.ok
    assert finding.why == "not open yet"
    assert finding.facts == {"device": "/dev/serial/by-id/usb-Newland_FM430-if00"}
    assert _source(MemorySource("scenes", "")).facts == {}
