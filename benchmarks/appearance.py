"""A code that comes into view on a card: turned and tilted, at once or carried in from the edge."""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
import segno
from numpy.typing import NDArray

from benchmarks.scenery import Random, Sensor
from scanner.scenes.sprite import Picture, as_picture

VERSION, MODULES, QUIET = 5, 37, 4
"""A QR code that holds some 80 characters at level M, and the white around it in modules."""
_MODULE_PX = 12
_ARRIVING_FRAMES = 4
_LOOKS = 4
"""Different frames of a code in view; after them they are shown again from the second on."""
_FINE = 2
_LENS_SIGMA_PX = 0.6
_STEP_MODULES = 2.0
"""A carried code's way from frame to frame: at 30 frames a second and 8 ms of exposure half a
module of blur, a third of what can be read."""


class Appearance(msgspec.Struct, frozen=True):
    """Frames of one appearance, as motion JPEG.

    `arriving` shows the code in part (none where it appears at once), `whole` all of it; the
    first frame of `whole` is the first that could be read.
    """

    text: str
    arriving: tuple[bytes, ...]
    whole: tuple[bytes, ...]

    def whole_frame(self, number: int) -> bytes:
        """Return the frame `number` (from 0) after the code came wholly into view."""
        if number < len(self.whole):
            return self.whole[number]
        return self.whole[1 + (number - 1) % (len(self.whole) - 1)]


def appearance(
    backdrop: Picture, share: float, text: str, sensor: Sensor, random: Random
) -> Appearance:
    """Return a code of `share` of the frame's height appearing before `backdrop`.

    Half of them are carried in, the others are there from one frame to the next.
    """
    height, width = backdrop.shape[:2]
    card = _card(text, random)
    quad = _pose(share * height, random)
    reach = np.abs(quad).max(0) * (1 + 2 * QUIET / MODULES)  # the white is part of the symbol
    room = np.maximum(np.array([width, height]) / 2 - reach, 0)
    carried = random.random() < 0.5
    step = np.zeros(2)
    at = np.array([width, height]) / 2 + random.uniform(-1, 1, 2) * room
    if carried:
        side = 1 if random.random() < 0.5 else -1
        at[0] = width / 2 + side * room[0]
        step[0] = -side * _STEP_MODULES * share * height / MODULES
    arriving = (
        [_composed(backdrop, card, quad + at - step * back, step[0]) for back in _BACKWARDS]
        if carried
        else []
    )
    whole = [
        _composed(backdrop, card, quad + at + step * number, step[0]) for number in range(_LOOKS)
    ]
    return Appearance(
        text, tuple(sensor.jpeg(p) for p in arriving), tuple(sensor.jpeg(p) for p in whole)
    )


_BACKWARDS = tuple(range(_ARRIVING_FRAMES, 0, -1))


def _card(text: str, random: Random) -> NDArray[np.uint8]:
    """Return the code in gray with the white around it, printed well or badly, in any light."""
    matrix = segno.make(text, version=VERSION, error="m", boost_error=False).matrix
    modules = np.pad(np.array([list(row) for row in matrix], np.uint8), QUIET)
    paper = int(random.integers(130, 245))
    ink = int(paper * random.uniform(0.1, 0.4))
    code = np.where(modules, np.uint8(ink), np.uint8(paper))
    return code.repeat(_MODULE_PX, 0).repeat(_MODULE_PX, 1)


def _pose(side_px: float, random: Random) -> NDArray[np.float64]:
    """Return the code's corners around (0, 0), clockwise from its top left: turned and tilted."""
    half = side_px / 2
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    yaw, pitch = np.radians(random.uniform(-18, 18, 2))
    turn = np.radians(random.uniform(-180, 180))
    depth = corners[:, 0] * np.sin(yaw) + corners[:, 1] * np.sin(pitch)
    near = 1 / (1 + depth / (5 * side_px))
    flat = corners * (np.cos(yaw), np.cos(pitch)) * near[:, None]
    turned = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    moved: NDArray[np.float64] = flat @ turned
    return moved


def _composed(
    backdrop: Picture, card: NDArray[np.uint8], quad: NDArray[np.float64], along_px: float
) -> Picture:
    """Return the backdrop with the card's code at `quad`, smeared by its way `along_px` a frame."""
    height, width = backdrop.shape[:2]
    inner = QUIET * _MODULE_PX
    outer = card.shape[0] - inner
    source = np.array([(inner, inner), (outer, inner), (outer, outer), (inner, outer)], np.float32)
    homography = cv2.getPerspectiveTransform(source, quad.astype(np.float32))
    side = float(card.shape[0])
    ends = np.array([[(0, 0), (side, 0), (side, side), (0, side)]], np.float32)
    reach = cv2.perspectiveTransform(ends, homography)[0]
    left, top = (max(0, int(n) - 8) for n in reach.min(0))
    right = min(width, int(reach[:, 0].max()) + 8)
    bottom = min(height, int(reach[:, 1].max()) + 8)
    if left >= right or top >= bottom:
        return backdrop
    finer = np.array([[_FINE, 0, -left * _FINE], [0, _FINE, -top * _FINE], [0, 0, 1]])
    size = ((right - left) * _FINE, (bottom - top) * _FINE)
    into = finer @ homography
    front = cv2.warpPerspective(card, into, size)
    mask = cv2.warpPerspective(np.full_like(card, 255), into, size)
    picture = backdrop.copy()
    box = picture[top:bottom, left:right]
    front, mask = (_seen(layer, box.shape[:2], along_px) for layer in (front, mask))
    cover = (mask.astype(np.float32) / 255)[:, :, None]
    # `front` is dark where the card is not: it is already weighed by how much of it is there.
    box[:] = as_picture(front[:, :, None] + box * (1 - cover))
    return picture


def _seen(layer: NDArray[Any], shape: tuple[int, ...], along_px: float) -> NDArray[np.uint8]:
    """Return a layer brought down to the frame's pixels, as lens and exposure leave it."""
    small = cv2.resize(layer, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _LENS_SIGMA_PX)
    taps = round(abs(along_px) * 8 / 33.3)
    return as_picture(cv2.blur(small, (taps, 1)) if taps > 1 else small)
