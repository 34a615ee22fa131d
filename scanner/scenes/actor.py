"""One presentation made visible: a painted person who comes, holds still and leaves."""

from __future__ import annotations

import math
import random

import cv2
import numpy as np

from scanner.scenes.optics import smeared
from scanner.scenes.painting import FIELD_WIDTH, painted
from scanner.scenes.presentation import Presentation
from scanner.scenes.sprite import Picture

_COMING_S = 0.3
_SHUTTER_S = 0.008
_GRAIN_ROOM_PX = 32
"""By how much the sensor's noise can be shifted from frame to frame."""


class Actor:
    """A person who comes in from one side, holds a code up, and leaves on the other."""

    def __init__(
        self, presentation: Presentation, width: int, height: int, rng: random.Random
    ) -> None:
        """Paint the person.

        :raises RecordingError: if the text fits no QR code, or none that can be read at this size.
        """
        self.presentation = presentation
        self._width = width
        self._unit = height / 720
        self._noise = np.random.default_rng(rng.getrandbits(64))
        self._side = rng.choice((-1, 1))
        self._phase = rng.uniform(0, 2 * math.pi)
        self._offset = rng.uniform(-90, 90)
        self._sprite = painted(presentation, self._unit, rng, self._noise)
        self._grain = self._sensor_noise(presentation.difficulty.noise)

    def draw(self, canvas: Picture, at_s: float) -> None:
        """Draw the person as `at_s` seconds into the presentation."""
        left, speed = self._place(at_s)
        tremor = 2.0 * self._unit * math.sin(11 * at_s + self._phase)
        drawn = self._sprite.paste(canvas, round(left), round(tremor + 3 * self._unit))
        if drawn is None:
            return
        target = canvas[drawn]
        height, width = target.shape[:2]
        x, y = (int(n) for n in self._noise.integers(0, _GRAIN_ROOM_PX, 2))
        grain = self._grain[y : y + height, x : x + width]
        target[:] = cv2.add(smeared(target, speed * _SHUTTER_S), grain, dtype=cv2.CV_8U)

    def _place(self, at_s: float) -> tuple[float, float]:
        """Return the left edge (px) and the speed (px/s) at `at_s`."""
        half_s = self.presentation.lasts_s / 2
        coming_s = min(_COMING_S, half_s / 2)
        drift = self.presentation.difficulty.drift_px_s
        away = FIELD_WIDTH * self._unit + self._width / 2
        from_middle_s = at_s - half_s
        held_s = half_s - coming_s
        aside = drift * max(-held_s, min(held_s, from_middle_s))
        speed = drift
        if abs(from_middle_s) > held_s:
            share = (abs(from_middle_s) - held_s) / coming_s
            aside += math.copysign(away * share**2, from_middle_s)
            speed = 2 * away * share / coming_s
        middle = (self._width - FIELD_WIDTH * self._unit) / 2 + self._offset * self._unit
        return middle + self._side * aside, speed

    def _sensor_noise(self, sigma: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        """Return gray noise (`int8`, three equal channels), a little larger than the person."""
        height, width = (side + _GRAIN_ROOM_PX for side in self._sprite.picture.shape[:2])
        # Half the field is drawn and mirrored: chance is the dear part of a presentation.
        grain = self._noise.standard_normal((height // 2 + 1, width), np.float32) * sigma
        grain = np.clip(np.concatenate((grain, grain[::-1, ::-1])), -127, 127).astype(np.int8)
        return np.repeat(grain[:height, :, None], 3, axis=2)
