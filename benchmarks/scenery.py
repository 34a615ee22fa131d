"""What a camera at a gate may have behind the code: rendered rooms and textures, most of them hard.

Printed pages, blinds, tiles and nested squares are full of edges that look like parts of a code: an
empty wall would flatter any decoder.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.scenes.backdrop import Backdrop
from scanner.scenes.sprite import Picture, as_picture, smooth_noise

NOISE_SIGMA = 4.0
"""Of the sensor, in gray levels: a webcam indoors."""
_GRAIN_ROOM_PX = 64
JPEG_QUALITY = 80

Random = np.random.Generator
Canvas = NDArray[np.uint8]


def scenery(kind: str, height: int, width: int, random: Random) -> Picture:
    """Return one empty scene of `kind` (a name of `KINDS`), sharp and without noise."""
    if kind == "hall":
        return _hall(height, width, random)
    gray = cv2.GaussianBlur(KINDS[kind](height, width, random), (0, 0), 0.7)
    left, right = (float(n) for n in random.uniform(0.6, 1.1, 2))
    light = np.linspace(left, right, width, dtype=np.float32)
    tint = random.uniform(0.85, 1.05, 3).astype(np.float32)
    return as_picture(gray[:, :, None] * light[None, :, None] * tint)


def _hall(height: int, width: int, random: Random) -> Picture:
    canvas: Picture = np.empty((height, width, 3), np.uint8)
    Backdrop(width, height, random).draw(canvas, float(random.uniform(0, 20)), 0)
    return canvas


def _clouds(height: int, width: int, random: Random) -> Canvas:
    clouds = np.full((height, width), 128, np.float32)
    for grain_px, strength in ((width / 6, 30.0), (width / 30, 20.0), (12, 14.0), (3, 8.0)):
        clouds += smooth_noise((height, width), grain_px, strength, random)
    return as_picture(clouds)


def _page(height: int, width: int, random: Random) -> Canvas:
    """Draw a printed page: rows of small dark strokes."""
    page = np.full((height, width), 225, np.uint8)
    row = int(random.integers(9, 26))
    for top in range(0, height - row, round(row * 1.7)):
        left = int(random.integers(0, 3 * row))
        while left < width:
            stroke = int(random.integers(1, max(2, row // 4)))
            tall = int(row * random.uniform(0.4, 1.0))
            page[top : top + tall, left : left + stroke] = random.integers(20, 90)
            left += stroke + int(random.integers(1, row if random.random() < 0.2 else row // 3 + 2))
    return page


def _blinds(height: int, width: int, random: Random) -> Canvas:
    """Draw bars of all widths, as blinds and linear barcodes have; half of them lie."""
    length = max(height, width)
    edges = np.cumsum(random.integers(2, 40, length))
    bars = (np.searchsorted(edges, np.arange(length)) % 2 * 150 + 50).astype(np.uint8)
    if random.random() < 0.5:
        return np.repeat(bars[None, :width], height, 0)
    return np.repeat(bars[:height, None], width, 1)


def _tiles(height: int, width: int, random: Random) -> Canvas:
    """Draw a tiled wall that runs away from the camera."""
    side = int(random.integers(14, 60))
    rows, columns = np.indices((height, width)) // side
    flat = ((rows + columns) % 2 * 130 + 60).astype(np.uint8)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + random.uniform(-0.25, 0.25, (4, 2)).astype(np.float32) * width
    bent = cv2.getPerspectiveTransform(corners, moved)
    return as_picture(cv2.warpPerspective(flat, bent, (width, height), borderMode=cv2.BORDER_WRAP))


def _leaves(height: int, width: int, random: Random) -> Canvas:
    picture = np.full((height, width), 70, np.uint8)
    for _ in range(900):
        centre = (int(random.integers(0, width)), int(random.integers(0, height)))
        axes = (int(random.integers(3, 45)), int(random.integers(2, 16)))
        angle, tone = float(random.uniform(0, 180)), int(random.integers(20, 230))
        cv2.ellipse(picture, centre, axes, angle, 0, 360, tone, -1, cv2.LINE_AA)
    return picture


def _bricks(height: int, width: int, random: Random) -> Canvas:
    tall = int(random.integers(16, 60))
    long = tall * 3
    wall = np.full((height, width), 190, np.uint8)
    for row in range(0, height, tall):
        for left in range(-(row // tall % 2) * long // 2, width, long):
            tone = int(random.integers(60, 150))
            cv2.rectangle(wall, (left, row), (left + long - 5, row + tall - 5), tone, -1)
    return wall


def _squares(height: int, width: int, random: Random) -> Canvas:
    """Draw squares in squares, as finder patterns are, but in other proportions and tilted."""
    picture = np.full((height, width), 200, np.uint8)
    for _ in range(120):
        centre = random.uniform((0, 0), (width, height))
        half, angle = random.uniform(8, 60), random.uniform(0, np.pi / 2)
        for ring in range(int(random.integers(2, 6))):
            turned = angle + np.pi / 4 + np.arange(4) * np.pi / 2
            corners = centre + half * np.stack((np.cos(turned), np.sin(turned)), 1)
            cv2.fillPoly(picture, [corners.astype(np.int32)], 30 if ring % 2 == 0 else 220)
            half *= random.uniform(0.5, 0.85)
    return picture


KINDS: dict[str, Callable[[int, int, Random], Canvas]] = {
    "hall": lambda height, width, random: _hall(height, width, random)[:, :, 0],
    "clouds": _clouds,
    "page": _page,
    "blinds": _blinds,
    "tiles": _tiles,
    "leaves": _leaves,
    "bricks": _bricks,
    "squares": _squares,
}
"""All kinds of scenery by name."""


class Sensor:
    """Adds noise to pictures of one size and writes them down as a webcam does.

    :param random: decides the noise. Two sensors of the same state give the same frames.
    """

    def __init__(self, height: int, width: int, random: Random) -> None:
        self._random = random
        shape = (height + _GRAIN_ROOM_PX, width + _GRAIN_ROOM_PX)
        grain = random.normal(0, NOISE_SIGMA, shape).astype(np.float32)
        self._grain = np.repeat(np.rint(grain).astype(np.int8)[:, :, None], 3, axis=2)

    def jpeg(self, sharp: Picture) -> bytes:
        """Return the picture as one frame of motion JPEG (4:2:2), with noise of its own."""
        height, width = sharp.shape[:2]
        y, x = (int(n) for n in self._random.integers(0, _GRAIN_ROOM_PX, 2))
        noisy = cv2.add(sharp, self._grain[y : y + height, x : x + width], dtype=cv2.CV_8U)
        _, encoded = cv2.imencode(".jpg", noisy, _ENCODING)
        return encoded.tobytes()


_ENCODING = [
    cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
]  # fmt: skip


def gray_of_jpeg(frame: bytes) -> Gray:
    """Return the brightness of one frame, decoded as the appliance does."""
    return np.asarray(cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
