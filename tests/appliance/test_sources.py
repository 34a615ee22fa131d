"""From a table of the configuration to a running source, and its end."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from pathlib import Path

import pytest

from admission.reading import Reading
from appliance.camera_door import CameraDoor, SourceDied
from appliance.camera_table import CameraSourceTable
from appliance.config import (
    KeypadSourceTable,
    ScenesSourceTable,
    SourceTable,
)
from appliance.errors import ConfigError
from appliance.scenes import read_samples
from appliance.serial_table import SerialSourceTable
from appliance.sources import open_source
from appliance.wedge_table import WedgeSourceTable
from scanner.camera.port import Frame
from scanner.recording import Recorder
from scanner.replay import RecordedCamera
from scanner.serial.simulated import SimulatedScanner
from tests.scanner.camera.pictures import encoded, gray_frame, scene


def opened(table: SourceTable, readings: asyncio.Queue[Reading]) -> object:
    loop = asyncio.get_running_loop()

    def deliver(reading: Reading) -> None:
        loop.call_soon_threadsafe(readings.put_nowait, reading)

    return open_source(table, deliver, monotonic_ns=time.monotonic_ns, rng=random.Random(1))


async def test_scenes_are_read_through_the_camera_pipeline(tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"text": "57213004864"}\n')
    readings: asyncio.Queue[Reading] = asyncio.Queue()
    source = opened(ScenesSourceTable(name="cam", samples=str(samples), fps=30.0), readings)
    running = asyncio.create_task(source.run())  # type: ignore[attr-defined]
    reading = await asyncio.wait_for(readings.get(), 30)
    assert (reading.text, reading.source) == ("57213004864", "cam")
    assert source.up  # type: ignore[attr-defined]
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


async def test_several_cameras_are_read_side_by_side(tmp_path: Path) -> None:
    readings: asyncio.Queue[Reading] = asyncio.Queue()
    sources = []
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        for number in range(5):
            (tmp_path / name / f"{number}.png").write_bytes(encoded(scene(name), ".png"))
        table = CameraSourceTable(name=name, device=str(tmp_path / name), fps=50.0)
        sources.append(opened(table, readings))
    sources.append(opened(CameraSourceTable(name="absent", device="/dev/none-such"), readings))
    running = [asyncio.create_task(source.run()) for source in sources]  # type: ignore[attr-defined]
    seen = set()
    async with asyncio.timeout(30):
        while len(seen) < 2:
            reading = await readings.get()
            seen.add((reading.source, reading.text))
    assert seen == {("left", "left"), ("right", "right")}
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_a_serial_scanner_is_read() -> None:
    readings: asyncio.Queue[Reading] = asyncio.Queue()
    with SimulatedScanner() as scanner:
        source = opened(SerialSourceTable(name="hand", port=scanner.path), readings)
        running = asyncio.create_task(source.run())  # type: ignore[attr-defined]
        while not source.up:  # type: ignore[attr-defined]  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
        await scanner.send("hello")
        assert (await asyncio.wait_for(readings.get(), 10)).text == "hello"
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.parametrize(
    "table",
    [
        SerialSourceTable(name="a", port="/dev/none-such"),
        KeypadSourceTable(name="b", device="/dev/none-such"),
        CameraSourceTable(name="c", device="/dev/none-such"),
        WedgeSourceTable(name="d", device="/dev/none-such"),
    ],
    ids=lambda t: type(t).__name__,
)
async def test_a_missing_device_is_waited_for_and_said(table: SourceTable) -> None:
    source = opened(table, asyncio.Queue())
    running = asyncio.create_task(source.run())  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        while not source.failure:  # type: ignore[attr-defined]  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
    assert not source.up  # type: ignore[attr-defined]
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])


class BrokenCamera:
    def open(self) -> None: ...

    def read(self) -> Frame:
        raise ZeroDivisionError

    def close(self) -> None: ...


async def test_a_thread_that_dies_ends_the_source_rather_than_blind_it() -> None:
    door = CameraDoor(
        BrokenCamera(), "cam", lambda _: None, monotonic_ns=time.monotonic_ns, draw=lambda: 0.0
    )
    with pytest.raises(SourceDied, match="cam"):
        await asyncio.wait_for(door.run(), 10)


async def test_a_decoder_that_hangs_is_not_alive_though_no_thread_died(tmp_path: Path) -> None:
    clock_ns, looking, go_on = [0], threading.Event(), threading.Event()
    camera = RecordedCamera(a_recording(tmp_path), lambda: clock_ns[0])

    def hang(_: Reading) -> None:
        looking.set()
        assert go_on.wait(10)

    door = CameraDoor(camera, "cam", hang, monotonic_ns=lambda: clock_ns[0], draw=lambda: 0.0)
    running = asyncio.create_task(door.run())
    assert await asyncio.to_thread(looking.wait, 10)
    assert door.alive
    clock_ns[0] += 60 * 10**9
    assert not door.alive
    assert not door.up
    assert "hangs" in door.failure
    go_on.set()
    running.cancel()
    await asyncio.wait([running])


def a_recording(folder: Path) -> Path:
    with Recorder(folder / "recording") as recorder:
        recorder.add(gray_frame(scene("hangs")))
    return folder / "recording"


async def test_what_runs_on_the_loop_is_alive_as_long_as_the_loop_is() -> None:
    source = opened(SerialSourceTable(name="a", port="/dev/none-such"), asyncio.Queue())
    assert source.alive  # type: ignore[attr-defined]


@pytest.mark.parametrize("content", ["", "[]\n", "not json\n", '{"code": "x"}\n', '{"text": ""}\n'])
def test_a_file_that_holds_no_samples_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_samples(path)
    assert "synthesize" in caught.value.hint
