"""The decode ladder: the last places first, cheap rungs at once, expensive ones in turn.

Order and figures of the rungs: `rungs.RUNGS`. Nothing here reads a clock but `read_texts`, which
has nobody to pass one in; the one passed in elsewhere only measures what reading costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from scanner.camera.crops import (
    Crop,
    Locate,
    cut,
    largest_first,
    located,
    merged,
    read_crop,
    regions_of,
)
from scanner.camera.crowd import is_crowded
from scanner.camera.deep import slow_reader
from scanner.camera.port import Gray
from scanner.camera.regions import Quad, Region, shifted, whole
from scanner.camera.rungs import FULL, RUNGS, SMALLEST_SIDE_PX, Cost, Rung, read_rung, rungs_for
from scanner.camera.sighting import Sighting
from scanner.camera.slow_reading import job_of
from scanner.camera.symbol.candidates import candidates
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.camera.tracker import Tracked, Tracker
from scanner.errors import DecoderError

ROI_RUNG = "roi"
WHOLE_LOOK_EVERY = 8
"""Looks after which the whole picture is read again although the last codes are still in place."""
BUDGET_NS = 9_000_000
SLOW_LIMIT_NS = 500_000_000
"""What `read_texts` may spend on one picture: a later answer is of no use at a gate."""


def read_texts(gray: Gray) -> list[str]:
    """Return the texts of the QR codes in a picture (`uint8`, height x width), largest first.

    It is read as `read_closely` says. This is the entry for measuring the decoder beside others.
    """
    return [sighting.text for sighting in read_closely(gray, _ticks_ns)]


def read_closely(
    gray: Gray, monotonic_ns: Callable[[], int], wanted: Wanted = QR_ONLY
) -> list[Sighting]:
    """Return the codes in one picture, largest first, read as a camera's frame would be.

    By the inline lane and, if that reads nothing, by the slow lane, for at most 500 ms together
    (and one rung).
    """
    until_ns = monotonic_ns() + SLOW_LIMIT_NS
    return read_inline(gray, monotonic_ns, wanted) or read_slowly(
        gray, until_ns, monotonic_ns, wanted
    )


def read_inline(
    gray: Gray, monotonic_ns: Callable[[], int], wanted: Wanted = QR_ONLY
) -> list[Sighting]:
    """Return what one look of the inline lane reads in a picture that it never saw before."""
    return Ladder(monotonic_ns, wanted=wanted, locate=candidates).look(gray)


def read_slowly(
    gray: Gray, until_ns: int, monotonic_ns: Callable[[], int], wanted: Wanted = QR_ONLY
) -> list[Sighting]:
    """Return what the slow lane reads in a picture, largest first, stopping at `until_ns`."""
    return list(slow_reader(monotonic_ns, wanted).read(job_of(gray), until_ns).sightings)


def read_picture(
    gray: Gray, rungs: Sequence[Rung] = RUNGS, wanted: Wanted = QR_ONLY
) -> list[Sighting]:
    """Return the codes that the first successful rung reads in one picture, largest first.

    :raises DecoderError: as `read_rung`.
    """
    picture = np.ascontiguousarray(gray)
    for rung in rungs:
        if sightings := read_rung(rung, picture, wanted):
            return largest_first(sightings)
    return []


class Ladder:
    """Reads successive pictures of one camera. Not for use by two threads at once.

    :param monotonic_ns: the clock that measures what is expensive.
    :param wanted: the symbologies that are reported.
    :param rungs: in the order in which they are tried; the rungs for `wanted` unless given.
    :param locate: finds places for the expensive rungs, which otherwise go by movement.
    :param budget_ns: what localiser and expensive rungs may cost per look on average. What costs
        more is paid off by looks without.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        *,
        wanted: Wanted = QR_ONLY,
        rungs: Sequence[Rung] | None = None,
        locate: Locate | None = None,
        budget_ns: int = BUDGET_NS,
    ) -> None:
        rungs = rungs_for(wanted) if rungs is None else rungs
        self._monotonic_ns = monotonic_ns
        self._wanted = wanted
        self._locate = locate
        self._rungs = rungs
        self._cheap = [rung for rung in rungs if rung.cost is Cost.CHEAP]
        self._expensive = [rung for rung in rungs if rung.cost is Cost.EXPENSIVE]
        self._by_name = {rung.name: rung for rung in rungs}
        self._budget_ns = budget_ns
        self._credit_ns = 0
        self._turn = self._crop_turn = self._whole_turn = 0
        self._tracker = Tracker()
        self._looks_in_place = 0
        self.candidates: tuple[Quad, ...] = ()
        """Places that look like a code and were not read in the last look, as far as it went."""
        self.faults = 0
        """Rungs and localisers that failed on a picture; each was left out for that picture."""
        self.last_fault = ""

    def look(
        self,
        gray: Gray,
        now_ns: int = 0,
        *,
        keen: bool = True,
        moved: Region | None = None,
    ) -> list[Sighting]:
        """Return the codes in view, largest first; empty if none was read in this picture.

        :param now_ns: the picture's stamp, by which codes are followed.
        :param keen: whether expensive rungs are worth their cost in this picture.
        :param moved: where something moved, if that is known.
        """
        picture = np.ascontiguousarray(gray)
        self.candidates = ()
        sightings = self._revisit(picture, now_ns)
        if not sightings and is_crowded(picture):
            self._failed(DecoderError("the picture is full of finder patterns"))
            self._tracker.saw((), now_ns)
            return []
        in_place = 0 < len(self._tracker) == len(sightings)
        if in_place and self._looks_in_place < WHOLE_LOOK_EVERY:
            self._looks_in_place += 1
        else:
            self._looks_in_place = 0
            sightings = merged(sightings, self._climb(picture, one_in_turn=in_place))
            if keen and not sightings:
                sightings = self._study(picture, moved)
        sightings = largest_first(sightings)
        self._tracker.saw(sightings, now_ns)
        return sightings

    def follow(self, sighting: Sighting, seen_ns: int) -> None:
        """Look for a code from now on where the slow lane has read it."""
        self._tracker.follow(sighting, seen_ns)

    def _revisit(self, picture: Gray, now_ns: int) -> list[Sighting]:
        sightings: list[Sighting] = []
        for tracked, region in self._tracker.expected(picture, now_ns):
            if min(region.width_px, region.height_px) >= SMALLEST_SIDE_PX:
                sightings = merged(sightings, self._reread(tracked, cut(picture, region)))
        return sightings

    def _reread(self, tracked: Tracked, crop: Crop) -> list[Sighting]:
        """Read a code where it is expected: as it is, or by the rung that read it last."""
        if sightings := self._read(FULL, crop, ROI_RUNG):
            return sightings
        last = self._by_name.get(tracked.sighting.rung)
        return self._read(last, crop) if last is not None else []

    def _climb(self, picture: Gray, *, one_in_turn: bool) -> list[Sighting]:
        rungs = self._cheap
        if one_in_turn and rungs:
            self._whole_turn = (self._whole_turn + 1) % len(rungs)
            rungs = [rungs[self._whole_turn]]
        for rung in rungs:
            if sightings := self._read(rung, Crop(picture)):
                return sightings
        return []

    def _study(self, picture: Gray, moved: Region | None) -> list[Sighting]:
        self._credit_ns = min(self._credit_ns + self._budget_ns, self._budget_ns)
        if self._credit_ns <= 0:
            return []
        started_ns = self._monotonic_ns()
        self.candidates = self._located(picture, moved)
        regions = regions_of(picture, self.candidates, moved)
        if self.candidates:
            crops = [cut(picture, region) for region in regions]
            sightings = self._search(crops, started_ns + self._credit_ns)
        else:
            sightings = self._in_turn(cut(picture, regions[0]))
        self._credit_ns -= self._monotonic_ns() - started_ns
        if sightings:
            self.candidates = ()
        return sightings

    def _search(self, crops: Sequence[Crop], until_ns: int) -> list[Sighting]:
        """Read crops by one rung after another, beginning where the last look ended.

        Whatever time it is, all are read as they are: that is what most need, and costs little.
        """
        found: list[Sighting] = []
        for crop in crops if FULL in self._rungs else ():
            found = merged(found, self._read(FULL, crop))
        if found:
            return found
        for _ in range(len(self._rungs)):
            rung = self._rungs[self._crop_turn]
            sightings: list[Sighting] = []
            for crop in crops:
                sightings = merged(sightings, self._read(rung, crop))
                if self._monotonic_ns() >= until_ns:
                    break
            if sightings:  # the same difficulty meets the next frame: begin with what helped
                return sightings
            self._crop_turn = (self._crop_turn + 1) % len(self._rungs)
            if self._monotonic_ns() >= until_ns:
                break
        return []

    def _in_turn(self, crop: Crop) -> list[Sighting]:
        """Read what moved, or the whole picture, by one expensive rung."""
        if not self._expensive:
            return []
        sightings = self._read(self._expensive[self._turn], crop)
        if not sightings:
            self._turn = (self._turn + 1) % len(self._expensive)
        return sightings

    def _located(self, picture: Gray, moved: Region | None) -> tuple[Quad, ...]:
        """Return the likeliest places in what moved, which is much less to search than all."""
        if self._locate is None:
            return ()
        region = moved if moved is not None and moved.pixels else whole(picture)
        try:
            quads = located(self._locate, cut(picture, region).gray)
        except DecoderError as error:
            self._failed(error)
            return ()
        return tuple(shifted(quad, region.left, region.top) for quad in quads)

    def _read(self, rung: Rung, crop: Crop, name: str = "") -> list[Sighting]:
        try:
            return read_crop(rung, crop, self._wanted, name)
        except DecoderError as error:
            self._failed(error)
            return []

    def _failed(self, error: DecoderError) -> None:
        self.faults += 1
        self.last_fault = str(error)


def _ticks_ns() -> int:
    return int(cv2.getTickCount() * 1e9 / cv2.getTickFrequency())
