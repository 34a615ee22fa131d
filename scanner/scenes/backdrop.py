"""The room behind the gate: drawn once, then cut out anew for every frame as the camera sways."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.scenes.sprite import Picture, Sprite, as_picture, smooth_noise

_SWAY_PX = 8
_GRAIN_PICTURES = 3


class Backdrop:
    """A hall with a window, posters, a tiled floor and a turnstile, and somebody passing behind.

    A few pictures that differ in their noise take turns: the room never stands quite still.
    """

    def __init__(self, width: int, height: int, noise: np.random.Generator) -> None:
        self._size = (width, height)
        self._phase = float(noise.uniform(0, 2 * math.pi))
        room = _room(width + 2 * _SWAY_PX, height + 2 * _SWAY_PX, noise)
        self._rooms = [
            as_picture(room + 2 * noise.standard_normal(room.shape[:2], np.float32)[:, :, None])
            for _ in range(_GRAIN_PICTURES)
        ]
        self._passer_by = _passer_by(height)

    def draw(self, canvas: Picture, at_s: float, frame: int) -> None:
        """Fill `canvas` with the room as it is `at_s` seconds into the scene."""
        width, height = self._size
        left = _SWAY_PX + round(3 * math.sin(0.9 * at_s + self._phase))
        top = _SWAY_PX + round(2 * math.sin(1.3 * at_s))
        room = self._rooms[frame % _GRAIN_PICTURES]
        np.copyto(canvas, room[top : top + height, left : left + width])
        walk = (at_s * 0.09 + self._phase) % 1.6 - 0.3
        self._passer_by.paste(canvas, int(walk * width), int(height * 0.36))


def _room(width: int, height: int, noise: np.random.Generator) -> NDArray[np.float32]:
    """Return the room without sensor noise: `float32`, shape (height, width, 3)."""
    room = np.empty((height, width, 3), np.uint8)
    wall = np.linspace(196, 158, height)[:, None] + np.linspace(-10, 12, width)[None, :]
    room[:] = (wall[:, :, None] * (0.93, 0.97, 1.0)).astype(np.uint8)
    horizon = int(height * 0.74)
    _floor(room, horizon)
    _furniture(room, horizon)
    texture = smooth_noise((height, width), 3, 3.0, noise) + smooth_noise(
        (height, width), 40, 5.0, noise
    )
    soft = cv2.GaussianBlur(room, (0, 0), height / 480).astype(np.float32)
    soft += texture[:, :, None]
    return soft


def _floor(room: Picture, horizon: int) -> None:
    """Draw a floor of tiles that run away from the camera."""
    floor = room[horizon:]
    height, width = floor.shape[:2]
    floor[:] = (118, 126, 132)
    thick = max(1, height // 120)
    for step in range(-12, 13):
        far = (width // 2 + int(step * width * 0.07), 0)
        near = (width // 2 + int(step * width * 0.16), height)
        cv2.line(floor, far, near, (98, 106, 112), thick, cv2.LINE_AA)
    for row in range(5):
        y = int(height * (row / 5) ** 1.7)
        cv2.line(floor, (0, y), (width, y), (98, 106, 112), thick, cv2.LINE_AA)


def _furniture(room: Picture, horizon: int) -> None:
    """Draw a window, a notice board and the posts of a turnstile against the wall."""
    width = room.shape[1]

    def block(x: float, y: float, w: float, h: float, tone: tuple[int, int, int]) -> None:
        left, top = int(x * width), int(y * horizon)
        cv2.rectangle(room, (left, top), (left + int(w * width), top + int(h * horizon)), tone, -1)

    block(0.05, 0.10, 0.24, 0.62, (120, 118, 112))
    for pane in range(2):
        block(0.06 + 0.115 * pane, 0.125, 0.105, 0.57, (236, 232, 222))
    block(0.70, 0.16, 0.2, 0.42, (92, 116, 140))
    for sheet in range(3):
        block(0.715 + 0.062 * sheet, 0.2, 0.05, 0.22 - 0.03 * sheet, (226, 230, 232))
        for line in range(4):
            y = 0.225 + 0.035 * line
            block(0.722 + 0.062 * sheet, y, 0.034, 0.008, (140, 140, 140))
    for post in (0.62, 0.94):
        block(post, 0.62, 0.035, 0.44, (104, 100, 96))
        block(post, 0.62, 0.035, 0.05, (150, 148, 144))
    block(0.655, 0.78, 0.2, 0.03, (128, 124, 120))


def _passer_by(height: int) -> Sprite:
    """Return somebody far behind, out of focus."""
    tall, wide = int(height * 0.42), int(height * 0.16)
    picture = np.full((tall, wide, 3), (96, 88, 84), np.uint8)
    mask = np.zeros((tall, wide), np.uint8)
    head = int(tall * 0.09)
    cv2.circle(picture, (wide // 2, head + 6), head, (120, 140, 168), -1)
    cv2.circle(mask, (wide // 2, head + 6), head, 255, -1)
    cv2.ellipse(mask, (wide // 2, int(tall * 0.42)), (wide // 3, tall // 4), 0, 0, 360, 255, -1)
    for leg in (0.4, 0.6):
        cv2.line(
            mask, (wide // 2, tall // 2), (int(wide * leg), tall - 8), 255, wide // 6, cv2.LINE_AA
        )
    return Sprite(picture, as_picture(cv2.GaussianBlur(mask, (0, 0), height / 200)))
