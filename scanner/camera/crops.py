"""What is cut out of a picture for the rungs that are too dear for the whole of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from scanner.camera.port import Gray
from scanner.camera.regions import Quad, Region, around, whole
from scanner.camera.rungs import Rung, read_rung
from scanner.camera.sighting import Sighting
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.errors import DecoderError

Locate = Callable[[Gray], Sequence[Quad]]
"""Returns the places in a picture that look like a code, the likeliest first."""

MARGIN = 0.25
"""Share of a candidate's size that is cut out beside it: its quiet zone, and a doubtful corner."""
MAX_CANDIDATES = 6
"""Places of one picture that are looked at closely: a wall of codes must not stop a gate."""
MAX_SIGHTINGS = 16
"""Codes reported of one picture, largest first: a gate serves people, not sheets of labels."""


class Crop(msgspec.Struct, frozen=True, gc=False):
    """A part of a picture, and where its top left lies in it."""

    gray: Gray
    left: int = 0
    top: int = 0


def cut(gray: Gray, region: Region) -> Crop:
    """Return a part of a picture as an array of its own rows."""
    return Crop(np.ascontiguousarray(region.cut(gray)), region.left, region.top)


def inside(crop: Crop, region: Region) -> Crop:
    """Return a part of a crop, which knows its place in the whole picture."""
    part = cut(crop.gray, region)
    return Crop(part.gray, crop.left + part.left, crop.top + part.top)


def located(locate: Locate, gray: Gray) -> tuple[Quad, ...]:
    """Return the likeliest places for a code, at most `MAX_CANDIDATES`.

    :raises DecoderError: the localiser failed on this picture.
    """
    try:
        return tuple(locate(gray)[:MAX_CANDIDATES])
    except Exception as error:
        msg = f"the localiser failed on {gray.shape[1]} x {gray.shape[0]} pixels"
        raise DecoderError(msg) from error


def regions_of(gray: Gray, candidates: Iterable[Quad], moved: Region | None = None) -> list[Region]:
    """Return where to look closely: around the candidates, or where it moved, or everywhere.

    The likeliest candidate stays the first; no two regions are the same.
    """
    regions = list(dict.fromkeys(around(quad, gray, MARGIN) for quad in candidates))
    regions = [region for region in regions if region.pixels][:MAX_CANDIDATES]
    if not regions and moved is not None and moved.pixels:
        regions = [moved]
    return regions or [whole(gray)]


def read_crop(rung: Rung, crop: Crop, wanted: Wanted = QR_ONLY, name: str = "") -> list[Sighting]:
    """Return what a rung reads in a crop, with quads of the whole picture.

    :param name: what the sightings name as their rung, its own name if empty.
    :raises DecoderError: as `read_rung`.
    """
    return [
        sighting.moved(crop.left, crop.top, name or sighting.rung)
        for sighting in read_rung(rung, crop.gray, wanted)
    ]


def merged(first: list[Sighting], second: list[Sighting]) -> list[Sighting]:
    """Return both, without texts of the second that the first has."""
    known = {sighting.text for sighting in first}
    return first + [sighting for sighting in second if sighting.text not in known]


def largest_first(sightings: list[Sighting]) -> list[Sighting]:
    """Return the largest sightings, at most `MAX_SIGHTINGS`."""
    return sorted(sightings, key=lambda sighting: -sighting.area_px)[:MAX_SIGHTINGS]
