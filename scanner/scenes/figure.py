"""A person: head, shoulders, an arm, and the hand that will hold something."""

from __future__ import annotations

import random
from typing import TypeAlias

import cv2
import msgspec
import numpy as np

from scanner.scenes.optics import IN_SHADE
from scanner.scenes.sprite import Mask, Picture, Tone, as_picture, smooth_noise

Point: TypeAlias = tuple[float, float]
_SKINS: tuple[Tone, ...] = ((140, 172, 214), (120, 154, 200), (104, 136, 184), (84, 112, 158))
_HAIRS: tuple[Tone, ...] = ((24, 22, 24), (34, 30, 32), (30, 38, 52), (120, 122, 124))
_SHIRTS: tuple[Tone, ...] = (
    (150, 96, 52), (70, 78, 150), (92, 118, 74), (176, 172, 168), (64, 60, 66), (96, 150, 190),
)  # fmt: skip
_MASKS: tuple[Tone, ...] = ((214, 196, 158), (232, 230, 228), (60, 56, 56))


class Looks(msgspec.Struct, frozen=True):
    """Colours (BGR) and build of one person."""

    skin: Tone
    hair: Tone
    shirt: Tone
    face_mask: Tone
    long_hair: bool
    width: float


def chance_looks(rng: random.Random) -> Looks:
    """Return somebody drawn from `rng`."""
    return Looks(
        skin=rng.choice(_SKINS),
        hair=rng.choice(_HAIRS),
        shirt=rng.choice(_SHIRTS),
        face_mask=rng.choice(_MASKS),
        long_hair=rng.random() < 0.5,
        width=rng.uniform(0.92, 1.08),
    )


class Brush:
    """Draws shapes onto a picture and into its mask at once, in units of `unit` pixels."""

    def __init__(self, width_px: int, height_px: int, unit: float) -> None:
        # Gray, not black: what is blurred later takes in a little of what lies outside the mask.
        self.picture: Picture = np.full((height_px, width_px, 3), 160, np.uint8)
        self.mask: Mask = np.zeros((height_px, width_px), np.uint8)
        self._unit = unit

    def ellipse(self, centre: Point, radii: Point, tone: Tone, turn: float = 0) -> None:
        """Fill an ellipse, turned by `turn` degrees."""
        at, axes = self._at(centre), self._at(radii)
        cv2.ellipse(self.picture, at, axes, turn, 0, 360, tone, -1, cv2.LINE_AA)
        cv2.ellipse(self.mask, at, axes, turn, 0, 360, 255, -1, cv2.LINE_AA)

    def shape(self, points: list[Point], tone: Tone) -> None:
        """Fill a polygon."""
        outline = np.array([self._at(point) for point in points], np.int32)
        cv2.fillPoly(self.picture, [outline], tone, cv2.LINE_AA)
        cv2.fillPoly(self.mask, [outline], 255, cv2.LINE_AA)

    def limb(self, start: Point, end: Point, thick: float, tone: Tone) -> None:
        """Draw a bar with round ends."""
        width = max(1, round(thick * self._unit))
        cv2.line(self.picture, self._at(start), self._at(end), tone, width, cv2.LINE_AA)
        cv2.line(self.mask, self._at(start), self._at(end), 255, width, cv2.LINE_AA)

    def _at(self, point: Point) -> tuple[int, int]:
        return round(point[0] * self._unit), round(point[1] * self._unit)


def darker(tone: Tone, by: float) -> Tone:
    """Return the tone times `by`."""
    return (int(tone[0] * by), int(tone[1] * by), int(tone[2] * by))


def in_shade(looks: Looks) -> Looks:
    """Return the same person where little light falls on them."""
    return msgspec.structs.replace(looks, skin=darker(looks.skin, IN_SHADE))


def draw_body(brush: Brush, looks: Looks) -> None:
    """Draw head and torso on a field of 640 × 720 units, the head's middle at (320, 165)."""
    middle, broad = 320.0, 205 * looks.width
    if looks.long_hair:
        brush.ellipse((middle, 215), (98, 150), looks.hair)
    brush.shape(
        [
            (middle - 62, 280), (middle - broad, 338), (middle - broad - 26, 480),
            (middle - broad - 30, 720), (middle + broad + 30, 720), (middle + broad + 26, 480),
            (middle + broad, 338), (middle + 62, 280),
        ],
        looks.shirt,
    )  # fmt: skip
    for side in (-1, 1):
        brush.ellipse((middle + side * (broad - 34), 368), (42, 44), looks.shirt)
        brush.limb(
            (middle + side * (broad - 52), 450), (middle + side * (broad - 44), 720), 3,
            darker(looks.shirt, 0.7),
        )  # fmt: skip
    brush.shape(
        [
            (middle - 46, 230),
            (middle + 46, 230),
            (middle + 56, 290),
            (middle, 338),
            (middle - 56, 290),
        ],
        darker(looks.skin, 0.82),
    )
    draw_head(brush, looks, middle)


def draw_head(brush: Brush, looks: Looks, middle: float) -> None:
    """Draw hair, face, eyes and the mask that everybody wears at this gate."""
    brush.ellipse((middle, 140), (92, 108), looks.hair)
    for side in (-1, 1):
        brush.ellipse((middle + side * 84, 178), (14, 26), darker(looks.skin, 0.88))
    brush.ellipse((middle, 175), (82, 108), looks.skin)
    brush.ellipse((middle - 10, 92), (74, 38), looks.hair, -8)
    for side in (-1, 1):
        brush.limb((middle + side * 22, 139), (middle + side * 52, 142), 6, looks.hair)
        brush.ellipse((middle + side * 36, 162), (15, 7), (226, 230, 232))
        brush.ellipse((middle + side * 36, 162), (7, 7), (32, 32, 40))
    brush.shape(
        [
            (middle - 78, 192), (middle, 176), (middle + 78, 192), (middle + 66, 246),
            (middle + 24, 284), (middle - 24, 284), (middle - 66, 246),
        ],
        looks.face_mask,
    )  # fmt: skip
    for fold in (212, 232, 252):
        brush.limb((middle - 58, fold), (middle + 58, fold), 2, darker(looks.face_mask, 0.86))


def draw_arm(brush: Brush, looks: Looks, hand: tuple[float, float]) -> None:
    """Draw the sleeve and forearm up to `hand`, and the palm behind what it holds."""
    shoulder = (320 + 175 * looks.width, 400.0)
    elbow = (shoulder[0] + 42, 640.0)
    brush.limb(shoulder, elbow, 92, darker(looks.shirt, 0.86))
    brush.limb(elbow, hand, 58, darker(looks.skin, 0.93))
    halfway = ((elbow[0] * 2 + hand[0]) / 3, (elbow[1] * 2 + hand[1]) / 3)
    brush.limb(elbow, halfway, 80, darker(looks.shirt, 0.86))
    brush.ellipse((hand[0] - 8, hand[1] - 6), (54, 44), looks.skin)


def draw_fingers(brush: Brush, looks: Looks, edge: tuple[float, float]) -> None:
    """Draw the thumb that closes over the carrier's edge at `edge`."""
    x, y = edge
    brush.limb((x + 34, y + 26), (x - 6, y - 6), 27, darker(looks.skin, 0.97))
    brush.ellipse((x - 8, y - 8), (8, 6), darker(looks.skin, 1.08), 40)


def shade_body(picture: Picture, noise: np.random.Generator) -> None:
    """Give cloth and skin their folds: light from above left, and texture."""
    height, width = picture.shape[:2]
    fall = np.linspace(8, -14, width, dtype=np.float32)[None, :] + np.linspace(
        8, -10, height, dtype=np.float32
    )[:, None]  # fmt: skip
    folds = smooth_noise((height, width), width / 14, 5.0, noise)
    picture[:] = as_picture(picture + (fall + folds)[:, :, None])
