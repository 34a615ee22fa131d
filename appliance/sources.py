"""What reads codes in a lane, from its table in the configuration to a task in the crew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Protocol

from admission.reading import Reading
from appliance.camera_table import CameraSourceTable
from appliance.cameras import camera_of
from appliance.config import (
    KeypadSourceTable,
    ScenesSourceTable,
    SourceTable,
)
from appliance.errors import ApplianceError
from appliance.scenes import scene_camera
from appliance.serial_table import SerialSourceTable, open_serial
from appliance.wedge_table import WedgeSourceTable
from scanner.camera.look import Look
from scanner.camera.port import Camera
from scanner.camera.source import CameraSource, CameraStatistics
from scanner.input_events import open_keyboard
from scanner.keypad import EventKeys, KeypadSource
from scanner.serial.source import SerialSource
from scanner.wedge.settings import WedgeSettings
from scanner.wedge.source import WedgeSource

STOP_TIMEOUT_S = 0.6
"""A thread that is stuck in a driver for longer ends with the process."""

Deliver = Callable[[Reading], None]


class SourceDied(ApplianceError):  # noqa: N818 - an event, not a programming error
    """A thread of a source ended by itself: the daemon restarts rather than go on blind."""


class Source(Protocol):
    """One source of readings, whatever it reads them from."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    @property
    def up(self) -> bool:
        """Whether it can read at this moment."""
        ...

    @property
    def alive(self) -> bool:
        """Whether its own code still runs: False is no device's fault, but needs a new process."""
        ...

    @property
    def failure(self) -> str:
        """Why it is down, or last was; empty if it never was."""
        ...

    @property
    def frames_dropped(self) -> int | None:
        """Frames that a newer one replaced before they were looked at; None without frames."""
        ...

    @property
    def frames_bad(self) -> int | None:
        """Frames that were no picture to decode; None without frames."""
        ...

    @property
    def device(self) -> str:
        """Path of its device, as configured; empty if it needs none."""
        ...

    def plugged(self) -> None:
        """Hear that its device was announced: if it is down, it tries at once."""
        ...

    def unplugged(self) -> None:
        """Hear that its device is said to be gone."""
        ...

    async def run(self) -> None:
        """Read until cancelled.

        :raises SourceDied: if it can never read again.
        """
        ...


class CameraDoor:
    """A camera's two threads as one task."""

    def __init__(
        self,
        camera: Camera,
        name: str,
        deliver: Deliver,
        *,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        device: str = "",
        looked: Callable[[Look], None] | None = None,
    ) -> None:
        self.name = name
        self.device = device
        self._loop = asyncio.get_running_loop()
        self._died: asyncio.Future[BaseException] = self._loop.create_future()
        self._source = CameraSource(
            camera, name, deliver, monotonic_ns, draw=draw, failed=self._report, looked=looked
        )

    @property
    def up(self) -> bool:
        """Whether frames keep coming."""
        return self._source.statistics().up

    @property
    def alive(self) -> bool:
        """Whether the decode thread does not hang in one frame. One that died ends `run`."""
        return not self._source.statistics().hung

    @property
    def failure(self) -> str:
        """Why they do not, or last did not."""
        return self._source.statistics().last_error

    @property
    def frames_dropped(self) -> int | None:
        """Frames that were never looked at because the decoder was busy."""
        return self._source.statistics().dropped

    @property
    def frames_bad(self) -> int | None:
        """Frames that were no picture to decode."""
        return self._source.statistics().bad_frames

    def plugged(self) -> None:
        """Try to open the camera at once, if it is not open."""
        self._source.plugged()

    def unplugged(self) -> None:
        """Count the camera as lost at once, whatever its driver says."""
        self._source.unplugged()

    def statistics(self) -> CameraStatistics:
        """Return the camera's counters of this moment."""
        return self._source.statistics()

    async def run(self) -> None:
        """Run both threads until cancelled.

        :raises SourceDied: if one of them ended by itself.
        """
        self._source.start()
        try:
            error = await self._died
            msg = f"a thread of the camera '{self.name}' died: {type(error).__name__}"
            raise SourceDied(msg) from error
        finally:
            await asyncio.shield(asyncio.to_thread(self._source.stop, STOP_TIMEOUT_S))

    def _report(self, error: BaseException) -> None:
        self._loop.call_soon_threadsafe(self._mourn, error)

    def _mourn(self, error: BaseException) -> None:
        if not self._died.done():
            self._died.set_result(error)


class PortDoor:
    """A serial scanner, a wedge or a keypad, which run on the loop by themselves."""

    alive: bool = True
    """It runs on the loop, which others watch."""
    frames_dropped: int | None = None
    frames_bad: int | None = None

    def __init__(self, source: SerialSource | WedgeSource | KeypadSource, device: str = "") -> None:
        self._source = source
        self.device = device

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self._source.name

    @property
    def up(self) -> bool:
        """Whether the device is open."""
        return self._source.statistics().up

    @property
    def failure(self) -> str:
        """Why it is not, or last was not."""
        return self._source.statistics().failure

    def plugged(self) -> None:
        """Try to open the device at once, if it is not open."""
        self._source.plugged()

    def unplugged(self) -> None:
        """Do nothing: the kernel hangs up by itself, at once."""

    async def run(self) -> None:
        """Read until cancelled."""
        await self._source.run()


class ScannerDoor(PortDoor):
    """A serial scanner, which may be able to tell people of the verdict itself."""

    def __init__(self, source: SerialSource, device: str = "") -> None:
        super().__init__(source, device)
        self._scanner = source

    def acknowledge(self, *, good: bool) -> None:
        """Have it tell people how its last text was judged, if it can; returns at once."""
        self._scanner.acknowledge(good=good)


def open_source(
    table: SourceTable,
    deliver: Deliver,
    *,
    monotonic_ns: Callable[[], int],
    rng: random.Random,
    looked: Callable[[Look], None] | None = None,
) -> Source:
    """Return the source of a configuration's table; nothing is opened before it runs.

    :param looked: called from a camera's decode thread with each look.
    :raises ConfigError: if a scene's samples or a camera's credentials cannot be read.
    """
    match table:
        case CameraSourceTable():
            camera = camera_of(table, monotonic_ns)
            return CameraDoor(
                camera,
                table.name,
                deliver,
                monotonic_ns=monotonic_ns,
                draw=rng.random,
                device=table.device,
                looked=looked,
            )
        case ScenesSourceTable():
            return CameraDoor(
                scene_camera(table, monotonic_ns),
                table.name,
                deliver,
                monotonic_ns=monotonic_ns,
                draw=rng.random,
                looked=looked,
            )
        case SerialSourceTable():
            scanner = open_serial(table, deliver, monotonic_ns=monotonic_ns, rng=rng)
            return ScannerDoor(scanner, table.port)
        case KeypadSourceTable():
            return PortDoor(
                KeypadSource(
                    partial(open_keyboard, table.device),
                    EventKeys,
                    table.name,
                    deliver,
                    monotonic_ns=monotonic_ns,
                    draw=rng.random,
                ),
                table.device,
            )
        case WedgeSourceTable():
            return PortDoor(
                WedgeSource(
                    table.device,
                    table.name,
                    deliver,
                    monotonic_ns=monotonic_ns,
                    draw=rng.random,
                    settings=WedgeSettings(
                        layout=table.layout, end=table.line_end, gap_s=table.gap_s
                    ),
                ),
                table.device,
            )
