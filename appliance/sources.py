"""What reads codes in a lane, from its table in the configuration to a task in the crew."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Protocol

from appliance.camera_door import CameraDoor, Deliver
from appliance.camera_table import CameraSourceTable
from appliance.cameras import camera_of
from appliance.config import (
    KeypadSourceTable,
    ScenesSourceTable,
    SourceTable,
)
from appliance.decoding import slow_lane_of, wanted_of
from appliance.scenes import scene_camera
from appliance.serial_table import SerialSourceTable, open_serial
from appliance.wedge_table import WedgeSourceTable
from scanner.camera.look import Look
from scanner.camera.source import CameraStatistics
from scanner.input_events import open_keyboard
from scanner.keypad import EventKeys, KeypadSource
from scanner.parts import joining
from scanner.serial.profiles import Capability
from scanner.serial.source import SerialSource
from scanner.wedge.settings import WedgeSettings
from scanner.wedge.source import WedgeSource


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

    def statistics(self) -> CameraStatistics | None:
        """Return what has become of its frames so far; None without frames."""
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

    def statistics(self) -> CameraStatistics | None:
        """Return None: no frames come through here."""
        return None

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

    def command(self, capability: Capability) -> bool:
        """Tell it something; returns at once, False if it cannot be told or is not there."""
        return self._scanner.command(capability)


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
    :raises ConfigError: if a scene's samples, a camera's credentials or its models cannot be read.
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
                wanted=wanted_of(table),
                slow_lane=slow_lane_of(table, monotonic_ns, rng.random),
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
            scanner = open_serial(table, joining(deliver), monotonic_ns=monotonic_ns, rng=rng)
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
                    joining(deliver),
                    monotonic_ns=monotonic_ns,
                    draw=rng.random,
                    settings=WedgeSettings(
                        layout=table.layout, end=table.line_end, gap_s=table.gap_s
                    ),
                ),
                table.device,
            )
