"""Runs in the virtual machine: our camera source on a USB webcam that is pulled, hangs and lies.

Writes one JSON line for each step to its standard output: what was seen, and after how long. It
judges nothing but that a step came to its end at all.
"""

from __future__ import annotations

import asyncio
import json
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scanner.camera.capture import CaptureMode, V4L2Camera
from scanner.camera.control_device import KernelControls
from scanner.camera.controls import Control, ControlSettings
from scanner.camera.luma import gray_of
from scanner.camera.source import CameraSource, CameraStatistics
from scanner.hotplug import Announcement, Hotplug, UdevMonitor

PICTURES = Path("/work")
MODE = CaptureMode(width_px=1280, height_px=720, fps=10)
SETTINGS = ControlSettings(exposure_ms=10.0, gain=20, focus=30, power_line_hz=50)
LIMIT_S = 90.0
"""For one step: the machine is emulated and slow."""


class Plugged:
    """A webcam process and what it told."""

    def __init__(self, port: int, serial: str) -> None:
        self.link = Path(f"/dev/v4l/by-id/usb-Chot_Test_camera_{serial}-video-index0")
        command = [sys.executable, "-m", "tests.hardware.webcam", str(port), serial, str(PICTURES)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._done: queue.Queue[dict[str, Any]] = queue.Queue()
        self.was_set: list[tuple[str, int]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            told = json.loads(line)
            if "was_set" in told:
                self.was_set.append((told["was_set"], told["value"]))
            else:
                self._done.put(told)

    def do(self, command: str) -> int:
        """Command the camera; return when it was done, of the machine's monotonic clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        at_ns: int = self._done.get(timeout=LIMIT_S)["at_ns"]
        return at_ns


class Watched:
    """A camera source, and what it delivered and told."""

    def __init__(self, camera: Plugged, settings: ControlSettings) -> None:
        self.readings: queue.Queue[tuple[str, int]] = queue.Queue()
        self.changes: queue.Queue[tuple[CameraStatistics, int]] = queue.Queue()
        rng = random.Random(1)
        self.source = CameraSource(
            V4L2Camera(camera.link, time.monotonic_ns, MODE, controls=settings),
            camera.link.name,
            lambda reading: self.readings.put((reading.text, time.monotonic_ns())),
            time.monotonic_ns,
            draw=rng.random,
            changed=lambda statistics: self.changes.put((statistics, time.monotonic_ns())),
        )
        self.source.start()

    def reads(self, text: str, since_ns: int) -> float:
        """Wait until it reads `text`; return after how many seconds."""
        return self._wait(self.readings, lambda read: read == text, since_ns)

    def is_down(self, since_ns: int) -> float:
        """Wait until it says that its camera is lost; return after how many seconds."""
        return self._wait(self.changes, lambda statistics: not statistics.up, since_ns)

    def _wait(self, told: queue.Queue[Any], wanted: Callable[[Any], bool], since_ns: int) -> float:
        while True:
            what, at_ns = told.get(timeout=LIMIT_S)
            if at_ns >= since_ns and wanted(what):
                return (at_ns - since_ns) / 1e9


def tell(step: str, **what: object) -> None:
    """Write the outcome of one step."""
    sys.stdout.write(json.dumps({"step": step, **what}) + "\n")
    sys.stdout.flush()


def begin(camera: Plugged, source: Watched | None = None) -> Watched:
    camera.do("show first.jpg")
    at_ns = camera.do("plug")
    source = source or Watched(camera, SETTINGS)
    tell("first plugging", reads_s=source.reads("first", at_ns), was_set=camera.was_set)
    with KernelControls(camera.link) as device:
        plate, ranges = device.nameplate(), device.ranges()
    tell("the kernel's view", card=plate.card, captures=plate.captures, ranges=len(ranges))
    return source


def pull_in_mid_frame(camera: Plugged, source: Watched, cycle: int) -> None:
    frames = source.source.statistics().frames
    camera.was_set.clear()
    pulled_ns = camera.do("unplug in mid-frame")
    lost_s = source.is_down(pulled_ns)
    why = source.source.statistics().last_error
    camera.do(f"show cycle-{cycle}.jpg")
    plugged_ns = camera.do("plug")
    back_s = source.reads(f"cycle-{cycle}", plugged_ns)
    more = source.source.statistics().frames - frames
    was_set = list(camera.was_set)
    tell("pulled", lost_s=lost_s, why=why, back_s=back_s, frames=more, was_set=was_set)


def stall(camera: Plugged, source: Watched) -> None:
    camera.do("show after-stall.jpg")
    stalled_ns = camera.do("stall")
    lost_s = source.is_down(stalled_ns)
    on_ns = camera.do("go on")
    tell("stalled", lost_s=lost_s, back_s=source.reads("after-stall", on_ns))


def lie(camera: Plugged, source: Watched) -> None:
    before = source.source.statistics()
    for name in ("truncated.jpg", "huge.jpg", "no-picture.jpg"):
        camera.do(f"show {name}")
        bad = source.source.statistics().bad_frames
        ends_s = time.monotonic() + LIMIT_S
        while source.source.statistics().bad_frames == bad:
            assert time.monotonic() < ends_s, f"{name} was not found bad"
            time.sleep(0.05)
    shown_ns = camera.do("show no-tables.jpg")
    reads_s = source.reads("no-tables", shown_ns)
    after = source.source.statistics()
    bad, reopened = after.bad_frames - before.bad_frames, after.reopens - before.reopens
    tell("lied to", bad_frames=bad, reopens=reopened, reads_s=reads_s)


def two_at_once(camera: Plugged, source: Watched) -> None:
    other = Plugged(1, "OTHER")
    other.do("show other.jpg")
    at_ns = other.do("plug")
    second = Watched(other, ControlSettings())
    reads_s = second.reads("other", at_ns)
    shown_ns = camera.do("show beside.jpg")
    beside_s = source.reads("beside", shown_ns)
    pulled_ns = other.do("unplug in mid-frame")
    lost_s = second.is_down(pulled_ns)
    shown_ns = camera.do("show goes-on.jpg")
    goes_on_s = source.reads("goes-on", shown_ns)
    stopped = second.source.stop(LIMIT_S)
    tell(
        "two at once",
        reads_s=reads_s,
        beside_s=beside_s,
        lost_s=lost_s,
        goes_on_s=goes_on_s,
        stopped=stopped,
    )


def announced(camera: Plugged, source: Watched) -> None:
    """Pull it and plug it in while udev's announcements wake the source, as an appliance does."""
    heard: queue.Queue[tuple[bool, int]] = queue.Queue()

    def hear(announcement: Announcement) -> None:
        if str(camera.link) in announcement.names:
            heard.put((announcement.appeared, time.monotonic_ns()))
            if announcement.appeared:
                source.source.plugged()
            else:
                source.source.unplugged()

    listening = threading.Event()
    hotplug = Hotplug(
        UdevMonitor, heard=hear, missed=lambda: None, changed=listening.set, draw=random.random
    )
    threading.Thread(target=lambda: asyncio.run(hotplug.run()), daemon=True).start()
    assert listening.wait(LIMIT_S)
    assert hotplug.listening, hotplug.failure
    pulled_ns = camera.do("unplug")
    lost_s = source.is_down(pulled_ns)
    camera.do("show announced.jpg")
    time.sleep(20.0)  # by now it would be tried every ten seconds only
    plugged_ns = camera.do("plug")
    back_s = source.reads("announced", plugged_ns)
    told = [heard.get(timeout=LIMIT_S) for _ in range(2)]
    heard_s = [
        (at_ns - since_ns) / 1e9
        for (_, at_ns), since_ns in zip(told, (pulled_ns, plugged_ns), strict=True)
    ]
    appeared = [each for each, _ in told]
    tell("announced", lost_s=lost_s, back_s=back_s, heard_s=heard_s, appeared=appeared)


def deaf(camera: Plugged, source: Watched) -> None:
    """Its firmware crashes: it stays plugged in and answers nothing, until it is pulled."""
    deaf_ns = camera.do("deaf")
    lost_s = source.is_down(deaf_ns)
    time.sleep(8.0)  # let a try to open it wait in the driver
    camera.do("unplug")
    camera.do("show after-crash.jpg")
    camera.do("go on")
    plugged_ns = camera.do("plug")
    tell("crashed", lost_s=lost_s, back_s=source.reads("after-crash", plugged_ns))


def raw_formats() -> None:
    """Read the kernel's own test driver, which knows formats that the webcam does not."""
    subprocess.run(["modprobe", "vivid", "n_devs=1", "node_types=1"], check=True)
    subprocess.run(["udevadm", "settle"], check=True)
    devices = sorted(Path("/dev").glob("video*"))
    for fourcc in ("YUYV", "GREY"):
        mode = CaptureMode(fourcc=fourcc, width_px=640, height_px=360, fps=10)
        settings = ControlSettings(brightness=100, gain=70)
        camera = V4L2Camera(devices[-1], time.monotonic_ns, mode, controls=settings)
        camera.open()
        with KernelControls(devices[-1]) as device:
            levels = {
                name: device.value(Control[name]) for name in ("BRIGHTNESS", "GAIN", "AUTOGAIN")
            }
        frames = [camera.read() for _ in range(5)]
        ages_s = [(time.monotonic_ns() - frame.captured_ns) / 1e9 for frame in frames]
        camera.close()
        pictures = [gray_of(frame) for frame in frames]
        tell(
            "raw",
            fourcc=fourcc,
            encodings=sorted({frame.encoding for frame in frames}),
            shapes=[picture.shape for picture in pictures],
            # A test pattern of coloured bars: its brightness has several levels.
            spread=float(pictures[-1].std()),
            ages_s=ages_s,
            levels=levels,
        )
    subprocess.run(["modprobe", "-r", "vivid"], check=True)


def commands(camera: Plugged) -> None:
    """Ask our own commands what they see."""
    program = "from appliance.cli.camera import camera; camera()"
    for arguments in (["list"], ["controls", str(camera.link)]):
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        tell("command", arguments=arguments, output=done.stdout)


def main() -> None:
    subprocess.run(["modprobe", "-a", "vhci-hcd", "uvcvideo"], check=True)
    raw_formats()
    camera = Plugged(0, "GATE")
    source = begin(camera)
    commands(camera)
    for cycle in range(3):
        pull_in_mid_frame(camera, source, cycle)
    stall(camera, source)
    lie(camera, source)
    two_at_once(camera, source)
    announced(camera, source)
    deaf(camera, source)
    began_ns = time.monotonic_ns()
    stopped = source.source.stop(LIMIT_S)
    tell("end", stopped=stopped, after_s=(time.monotonic_ns() - began_ns) / 1e9)


if __name__ == "__main__":
    main()
