"""Announcements reach whoever waits for a device, and a machine without any is no fault."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from admission.backoff import Backoff
from scanner.errors import HotplugError
from scanner.hotplug import (
    MAX_PER_TURN,
    Announcement,
    Hotplug,
    Monitor,
    UdevMonitor,
    announcement_of,
)

CAMERA = "/dev/v4l/by-id/usb-046d_0825-video-index0"


def camera(*, appeared: bool = True) -> Announcement:
    return Announcement(appeared, frozenset({"/dev/video0", CAMERA}))


class MemoryMonitor:
    """A queue behind the Monitor port; readable while it holds something."""

    def __init__(self, *waiting: Announcement | Exception) -> None:
        self._waiting: deque[Announcement | Exception] = deque()
        self._reader, self._writer = os.pipe()
        self.closed = False
        for each in waiting:
            self.put(each)

    def put(self, item: Announcement | Exception) -> None:
        self._waiting.append(item)
        os.write(self._writer, b"!")

    def fileno(self) -> int:
        return self._reader

    def read(self) -> Announcement | None:
        if not self._waiting:
            return None
        os.read(self._reader, 1)
        item = self._waiting.popleft()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)
        self.closed = True


class Bench:
    def __init__(self, open_monitor: Callable[[], Monitor]) -> None:
        self.log: list[object] = []
        self.event = asyncio.Event()
        self.hotplug = Hotplug(
            open_monitor,
            heard=self.note,
            missed=lambda: self.note("missed"),
            changed=lambda: self.note("up" if self.hotplug.listening else "down"),
            draw=lambda: 0.0,
            backoff=Backoff(0.001, 0.002),
        )

    def note(self, what: object) -> None:
        self.log.append(what)
        self.event.set()

    async def run_until(self, condition: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.hotplug.run())
        try:
            async with asyncio.timeout(10):
                while not condition():
                    self.event.clear()
                    await self.event.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_announcements_are_heard_in_order() -> None:
    monitor = MemoryMonitor(camera(appeared=False), camera())
    bench = Bench(lambda: monitor)
    await bench.run_until(lambda: len(bench.log) == 3)
    assert bench.log == ["up", camera(appeared=False), camera()]
    assert monitor.closed


async def test_a_storm_of_announcements_leaves_turns_for_others() -> None:
    monitor = MemoryMonitor(*[camera()] * (3 * MAX_PER_TURN))
    bench = Bench(lambda: monitor)
    longest = run = 0

    def other() -> None:
        nonlocal run
        run = 0
        asyncio.get_running_loop().call_soon(other)

    def heard(_: Announcement) -> None:
        nonlocal run, longest
        run += 1
        longest = max(longest, run)
        bench.note("heard")

    bench.hotplug._heard = heard
    asyncio.get_running_loop().call_soon(other)
    await bench.run_until(lambda: bench.log.count("heard") == 3 * MAX_PER_TURN)
    assert longest == MAX_PER_TURN


async def test_after_a_loss_it_listens_again_and_says_that_it_may_have_missed_some() -> None:
    second = MemoryMonitor(camera())
    first = MemoryMonitor(HotplugError("the queue overflowed"))
    monitors = [second, first]
    bench = Bench(monitors.pop)
    await bench.run_until(lambda: camera() in bench.log)
    assert bench.log == ["up", "down", "up", "missed", camera()]
    assert "overflowed" in str(bench.hotplug.failure)
    assert first.closed


async def test_a_machine_without_udev_is_asked_again_and_said_once() -> None:
    monitor = MemoryMonitor()
    refusals = [HotplugError("no udev daemon runs here") for _ in range(3)]

    def open_monitor() -> Monitor:
        if refusals:
            raise refusals.pop()
        return monitor

    bench = Bench(open_monitor)
    await bench.run_until(lambda: bench.hotplug.listening)
    assert bench.log == ["down", "up", "missed"]


async def test_an_owner_s_mistake_ends_the_run() -> None:
    monitor = MemoryMonitor(camera())
    bench = Bench(lambda: monitor)

    def fail(_: Announcement) -> None:
        raise LookupError("ours")

    bench.hotplug._heard = fail
    with pytest.raises(LookupError):
        await asyncio.wait_for(bench.hotplug.run(), 10)
    assert monitor.closed


@pytest.mark.parametrize(
    ("action", "appeared", "named"),
    [
        ("add", True, True),
        ("change", True, True),  # permissions are set after the node is made
        ("move", True, True),
        ("remove", False, True),
        ("unbind", True, False),
        ("offline", True, False),
        ("", True, False),
        (None, True, False),
    ],
)
def test_what_udev_says_and_what_it_means(action: str | None, appeared: bool, named: bool) -> None:
    properties = {"DEVNAME": "/dev/video0", "DEVLINKS": f"{CAMERA} /dev/v4l/by-path/pci-1"}
    announcement = announcement_of(action, properties)
    assert announcement.appeared is appeared
    names = {"/dev/video0", CAMERA, "/dev/v4l/by-path/pci-1"}
    assert announcement.names == (names if named else set())


def test_a_device_without_a_node_has_no_names() -> None:
    assert announcement_of("add", {}).names == frozenset()


def test_without_a_udev_daemon_nothing_is_awaited_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.hotplug._UDEV_CONTROL", tmp_path / "absent")
    with pytest.raises(HotplugError, match="no udev daemon"):
        UdevMonitor()


def may_listen() -> bool:
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15) as probe:
            probe.bind((0, 2))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not may_listen(), reason="netlink is not open to this user")
def test_the_real_monitor_opens_and_has_nothing_to_say_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.hotplug._UDEV_CONTROL", tmp_path)
    monitor = UdevMonitor()
    assert not os.get_blocking(monitor.fileno())
    assert monitor.read() is None or Path("/run/udev/control").exists()
    monkeypatch.setattr(monitor._monitor, "poll", failing)
    with pytest.raises(HotplugError, match="lost"):
        monitor.read()
    monitor.close()


def failing(timeout: float) -> None:
    raise OSError(errno.ENOBUFS, "No buffer space available")


def test_a_refused_socket_is_said_with_what_to_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Could not create udev monitor")

    monkeypatch.setattr("scanner.hotplug._UDEV_CONTROL", tmp_path)
    monkeypatch.setattr("pyudev.Monitor.from_netlink", refuse)
    with pytest.raises(HotplugError) as caught:
        UdevMonitor()
    assert "AF_NETLINK" in caught.value.hint
