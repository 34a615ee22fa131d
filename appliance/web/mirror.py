"""The kiosk's mirror: who stands before a lane's camera sees themselves, small, and only now.

The same frames as the reader's, scaled down, with every code in them made unreadable: nobody copies
a neighbour's from the screen. Pictures are made only while a page asks and something moves; one is
kept, until the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from aiohttp import web

from appliance.web.darkroom import Darkroom, compressed
from scanner.camera.likeness import likely_codes
from scanner.camera.look import Look
from scanner.camera.port import Gray

LONGEST_SIDE_PX = 400
JPEG_QUALITY = 60
CODE_CELL_PX = 12
"""A code is shown in cells of this size, several modules each."""
STILL_AFTER_NS = 400_000_000
"""Looks farther apart than this are forced ones: nothing moves."""
WAIT_S = 1.0
MAX_WAITING = 64


class Mirrors:
    """One mirror a lane. Lives on one loop; make it and call it there, but for `looked`."""

    def __init__(self, lanes: Iterable[str], monotonic_ns: Callable[[], int]) -> None:
        self._darkrooms = {lane: Darkroom(lane, _developing(), monotonic_ns) for lane in lanes}
        for darkroom in self._darkrooms.values():
            darkroom.start()

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes that have one."""
        return tuple(self._darkrooms)

    def looked(self, lane: str) -> Callable[[Look], None] | None:
        """Return what the lane's camera calls with each look; None if the lane has no mirror."""
        darkroom = self._darkrooms.get(lane)
        return darkroom.looked if darkroom else None

    def close(self) -> None:
        """End the threads and let every waiting page go."""
        for darkroom in self._darkrooms.values():
            darkroom.close()

    def add_to(self, app: web.Application) -> None:
        """Let `app` answer `/lanes/NAME/picture?after=NUMBER`.

        With a JPEG picture and its number (`X-Number`); 204 if nothing moves for a second.
        """
        waiting = 0

        async def answer(request: web.Request) -> web.Response:
            nonlocal waiting
            darkroom = self._darkrooms.get(request.match_info["lane"])
            after = request.query.get("after", "0")
            if darkroom is None:
                raise web.HTTPNotFound(text="this lane has no mirror\n")
            if not (after.isdecimal() and len(after) <= 12):
                raise web.HTTPBadRequest(text="after is the number of a picture\n")
            if waiting >= MAX_WAITING:
                raise web.HTTPServiceUnavailable(
                    text="too many look\n", headers={"Retry-After": "5"}
                )
            waiting += 1
            try:
                found = await darkroom.after(int(after), WAIT_S)
            finally:
                waiting -= 1
            headers = {"Cache-Control": "no-store"}
            if found is None:
                return web.Response(status=204, headers=headers)
            number, picture = found
            headers |= {"X-Number": str(number), "Content-Type": "image/jpeg"}
            return web.Response(body=picture, headers=headers)

        app.router.add_get("/lanes/{lane}/picture", answer)


def _developing() -> Callable[[Look], bytes | None]:
    last_ns: int | None = None

    def develop(look: Look) -> bytes | None:
        nonlocal last_ns
        before_ns, last_ns = last_ns, look.frame.captured_ns
        if before_ns is None or last_ns - before_ns > STILL_AFTER_NS:
            return None
        return compressed(reflected(look), LONGEST_SIDE_PX, JPEG_QUALITY)

    return develop


def reflected(look: Look) -> Gray:
    """Return the look's picture, small, its codes coarse; not yet the wrong way round."""
    height, width = look.gray.shape
    share = min(1.0, LONGEST_SIDE_PX / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(np.ascontiguousarray(look.gray), size, interpolation=cv2.INTER_AREA)
    places = [sighting.quad for sighting in look.sightings]
    places += likely_codes(look.gray, look.candidates, smeared=True)
    if places:
        cells = (max(1, size[0] // CODE_CELL_PX), max(1, size[1] // CODE_CELL_PX))
        coarse = cv2.resize(small, cells, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(coarse, size, interpolation=cv2.INTER_NEAREST)
        mask = np.zeros(small.shape, np.uint8)
        for quad in places:
            corners = np.array(quad, np.float64) * share
            cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
        small[mask > 0] = coarse[mask > 0]
    return small.view(np.uint8)
