"""The decode ladder: cheap rungs at once, one expensive rung in turn, the last place first.

Order and figures of the rungs: `rungs.RUNGS`. Nothing here reads a clock; the one passed in only
measures what the expensive rungs cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scanner.camera.port import Gray
from scanner.camera.rungs import FULL, RUNGS, SMALLEST_SIDE_PX, Cost, Rung, read_rung
from scanner.camera.sighting import Sighting

ROI_RUNG = "roi"
ROI_MARGIN = 0.25
WHOLE_LOOK_EVERY = 8
"""Looks after which the whole picture is read again although the last codes are still in place."""
MAX_SIGHTINGS = 16
"""Codes reported of one picture, largest first: a gate serves people, not sheets of labels."""


def read_picture(gray: Gray, rungs: Sequence[Rung] = RUNGS) -> list[Sighting]:
    """Return the codes that the first successful rung reads in one picture, largest first."""
    picture = np.ascontiguousarray(gray)
    for rung in rungs:
        if sightings := read_rung(rung, picture):
            return _largest_first(sightings)
    return []


def read_texts(gray: Gray) -> list[str]:
    """Return the texts of the QR codes in a picture (`uint8`, height x width), largest first.

    All rungs are tried until one reads. This is the entry for measuring the decoder beside others.
    """
    return [sighting.text for sighting in read_picture(gray)]


class Ladder:
    """Reads successive pictures of one camera. Not for use by two threads at once.

    :param monotonic_ns: the clock that measures the expensive rungs.
    :param budget_ns: what expensive rungs may cost per look on average. A rung that costs more is
        paid off by looks without one.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        *,
        rungs: Sequence[Rung] = RUNGS,
        budget_ns: int = 15_000_000,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._cheap = [rung for rung in rungs if rung.cost is Cost.CHEAP]
        self._expensive = [rung for rung in rungs if rung.cost is Cost.EXPENSIVE]
        self._budget_ns = budget_ns
        self._credit_ns = 0
        self._turn = 0
        self._last: list[Sighting] = []
        self._looks_in_place = 0

    def look(self, gray: Gray) -> list[Sighting]:
        """Return the codes in view, largest first; empty if none was read in this picture."""
        picture = np.ascontiguousarray(gray)
        sightings = self._revisit(picture)
        if sightings and self._looks_in_place < WHOLE_LOOK_EVERY:
            self._looks_in_place += 1
        else:
            self._looks_in_place = 0
            sightings = _merged(sightings, self._climb(picture, expensive=not sightings))
        self._last = _largest_first(sightings)
        return self._last

    def _revisit(self, picture: Gray) -> list[Sighting]:
        sightings: list[Sighting] = []
        for last in self._last:
            sightings = _merged(sightings, _read_around(picture, last))
        return sightings

    def _climb(self, picture: Gray, *, expensive: bool) -> list[Sighting]:
        for rung in self._cheap:
            if sightings := read_rung(rung, picture):
                return sightings
        return self._next_expensive(picture) if expensive and self._expensive else []

    def _next_expensive(self, picture: Gray) -> list[Sighting]:
        self._credit_ns = min(self._credit_ns + self._budget_ns, self._budget_ns)
        if self._credit_ns <= 0:
            return []
        rung = self._expensive[self._turn]
        self._turn = (self._turn + 1) % len(self._expensive)
        started_ns = self._monotonic_ns()
        sightings = read_rung(rung, picture)
        self._credit_ns -= self._monotonic_ns() - started_ns
        if sightings:  # the same difficulty meets the next frame: start with what helped
            self._turn = self._expensive.index(rung)
        return sightings


def _read_around(picture: Gray, last: Sighting) -> list[Sighting]:
    height, width = picture.shape
    xs, ys = [x for x, _ in last.quad], [y for _, y in last.quad]
    margin_x = ROI_MARGIN * (max(xs) - min(xs)) + 1
    margin_y = ROI_MARGIN * (max(ys) - min(ys)) + 1
    left, top = max(0, int(min(xs) - margin_x)), max(0, int(min(ys) - margin_y))
    right, bottom = min(width, int(max(xs) + margin_x)), min(height, int(max(ys) + margin_y))
    if min(right - left, bottom - top) < SMALLEST_SIDE_PX:
        return []
    return [
        sighting.moved(left, top, ROI_RUNG)
        for sighting in read_rung(FULL, picture[top:bottom, left:right])
    ]


def _merged(first: list[Sighting], second: list[Sighting]) -> list[Sighting]:
    known = {sighting.text for sighting in first}
    return first + [sighting for sighting in second if sighting.text not in known]


def _largest_first(sightings: list[Sighting]) -> list[Sighting]:
    return sorted(sightings, key=lambda sighting: -sighting.area_px)[:MAX_SIGHTINGS]
