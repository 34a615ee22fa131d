"""What tilt, light, lens and hand do to a picture before it reaches the sensor."""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.scenes.carriers import FlatCarrier
from scanner.scenes.presentation import Carrier, Difficulty, Light
from scanner.scenes.sprite import Mask, Picture, as_picture

Homography: TypeAlias = NDArray[np.float64]
"""Plane to plane: shape (3, 3), acts on column vectors (x, y, 1)."""
DARK = {Light.BACKLIT, Light.SHADOW, Light.DIM}
"""Lights in which the hand that holds the code is dark."""
IN_SHADE = 0.38
"""Share of the light that reaches what stands against it."""
_IN_THE_DARK = 0.14
_VIEWING_DISTANCE = 5.0
"""Distance of the eye, in sizes of the code: how strongly a tilted code tapers."""


def pose(
    flat: FlatCarrier, difficulty: Difficulty, px_per_module: float, centre: tuple[float, float]
) -> Homography:
    """Return the homography that puts the flat carrier's code at `centre`, tilted and to scale."""
    yaw, pitch, roll = (
        math.radians(angle)
        for angle in (difficulty.yaw_deg, difficulty.pitch_deg, difficulty.roll_deg)
    )
    half = flat.code_side / 2
    scale = px_per_module * flat.modules / flat.code_side
    source, target = [], []
    for x, y in ((-half, -half), (half, -half), (half, half), (-half, half)):
        turned_x, depth = x * math.cos(yaw), x * math.sin(yaw)
        turned_y = y * math.cos(pitch)
        depth += y * math.sin(pitch)
        near = scale / (1 + depth / (_VIEWING_DISTANCE * flat.code_side))
        px, py = turned_x * near, turned_y * near
        source.append((x + flat.code_centre[0], y + flat.code_centre[1]))
        target.append(
            (
                centre[0] + px * math.cos(roll) - py * math.sin(roll),
                centre[1] + px * math.sin(roll) + py * math.cos(roll),
            )
        )
    return np.asarray(
        cv2.getPerspectiveTransform(np.array(source, np.float32), np.array(target, np.float32)),
        dtype=np.float64,
    )


def moved_points(
    homography: Homography, points: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return where the homography puts the points."""
    moved = np.array([(x, y, 1.0) for x, y in points]) @ homography.T
    return [(float(x / w), float(y / w)) for x, y, w in moved]


def lit(picture: Picture, light: Light, *, shines: Mask | None = None) -> Picture:
    """Return `picture` as the light falls on it; what `shines` by itself hardly darkens."""
    width = picture.shape[1]
    if light is Light.BACKLIT:
        shade = np.full((1, width), IN_SHADE, np.float32)
    elif light is Light.DIM:
        shade = np.full((1, width), _IN_THE_DARK, np.float32)
    elif light is Light.SHADOW:
        shade = np.linspace(1.08, 0.22, width, dtype=np.float32)[None, :]
    else:
        return picture
    if shines is not None:
        shade = np.maximum(shade, (0.7 + 0.3 * shade) * (shines > 0))
    return as_picture(picture * shade[:, :, None].astype(np.float32))


def with_glare(
    picture: Picture, carrier: Carrier, centre: tuple[float, float], code_px: float
) -> Picture:
    """Return `picture` with a lamp mirrored near the code's edge: sharp in glass, soft on paper."""
    sharp = carrier is Carrier.PHONE
    spot = np.zeros(picture.shape[:2], np.uint8)
    at = (int(centre[0] + code_px * 0.34), int(centre[1] + code_px * 0.05))
    axes = (max(2, int(code_px * 0.07)), max(2, int(code_px * 0.24)))
    cv2.ellipse(spot, at, axes, 24, 0, 360, 235 if sharp else 150, -1, cv2.LINE_AA)
    spot[:] = cv2.GaussianBlur(spot, (0, 0), max(0.6, code_px * (0.02 if sharp else 0.08)))
    return as_picture(cv2.add(picture, cv2.merge((spot, spot, spot))))


def smeared(picture: Picture, along_px: float) -> Picture:
    """Return `picture` with horizontal motion blur over `along_px`."""
    taps = min(round(along_px), 41)
    return picture if taps < 2 else as_picture(cv2.blur(picture, (taps, 1)))
