"""Reading without regard to the next frame: all rungs, and readers that are too slow for a stream.

What is read here was not read inline. It runs beside the inline lane (`slow_lane`), or in place of
a stream where there is one picture only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from scanner.camera.crops import (
    Crop,
    Locate,
    cut,
    inside,
    largest_first,
    located,
    merged,
    read_crop,
    regions_of,
)
from scanner.camera.crowd import is_crowded
from scanner.camera.port import Gray
from scanner.camera.regions import Quad, Region, whole
from scanner.camera.rungs import rungs_for
from scanner.camera.sighting import Sighting
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.errors import DecoderError

DeepReader = Callable[[Gray, int], Sequence[Sighting]]
"""Reads a crop in its own way until a monotonic time in nanoseconds, rung named by itself."""


_BY_RUNGS, _CROPS_DEEPLY = 0.3, 0.8
"""Share of the time that is over when each step must have ended; the last one has the rest."""


_Read = Callable[[Crop, int], list[Sighting]]


class Job(msgspec.Struct, frozen=True, gc=False):
    """What the inline lane did not read: places that look like a code, or the picture."""

    captured_ns: int
    crops: tuple[Crop, ...] = ()
    picture: Crop | None = None
    """What is read last, and searched for places if there are no crops."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """What came of a job. `captured_ns` is the job's own."""

    captured_ns: int
    sightings: tuple[Sighting, ...] = ()
    faults: int = 0
    timed_out: bool = False
    """Whether time ran out before everything was tried."""


def job_of(
    gray: Gray,
    captured_ns: int = 0,
    *,
    candidates: Sequence[Quad] = (),
    moved: Region | None = None,
) -> Job:
    """Return the job for a picture: its candidates alone, or what moved, or all of it."""
    if candidates:
        regions = regions_of(gray, candidates)
        return Job(captured_ns, tuple(cut(gray, region) for region in regions))
    return Job(captured_ns, picture=cut(gray, moved or whole(gray)))


class SlowReader:
    """Tries everything on one job after another. Not for use by two threads at once.

    :param monotonic_ns: the clock of the deadlines. One that stands still makes what is read depend
        on the job alone.
    :param deep: tried on each crop after the rungs, in order.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        *,
        wanted: Wanted = QR_ONLY,
        locate: Locate | None = None,
        deep: Sequence[DeepReader] = (),
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._wanted = wanted
        self._rungs = rungs_for(wanted)
        self._locate = locate
        self._deep = deep
        self._faults = 0

    def open(self) -> None:
        """Do nothing: it is ready."""

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def read(self, job: Job, until_ns: int) -> Found:
        """Return what is read in a job, largest first. Never raises for what the pictures hold.

        One rung or reader may end later than `until_ns`.
        """
        began_ns = self._monotonic_ns()
        crowded = [crop for crop in (*job.crops, job.picture) if crop and is_crowded(crop.gray)]
        self._faults = len(crowded)
        if crowded:
            return Found(job.captured_ns, faults=self._faults)
        crops = job.crops or self._searched(job.picture)
        picture = (job.picture,) if job.picture is not None else ()
        steps: tuple[tuple[float, Sequence[Crop], _Read], ...] = (
            (_BY_RUNGS, picture or crops, self._by_rungs),
            (_CROPS_DEEPLY if picture else 1.0, crops, self._deeply),
            (1.0, picture, self._deeply),
        )
        sightings: list[Sighting] = []
        for share, parts, read in steps:
            share_ns = math.ceil((until_ns - began_ns) * share)
            sightings = self._each(parts, read, min(until_ns, began_ns + share_ns))
            if sightings:
                break
        return Found(
            job.captured_ns,
            tuple(largest_first(sightings)),
            self._faults,
            timed_out=not sightings and self._is_over(until_ns),
        )

    def _each(self, crops: Sequence[Crop], read: _Read, until_ns: int) -> list[Sighting]:
        """Read every crop, each within half of what is left of the time: the likeliest come first.

        The last one has all of the rest.
        """
        sightings: list[Sighting] = []
        for left, crop in zip(range(len(crops) - 1, -1, -1), crops, strict=True):
            now_ns = self._monotonic_ns()
            half_ns = now_ns - (now_ns - until_ns) // 2 if left else until_ns
            sightings = merged(sightings, read(crop, max(now_ns, half_ns)))
        return sightings

    def _searched(self, picture: Crop | None) -> tuple[Crop, ...]:
        if picture is None or self._locate is None:
            return ()
        try:
            candidates = located(self._locate, picture.gray)
        except DecoderError:
            self._faults += 1
            return ()
        if not candidates:
            return ()
        return tuple(inside(picture, region) for region in regions_of(picture.gray, candidates))

    def _by_rungs(self, crop: Crop, until_ns: int) -> list[Sighting]:
        for rung in self._rungs:
            if self._is_over(until_ns):
                break
            try:
                if sightings := read_crop(rung, crop, self._wanted):
                    return sightings
            except DecoderError:
                self._faults += 1
        return []

    def _deeply(self, crop: Crop, until_ns: int) -> list[Sighting]:
        for read in self._deep:
            if self._is_over(until_ns):
                break
            try:
                sightings = read(crop.gray, until_ns)
            except Exception:  # noqa: BLE001 - a reader's edge: what stumbles is counted
                self._faults += 1
                continue
            wanted = [each for each in sightings if each.symbology in self._wanted.symbologies]
            if wanted:
                return [each.moved(crop.left, crop.top, each.rung) for each in wanted]
        return []

    def _is_over(self, until_ns: int) -> bool:
        return self._monotonic_ns() >= until_ns
