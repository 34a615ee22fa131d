"""The rungs of the decode ladder: how a picture is prepared before zxing-cpp reads it.

A rung is a preparation (`preparations`), its scale and a binarizer; `RUNGS` orders them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import cv2
import msgspec
from zxingcpp import BarcodeFormats, Binarizer

from scanner.camera.port import Gray
from scanner.camera.preparations import (
    adaptive,
    as_it_is,
    despeckled,
    gamma,
    inverted,
    scaled,
    sharpened,
    smoothed,
    without_ground,
)
from scanner.camera.sighting import Sighting, sightings_in
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.errors import DecoderError

Prepare = Callable[[Gray], Gray]

SMALLEST_SIDE_PX = 21
"""A QR code of version 1 has 21 modules (ISO/IEC 18004, 5.3.1): nothing smaller holds one."""
ENLARGED_MAX_PIXELS = 12_500_000
"""What an enlargement may grow to; larger pictures have no need of one."""


class Cost(StrEnum):
    """When a rung is tried."""

    CHEAP = "cheap"
    """In every picture that is looked at."""
    EXPENSIVE = "expensive"
    """One in turn over successive pictures, within a budget."""


class Reads(StrEnum):
    """Which of the wanted symbologies a rung is for."""

    SQUARES = "squares"
    """The QR family."""
    OTHERS = "others"
    """All but the QR family."""
    OTHERS_TURNED = "others_turned"
    """The same, and those that are read along lines in upright lines, too."""
    CORRECTED = "corrected"
    """All with error correction."""


class Rung(msgspec.Struct, frozen=True):
    """One way to read a picture."""

    name: str
    prepare: Prepare
    binarizer: Binarizer
    cost: Cost
    scale: tuple[float, float] = (1.0, 1.0)
    """Pixels across and down that `prepare` returns per pixel that it was given."""
    reads: Reads = Reads.SQUARES


def read_rung(rung: Rung, gray: Gray, wanted: Wanted = QR_ONLY) -> list[Sighting]:
    """Return the wanted codes that one rung reads in `gray`, in no order.

    Empty, too, if the rung is not for this picture or these codes.

    :raises DecoderError: the preparation or the decoder failed on this picture.
    """
    formats = _formats_of(rung, wanted)
    if formats is None:
        return []
    across, down = rung.scale
    height, width = gray.shape
    if min(width, height, width * across, height * down) < SMALLEST_SIDE_PX:
        return []
    if across * down > 1.0 and gray.size * across * down > ENLARGED_MAX_PIXELS:
        return []
    turned = rung.reads is Reads.OTHERS_TURNED
    try:
        return sightings_in(
            rung.prepare(gray), formats, rung.binarizer, rung.scale, rung.name, turned=turned
        )
    except (cv2.error, ValueError, RuntimeError, MemoryError) as error:
        msg = f"the rung '{rung.name}' failed on {width} x {height} pixels"
        raise DecoderError(msg) from error


def _formats_of(rung: Rung, wanted: Wanted) -> BarcodeFormats | None:
    match rung.reads:
        case Reads.SQUARES:
            return wanted.squares
        case Reads.OTHERS:
            return wanted.others
        case Reads.OTHERS_TURNED:
            return wanted.others if wanted.striped else None
        case Reads.CORRECTED:
            return wanted.corrected


_HALF, _THIRD, _DOUBLE = (0.5, 0.5), (1 / 3, 1 / 3), (2.0, 2.0)
_WIDER, _HIGHER = (1.6, 1.0), (1.0, 1.6)
_LOCAL, _GLOBAL, _FIXED = (
    Binarizer.LocalAverage,
    Binarizer.GlobalHistogram,
    Binarizer.FixedThreshold,
)


def _cheap(
    name: str,
    prepare: Prepare,
    binarizer: Binarizer,
    scale: tuple[float, float] = (1.0, 1.0),
    reads: Reads = Reads.SQUARES,
) -> Rung:
    return Rung(name, prepare, binarizer, Cost.CHEAP, scale, reads)


def _dear(
    name: str,
    prepare: Prepare,
    binarizer: Binarizer,
    scale: tuple[float, float] = (1.0, 1.0),
    reads: Reads = Reads.CORRECTED,
) -> Rung:
    return Rung(name, prepare, binarizer, Cost.EXPENSIVE, scale, reads)


FULL = _cheap("full", as_it_is, _LOCAL)
"""The picture as it is, each block against its own average."""

RUNGS: tuple[Rung, ...] = (
    _cheap("global", as_it_is, _GLOBAL),
    _cheap("fixed", as_it_is, _FIXED),
    _cheap("half", lambda g: scaled(g, *_HALF), _LOCAL, _HALF),
    FULL,
    _dear("adaptive-third", lambda g: adaptive(scaled(g, *_THIRD), 51, 2), _FIXED, _THIRD),
    _dear("inverted", inverted, _GLOBAL),
    _dear("gamma-4", lambda g: gamma(g, 4.0), _GLOBAL),
    _dear("adaptive-25", lambda g: adaptive(g, 25, 2), _FIXED),
    _dear("wider", lambda g: scaled(g, *_WIDER), _LOCAL, _WIDER),
    _dear("smooth-adaptive", lambda g: adaptive(smoothed(g, 5), 25, 2), _FIXED),
    _dear("adaptive-15", lambda g: adaptive(g, 15, 3), _FIXED),
    _dear("ground", lambda g: without_ground(despeckled(g, 3), 61), _GLOBAL),
    _dear("double", lambda g: scaled(g, *_DOUBLE), _LOCAL, _DOUBLE),
    _dear("sharp", lambda g: sharpened(g, 1.0), _LOCAL),
    _dear("adaptive-half", lambda g: adaptive(scaled(g, *_HALF), 31, 5), _FIXED, _HALF),
    _dear("despeckled", lambda g: despeckled(g, 3), _LOCAL),
    _dear("gamma-2", lambda g: gamma(g, 2.0), _LOCAL),
    _dear("inverted-local", inverted, _LOCAL),
    _dear("higher", lambda g: scaled(g, *_HIGHER), _LOCAL, _HIGHER),
)
"""All rungs, in the order that the open photographs teach (`make rungs`): the next one reads most
for what it costs; then comes what reads the hard ones in another way."""

_OTHERS: tuple[Rung, ...] = (
    _cheap("others", as_it_is, _LOCAL, reads=Reads.OTHERS),
    _dear("others-turned", as_it_is, _LOCAL, reads=Reads.OTHERS_TURNED),
)
"""What codes outside the QR family need: full resolution."""


def rungs_for(wanted: Wanted) -> tuple[Rung, ...]:
    """Return the rungs for a site's symbologies, in the order in which they are tried."""
    if wanted.others is None:
        return RUNGS
    by_cost = sorted((*_OTHERS, *RUNGS), key=lambda rung: rung.cost is Cost.EXPENSIVE)
    return tuple(rung for rung in by_cost if _formats_of(rung, wanted) is not None)
