"""From a camera's decode thread to the preview's pages: the newest look, measured and drawn aside.

Reading is never slowed: the decode thread leaves a look in a mailbox, and only while a page is
watched. A thread of each camera measures and compresses, at most ten times a second.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping

import cv2
import msgspec

from appliance.web.preview_view import Figures, LookView, look_view
from scanner.camera.advice import Steady, advice_for
from scanner.camera.look import Look
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Gray
from scanner.camera.quality import quality_of

PICTURE_EVERY_NS = 100_000_000
WATCHED_NS = 3_000_000_000
"""How long a page counts as watching after it last asked."""
LONGEST_SIDE_PX = 960
JPEG_QUALITY = 70
FPS_OVER_NS = 3_000_000_000
_TAKE_S = 60.0
_STOP_TIMEOUT_S = 1.0


class CameraView(msgspec.Struct, frozen=True):
    """One answer to a page: all cameras in brief, one in full."""

    build: str
    cameras: tuple[str, ...]
    up: tuple[bool, ...]
    camera: int
    number: int
    """Which look this is; a page asks for what comes after it."""
    figures: Figures
    look: LookView | None


class _Shown(msgspec.Struct, frozen=True):
    number: int
    look: LookView
    picture: bytes


class _Watch:
    """One camera's looks. `looked` is called on its decode thread, all else on the loop."""

    def __init__(
        self, name: str, monotonic_ns: Callable[[], int], publish: Callable[[_Shown], None]
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._publish = publish
        self._mailbox: Mailbox[Look] = Mailbox()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"{name}-preview", daemon=True)
        self.watched_until_ns = 0
        self.newest: _Shown | None = None
        self.arrived = asyncio.Event()
        self.counted: deque[tuple[int, int]] = deque()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._mailbox.close()
        self._thread.join(_STOP_TIMEOUT_S)

    def looked(self, look: Look) -> None:
        if self._monotonic_ns() < self.watched_until_ns:
            self._mailbox.put(look)

    def _work(self) -> None:
        steady, number = Steady(), 0
        while not self._mailbox.closed:
            look = self._mailbox.take(_TAKE_S)
            if look is None:
                continue
            began_ns = self._monotonic_ns()
            number += 1
            quality = quality_of(look.gray, look.sightings, look.candidates)
            advice = steady.take(advice_for(quality), look.frame.captured_ns)
            picture = compressed(look.gray, LONGEST_SIDE_PX, JPEG_QUALITY)
            age_ms = (self._monotonic_ns() - look.frame.captured_ns) / 1e6
            self._publish(_Shown(number, look_view(look, quality, advice, age_ms), picture))
            spent_ns = self._monotonic_ns() - began_ns
            self._stopping.wait(max(0, PICTURE_EVERY_NS - spent_ns) / 1e9)


class PreviewScreen:
    """What pages ask. Lives on one loop; make it and call it there, but for `looked`.

    :param names: the cameras, in the order of the page's tabs.
    """

    def __init__(self, names: tuple[str, ...], monotonic_ns: Callable[[], int]) -> None:
        self.names = names
        self.build = ""
        self._monotonic_ns = monotonic_ns
        self._loop = asyncio.get_running_loop()
        self._figures: Mapping[str, Callable[[], Figures]] = {}
        self._closed = False
        self._watches = {name: _Watch(name, monotonic_ns, self._publisher(name)) for name in names}

    def looked(self, name: str) -> Callable[[Look], None]:
        """Return what the named camera calls with each look, from its decode thread."""
        return self._watches[name].looked

    def start(self, figures: Mapping[str, Callable[[], Figures]]) -> None:
        """Start the threads. `figures` tells of each camera by its name, at once."""
        self._figures = figures
        for watch in self._watches.values():
            watch.start()

    def close(self) -> None:
        """End the threads and let every waiting page go."""
        self._closed = True
        for watch in self._watches.values():
            watch.arrived.set()
            watch.stop()

    async def after(self, camera: int, number: int, wait_s: float) -> tuple[CameraView, bytes]:
        """Return the newest look if it is not `number`, waiting for one up to `wait_s`.

        Without one, the view has no look and the picture is empty; its figures are of now.
        """
        name = self.names[camera]
        watch = self._watches[name]
        watch.watched_until_ns = self._monotonic_ns() + WATCHED_NS
        if not self._closed and not _is_news(watch.newest, number):
            watch.arrived.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await watch.arrived.wait()
            except TimeoutError:
                pass
        shown = watch.newest if _is_news(watch.newest, number) else None
        view = CameraView(
            build=self.build,
            cameras=self.names,
            up=tuple(self._figures_of(each).up for each in self.names),
            camera=camera,
            number=shown.number if shown else number,
            figures=self._with_rate(watch, self._figures_of(name)),
            look=shown.look if shown else None,
        )
        return view, shown.picture if shown else b""

    def _publisher(self, name: str) -> Callable[[_Shown], None]:
        def show(shown: _Shown) -> None:
            self._watches[name].newest = shown
            self._watches[name].arrived.set()

        def publish(shown: _Shown) -> None:
            if not self._closed:
                self._loop.call_soon_threadsafe(show, shown)

        return publish

    def _figures_of(self, name: str) -> Figures:
        told = self._figures.get(name)
        return told() if told else Figures(up=False)

    def _with_rate(self, watch: _Watch, figures: Figures) -> Figures:
        """Return the figures with the frames a second since a few seconds ago."""
        now_ns = self._monotonic_ns()
        counted = watch.counted
        counted.append((now_ns, figures.frames))
        while len(counted) > 2 and now_ns - counted[1][0] > FPS_OVER_NS:
            counted.popleft()
        (then_ns, frames), rate = counted[0], 0.0
        if now_ns > then_ns:
            rate = max(0, figures.frames - frames) * 1e9 / (now_ns - then_ns)
        return msgspec.structs.replace(figures, fps=round(rate, 1))


def _is_news(shown: _Shown | None, number: int) -> bool:
    return shown is not None and shown.number != number


def compressed(gray: Gray, longest_side_px: int, quality: int) -> bytes:
    """Return the picture as JPEG, scaled down where a side is longer than `longest_side_px`."""
    height, width = gray.shape
    share = longest_side_px / max(height, width)
    if share < 1:
        size = (max(1, round(width * share)), max(1, round(height * share)))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).view(gray.dtype)
    _, encoded = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
