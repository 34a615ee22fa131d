"""Phones and cards, seen flat: the code and what stands around it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import msgspec
import numpy as np
import segno

from scanner.errors import RecordingError
from scanner.scenes.presentation import Carrier
from scanner.scenes.sprite import Mask, Picture, Tone

MODULE_PX = 6
"""Pixels per module of the flat picture, before it is scaled into the scene."""
QUIET_MODULES = 4
_INK = (38, 34, 30)
_FAINT = (176, 170, 164)


class FlatCarrier(msgspec.Struct, frozen=True):
    """A carrier seen from the front.

    `code_centre` is the middle of the code, `code_side` the width of its modules, both in pixels
    of `picture`; `mask` has the carrier's outline.
    """

    picture: Picture
    mask: Mask
    code_centre: tuple[float, float]
    code_side: float
    modules: int


def flat_carrier(carrier: Carrier, text: str, accent: Tone) -> FlatCarrier:
    """Return the carrier with `text` as a QR code (level M) on it, decorated in `accent` (BGR).

    :raises RecordingError: if the text is longer than a QR code holds.
    """
    try:
        matrix = segno.make(text, error="m", micro=False, boost_error=False).matrix
    except segno.DataOverflowError as error:
        raise RecordingError("the scene's text does not fit a QR code") from error
    modules = np.frombuffer(b"".join(matrix), dtype=np.uint8).reshape(len(matrix), -1)
    quiet = np.pad(modules, QUIET_MODULES)
    code = np.where(quiet > 0, np.uint8(0), np.uint8(255)).repeat(MODULE_PX, 0).repeat(MODULE_PX, 1)
    draw = _PAINTERS[carrier]
    picture, mask, centre = draw(code, accent)
    return FlatCarrier(picture, mask, centre, float(len(matrix) * MODULE_PX), len(matrix))


def _rounded(mask: Mask, corner: int) -> Mask:
    height, width = mask.shape
    cv2.rectangle(mask, (corner, 0), (width - 1 - corner, height - 1), 255, -1)
    cv2.rectangle(mask, (0, corner), (width - 1, height - 1 - corner), 255, -1)
    for x in (corner, width - 1 - corner):
        for y in (corner, height - 1 - corner):
            cv2.circle(mask, (x, y), corner, 255, -1, cv2.LINE_AA)
    return mask


def _bar(picture: Picture, box: tuple[float, float, float, float], tone: Tone) -> None:
    """Fill (left, top, width, height): a line of writing too small to be read."""
    left, top, width, height = box
    corners = ((int(left), int(top)), (int(left + width), int(top + height)))
    cv2.rectangle(picture, *corners, tone, -1, cv2.LINE_AA)


def _phone(code: Mask, accent: Tone) -> tuple[Picture, Mask, tuple[float, float]]:
    side = code.shape[0]
    bezel = side // 28 + 2
    width = int(side * 1.16) + 2 * bezel
    height = int(width * 2.02)
    corner = width // 9
    mask = _rounded(np.zeros((height, width), np.uint8), corner)
    picture = np.full((height, width, 3), (26, 24, 24), np.uint8)
    screen_mask = _rounded(
        np.zeros((height - 2 * bezel, width - 2 * bezel), np.uint8), corner - bezel // 2
    )
    screen = np.full((*screen_mask.shape, 3), (250, 248, 246), np.uint8)
    rows, columns = screen_mask.shape
    screen[: rows // 8] = accent
    _bar(screen, (columns * 0.3, rows * 0.065, columns * 0.4, rows * 0.02), (255, 255, 255))
    top, left = int(rows * 0.2), (columns - side) // 2
    screen[top : top + side, left : left + side] = code[:, :, None]
    for line, share in enumerate((0.62, 0.44, 0.52)):
        below = top + side + rows * (0.04 + 0.045 * line)
        tone = _INK if line == 0 else _FAINT
        _bar(screen, (columns * (1 - share) / 2, below, columns * share, rows * 0.018), tone)
    _bar(screen, (columns * 0.14, rows * 0.88, columns * 0.72, rows * 0.055), accent)
    inside = picture[bezel : bezel + rows, bezel : bezel + columns]
    cv2.copyTo(screen, screen_mask, inside)
    cv2.circle(picture, (width // 2, bezel + rows // 40), max(2, width // 60), (10, 10, 10), -1)
    return picture, mask, (bezel + left + side / 2, bezel + top + side / 2)


def _card(code: Mask, accent: Tone) -> tuple[Picture, Mask, tuple[float, float]]:
    side = code.shape[0]
    height = int(side * 1.36)
    width = int(height * 1.586)
    mask = _rounded(np.zeros((height, width), np.uint8), height // 18)
    picture = np.full((height, width, 3), (232, 238, 240), np.uint8)
    inset = height // 32 + 1
    cv2.rectangle(
        picture, (inset, inset), (width - 1 - inset, height - 1 - inset), accent, max(2, inset // 2)
    )
    picture[2 * inset : height // 6, 2 * inset : width - 2 * inset] = accent
    _bar(picture, (width * 0.08, height * 0.085, width * 0.5, height * 0.04), (255, 255, 255))
    left, top = width - side - 3 * inset, (height + height // 8 - side) // 2
    picture[top : top + side, left : left + side] = code[:, :, None]
    free = left - 4 * inset
    _bar(picture, (3 * inset, height * 0.26, free * 0.72, height * 0.34), _FAINT)
    cv2.ellipse(
        picture,
        (int(3 * inset + free * 0.36), int(height * 0.42)),
        (max(1, int(free * 0.2)), max(1, int(height * 0.11))),
        0, 0, 360, (150, 160, 170), -1, cv2.LINE_AA,
    )  # fmt: skip
    for line, share in enumerate((0.95, 0.7, 0.85)):
        _bar(
            picture, (3 * inset, height * (0.68 + 0.09 * line), free * share, height * 0.035), _INK
        )
    return picture, mask, (left + side / 2, top + side / 2)


_PAINTERS: dict[
    Carrier,
    Callable[[Mask, Tone], tuple[Picture, Mask, tuple[float, float]]],
] = {Carrier.PHONE: _phone, Carrier.CARD: _card}
