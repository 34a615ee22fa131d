"""A person with a carrier in hand, painted once per presentation."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from scanner.errors import RecordingError
from scanner.scenes.carriers import QUIET_MODULES, FlatCarrier, flat_carrier
from scanner.scenes.figure import (
    Brush,
    chance_looks,
    draw_arm,
    draw_body,
    draw_fingers,
    in_shade,
    shade_body,
)
from scanner.scenes.optics import DARK, Homography, lit, moved_points, pose, with_glare
from scanner.scenes.presentation import Carrier, Light, Presentation
from scanner.scenes.sprite import Picture, Sprite, as_picture

FIELD_WIDTH, FIELD_HEIGHT = 640, 720
"""The person's own field, in units of 1/720 of the frame's height."""
_CODE_CENTRE = (320.0, 452.0)
_LARGEST_CODE = 300.0
"""Units; a code that would be larger is shown this large."""
_SMALLEST_MODULE_PX = 1.9
_ACCENTS = ((150, 84, 30), (70, 120, 40), (60, 60, 170), (130, 60, 110))
_FINER = 2
"""The carrier is painted this much finer than the frame and brought down: smooth edges."""


def painted(
    presentation: Presentation, unit: float, rng: random.Random, noise: np.random.Generator
) -> Sprite:
    """Return the person, sharp and noiseless; `unit` is 1/720 of the frame's height in pixels.

    :raises RecordingError: if the text fits no QR code, or none that can be read at this size.
    """
    difficulty = presentation.difficulty
    flat = flat_carrier(presentation.carrier, presentation.text, rng.choice(_ACCENTS))
    px_per_module = _fitting(difficulty.px_per_module, flat, unit)
    centre = (_CODE_CENTRE[0] * unit, _CODE_CENTRE[1] * unit)
    homography = pose(flat, difficulty, px_per_module, centre)
    brush = Brush(round(FIELD_WIDTH * unit), round(FIELD_HEIGHT * unit), unit)
    looks = chance_looks(rng)
    grip = _grip(flat, homography, unit)
    draw_body(brush, looks)
    draw_arm(brush, looks, (grip[0] + 14, grip[1] + 16))
    shade_body(brush.picture, noise)
    brush.picture[:] = lit(brush.picture, difficulty.light)
    _hold(brush, flat, homography, presentation)
    if difficulty.light is Light.GLARE:
        code_px = px_per_module * flat.modules
        brush.picture[:] = with_glare(brush.picture, presentation.carrier, centre, code_px)
    draw_fingers(brush, in_shade(looks) if difficulty.light in DARK else looks, grip)
    if difficulty.defocus_px > 0:
        blurred = cv2.GaussianBlur(brush.picture, (0, 0), difficulty.defocus_px)
        brush.picture[:] = blurred
    return Sprite(brush.picture, brush.mask)


def _hold(
    brush: Brush, flat: FlatCarrier, homography: Homography, presentation: Presentation
) -> None:
    """Paint the carrier, lit as its kind is, over the body."""
    height, width = flat.mask.shape
    corners = moved_points(homography, [(0, 0), (width, 0), (width, height), (0, height)])
    rows, columns = brush.mask.shape
    left, top = (max(0, math.floor(min(c[axis] for c in corners)) - 2) for axis in (0, 1))
    right = min(columns, math.ceil(max(c[0] for c in corners)) + 2)
    bottom = min(rows, math.ceil(max(c[1] for c in corners)) + 2)
    into_box = np.array([[_FINER, 0, -left * _FINER], [0, _FINER, -top * _FINER], [0, 0, 1]])
    fine = ((right - left) * _FINER, (bottom - top) * _FINER)

    def brought_down(flat_picture: Picture) -> Picture:
        warped = cv2.warpPerspective(flat_picture, into_box @ homography, fine)
        return as_picture(
            cv2.resize(warped, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        )

    front, outline = brought_down(flat.picture), brought_down(flat.mask)
    shines = outline if presentation.carrier is Carrier.PHONE else None
    front = lit(front, presentation.difficulty.light, shines=shines)
    Sprite(front, outline).paste(brush.picture, left, top)
    box = brush.mask[top:bottom, left:right]
    np.maximum(box, outline, out=box)


def _grip(flat: FlatCarrier, homography: Homography, unit: float) -> tuple[float, float]:
    """Return where the hand holds the carrier, in units: on its right edge, below the code."""
    height, width = flat.mask.shape
    below = flat.code_centre[1] + flat.code_side * (0.5 + QUIET_MODULES / flat.modules)
    x, y = moved_points(homography, [(width * 0.985, min(height * 0.93, (below + height) / 2))])[0]
    return x / unit, y / unit


def _fitting(wanted: float, flat: FlatCarrier, unit: float) -> float:
    largest = _LARGEST_CODE * unit / (flat.modules + 2 * QUIET_MODULES)
    if largest < _SMALLEST_MODULE_PX:
        msg = f"a code of {flat.modules} modules cannot be read at this size of frame"
        raise RecordingError(msg, hint="shorten the text or enlarge the frame")
    return min(wanted, largest)
