"""`chot scan` on live sources: cameras on their threads, serial scanners on the loop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from admission.reading import Reading
from appliance.cli.scan_report import Finding, Found, Report, fault
from scanner.camera.capture import V4L2Camera
from scanner.camera.port import Camera
from scanner.camera.source import CameraSource, CameraStatistics
from scanner.errors import ScannerError
from scanner.serial.port import Port, SerialSource

STOP_TIMEOUT_S = 3.0
REARM_NS = 2_000_000_000
"""A code held up is shown once, and again after it was out of view for so long."""
REMEMBERED_MAX = 1024


def watch(
    cameras: Sequence[str],
    ports: Sequence[str],
    report: Report,
    monotonic_ns: Callable[[], int],
    *,
    baud: int,
    seconds: float | None,
) -> bool:
    """Report readings until `seconds` have passed, for ever if None, or until Ctrl-C.

    Return whether any source could be opened. Ctrl-C is how a watch without an end is ended, so it
    is no error here.
    """
    live = _LiveReport(report, monotonic_ns)
    sources: list[_Source] = []
    for device in cameras:
        with live.faults_of(device):
            sources.append(_open_camera(device, live, monotonic_ns))
    for port in ports:
        with live.faults_of(port):
            sources.append(_open_serial(port, baud, live, monotonic_ns))
    if not sources:
        return False
    with suppress(KeyboardInterrupt):
        asyncio.run(_run_all(sources, seconds, live))
    return True


class _Source(Protocol):
    name: str

    async def run(self) -> None: ...


class _LiveReport:
    """Shows each reading of any source, once per presentation, on the loop's thread."""

    def __init__(self, report: Report, monotonic_ns: Callable[[], int]) -> None:
        self._report = report
        self._monotonic_ns = monotonic_ns
        self._last_seen_ns: dict[tuple[str, str], int] = {}
        self._losses: dict[str, str] = {}

    def add(self, reading: Reading) -> None:
        now_ns = self._monotonic_ns()
        key = (reading.source, reading.text)
        last_ns = self._last_seen_ns.pop(key, None)
        if len(self._last_seen_ns) >= REMEMBERED_MAX:  # forget the one seen longest ago
            del self._last_seen_ns[next(iter(self._last_seen_ns))]
        self._last_seen_ns[key] = now_ns
        if last_ns is None or now_ns - last_ns > REARM_NS:
            found = Found(reading.text, reading.symbology, reading.rung)
            ms = (now_ns - reading.captured_ns) / 1e6
            self._report.add(Finding(reading.source, (found,), ms))

    def lost(self, source: str, why: str) -> None:
        if self._losses.get(source) != why:
            self._losses[source] = why
            self._report.add(Finding(source, error=why, hint="it is opened again by itself"))

    @contextmanager
    def faults_of(self, source: str) -> Iterator[None]:
        """Report an error of `source` as a finding; the other sources go on."""
        try:
            yield
        except ScannerError as error:
            self._report.add(fault(source, error))


class _LiveCamera:
    """A camera's two threads as one coroutine that delivers on the loop."""

    def __init__(
        self, camera: Camera, name: str, live: _LiveReport, monotonic_ns: Callable[[], int]
    ) -> None:
        self.name = name
        self._camera = camera
        self._live = live
        self._monotonic_ns = monotonic_ns

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        died: asyncio.Future[BaseException] = loop.create_future()

        def deliver(reading: Reading) -> None:
            loop.call_soon_threadsafe(self._live.add, reading)

        def failed(error: BaseException) -> None:
            loop.call_soon_threadsafe(_settle, died, error)

        def changed(statistics: CameraStatistics) -> None:
            if not statistics.up and statistics.last_error:
                loop.call_soon_threadsafe(self._live.lost, self.name, statistics.last_error)

        source = CameraSource(
            self._camera, self.name, deliver, self._monotonic_ns, changed=changed, failed=failed
        )
        source.start()
        try:
            raise await died
        finally:
            await asyncio.shield(asyncio.to_thread(source.stop, STOP_TIMEOUT_S))


def _settle(died: asyncio.Future[BaseException], error: BaseException) -> None:
    if not died.done():
        died.set_result(error)


def _open_camera(device: str, live: _LiveReport, monotonic_ns: Callable[[], int]) -> _Source:
    camera = V4L2Camera(Path(device), monotonic_ns)
    # Once by hand, so that what is wrong is said at once; the source would try again for ever.
    camera.open()
    camera.close()
    return _LiveCamera(camera, device, live, monotonic_ns)


def _open_serial(
    port: str, baud: int, live: _LiveReport, monotonic_ns: Callable[[], int]
) -> _Source:
    Port(port, baud).close()  # for the same reason
    return SerialSource(
        port,
        port,
        live.add,
        monotonic_ns=monotonic_ns,
        jitter=random.random,
        baud=baud,
    )


async def _run_all(sources: Sequence[_Source], seconds: float | None, live: _LiveReport) -> None:
    async def run(source: _Source) -> None:
        with live.faults_of(source.name):
            await source.run()

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for source in sources:
                group.create_task(run(source), name=source.name)
