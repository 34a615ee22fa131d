"""What pages are shown of a camera: made of its newest look, aside, only while somebody waits.

Reading is never slowed: the decode thread leaves a look in a mailbox of one, and not even that
while no page asks. A thread of its own makes a picture of it, at most ten times a second. Nothing
older than the newest is kept.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import cv2

from scanner.camera.look import Look
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Gray

PICTURE_EVERY_NS = 100_000_000
WATCHED_NS = 3_000_000_000
"""How long a page counts as watching after it last asked."""
_TAKE_S = 60.0
_STOP_TIMEOUT_S = 1.0

T = TypeVar("T")


class Darkroom(Generic[T]):
    """One camera's looks on their way to pages. Lives on one loop; make it and call it there.

    :param develop: makes of a look what pages get, or None if it is not for them; called on this
        darkroom's thread, from one look to the next.
    """

    def __init__(
        self, name: str, develop: Callable[[Look], T | None], monotonic_ns: Callable[[], int]
    ) -> None:
        self._develop = develop
        self._monotonic_ns = monotonic_ns
        self._loop = asyncio.get_running_loop()
        self._mailbox: Mailbox[Look] = Mailbox()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"{name}-pages", daemon=True)
        self._watched_until_ns = 0
        self._newest: tuple[int, T] | None = None
        self._arrived = asyncio.Event()
        self._closed = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, let everybody who waits go, and forget the picture."""
        self._closed = True
        self._newest = None
        self._arrived.set()
        self._stopping.set()
        self._mailbox.close()
        if self._thread.ident is not None:
            self._thread.join(_STOP_TIMEOUT_S)

    def looked(self, look: Look) -> None:
        """Take a look, from whatever thread; it is dropped while nobody watches."""
        if self._monotonic_ns() < self._watched_until_ns:
            self._mailbox.put(look)

    async def after(self, number: int, wait_s: float) -> tuple[int, T] | None:
        """Return the newest with its number if that is not `number`; None if none comes in time."""
        self._watched_until_ns = self._monotonic_ns() + WATCHED_NS
        if not (self._closed or self._is_news(number)):
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._arrived.wait()
        return self._newest if self._is_news(number) else None

    def _is_news(self, number: int) -> bool:
        return self._newest is not None and self._newest[0] != number

    def _work(self) -> None:
        number = 0
        while not self._mailbox.closed:
            look = self._mailbox.take(_TAKE_S)
            if look is None:
                continue
            began_ns = self._monotonic_ns()
            made = self._develop(look)
            if made is not None and not self._closed:
                number += 1
                self._loop.call_soon_threadsafe(self._publish, number, made)
            spent_ns = self._monotonic_ns() - began_ns
            self._stopping.wait(max(0, PICTURE_EVERY_NS - spent_ns) / 1e9)

    def _publish(self, number: int, made: T) -> None:
        if not self._closed:
            self._newest = (number, made)
            self._arrived.set()


def compressed(gray: Gray, longest_side_px: int, quality: int) -> bytes:
    """Return the picture as JPEG, scaled down where a side is longer than `longest_side_px`."""
    height, width = gray.shape
    share = longest_side_px / max(height, width)
    if share < 1:
        size = (max(1, round(width * share)), max(1, round(height * share)))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).view(gray.dtype)
    _, encoded = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
