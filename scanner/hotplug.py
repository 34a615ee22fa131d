"""Devices that come and go, as udev announces them: nobody has to wait out a pause.

udev speaks after its rules have run, so a device's links and permissions are there as a rule; where
they are not, whoever is told tries again by himself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from admission.backoff import Backoff
from scanner.errors import HotplugError

SUBSYSTEMS = ("video4linux", "tty", "input")
MAX_PER_TURN = 16
"""Announcements taken per turn of the loop: plugging in a hub of devices makes dozens."""
RELISTENING = Backoff(1.0, 300.0)
_UDEV_CONTROL = Path("/run/udev/control")
_APPEARED = frozenset({"add", "bind", "change", "move", "online"})
_VANISHED = "remove"


class Announcement(msgspec.Struct, frozen=True):
    """One device came (or changed, as when its permissions are set), or went.

    `names` are the paths of its node and of every link to it that udev keeps; empty if it has none.
    """

    appeared: bool
    names: frozenset[str]


class Monitor(Protocol):
    """Where announcements come from."""

    def fileno(self) -> int:
        """Return the descriptor that the loop watches."""
        ...

    def read(self) -> Announcement | None:
        """Return the next announcement without waiting, or None if there is none yet.

        :raises HotplugError: announcements were lost, or none will come any more.
        """
        ...

    def close(self) -> None:
        """Listen no more. Never raises."""
        ...


class UdevMonitor:
    """The announcements of this machine's udev daemon, by libudev."""

    def __init__(self) -> None:
        """Begin to listen. May take some milliseconds: libudev is looked for.

        :raises HotplugError: no udev daemon runs here (a container), libudev is absent, or this
            process may not listen.
        """
        if not _UDEV_CONTROL.exists():
            # libudev would listen all the same, and never hear a word.
            raise HotplugError("no udev daemon runs here")
        try:
            import pyudev  # noqa: PLC0415 - only gates with real devices pay for it

            monitor = pyudev.Monitor.from_netlink(pyudev.Context())
            for subsystem in SUBSYSTEMS:
                monitor.filter_by(subsystem)
            monitor.start()
        except (ImportError, OSError, ValueError, MemoryError) as error:
            msg = f"udev cannot be listened to: {error}"
            hint = "install libudev1; the service needs RestrictAddressFamilies=AF_NETLINK"
            raise HotplugError(msg, hint=hint) from error
        self._monitor: Any = monitor

    def fileno(self) -> int:
        """Return the descriptor that the loop watches."""
        return int(self._monitor.fileno())

    def read(self) -> Announcement | None:
        """Return the next announcement, or None.

        :raises HotplugError: the kernel's queue overflowed (ENOBUFS), or the socket failed.
        """
        try:
            device = self._monitor.poll(timeout=0)
        except (OSError, ValueError, MemoryError) as error:
            msg = f"announcements of udev were lost: {error}"
            raise HotplugError(msg) from error
        return None if device is None else announcement_of(device.action, device.properties)

    def close(self) -> None:
        """Listen no more: libudev closes its socket with the last reference."""
        del self._monitor


def announcement_of(action: str | None, properties: Any) -> Announcement:
    """Return what udev's `action` on a device with these `properties` means.

    >>> announcement_of("add", {"DEVNAME": "/dev/ttyACM0", "DEVLINKS": "/dev/serial/by-id/usb-A"})
    Announcement(appeared=True, names=frozenset({...}))
    """
    names: list[str] = []
    if action == _VANISHED or action in _APPEARED:
        names = [properties.get("DEVNAME") or "", *(properties.get("DEVLINKS") or "").split()]
    return Announcement(action != _VANISHED, frozenset(filter(None, names)))


class Hotplug:
    """Passes announcements on; the owner's task group runs `run`.

    `heard(announcement)` is called on the loop with each. `missed()` is called once listening has
    begun again after a failure: anything may have come meanwhile. `changed()` hears of each change
    of `failure`. What these raise ends `run`. `open_monitor` is called in a thread.
    """

    def __init__(
        self,
        open_monitor: Callable[[], Monitor],
        *,
        heard: Callable[[Announcement], None],
        missed: Callable[[], None],
        changed: Callable[[], None],
        draw: Callable[[], float],
        backoff: Backoff = RELISTENING,
    ) -> None:
        self._open_monitor = open_monitor
        self._heard = heard
        self._missed = missed
        self._changed = changed
        self._draw = draw
        self._backoff = backoff
        self.listening = False
        """Whether announcements are heard at this moment."""
        self.failure: HotplugError | None = None
        """Why they are not, or last were not."""

    async def run(self) -> None:
        """Listen, and begin again after each failure, until cancelled."""
        failures = 0
        while True:
            try:
                monitor = await asyncio.to_thread(self._open_monitor)
                try:
                    self._note(listening=True)
                    if self.failure is not None:
                        self._missed()
                    failures = 0
                    await self._listen(monitor)
                finally:
                    monitor.close()
            except HotplugError as error:
                self._note(listening=False, failure=error)
            failures += 1
            await asyncio.sleep(self._backoff.delay_s(failures, self._draw()))

    async def _listen(self, monitor: Monitor) -> None:
        """Return never; raise what the monitor or `heard` raised."""
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()

        def take() -> None:
            if lost.done():
                return
            try:
                for _ in range(MAX_PER_TURN):
                    announcement = monitor.read()
                    if announcement is None:
                        return
                    self._heard(announcement)
            except Exception as error:  # noqa: BLE001 - carried to run(), which tells whose it is
                lost.set_exception(error)

        descriptor = monitor.fileno()
        loop.add_reader(descriptor, take)
        try:
            await lost
        finally:
            loop.remove_reader(descriptor)

    def _note(self, *, listening: bool, failure: HotplugError | None = None) -> None:
        before = (self.listening, str(self.failure))
        self.listening = listening
        self.failure = failure or self.failure
        if before != (self.listening, str(self.failure)):
            self._changed()
