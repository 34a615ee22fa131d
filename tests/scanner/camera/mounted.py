"""A code as a camera sees it from a given distance, in a given light: every fault to measure."""

from __future__ import annotations

import math

import cv2
import msgspec
import numpy as np
import segno

from scanner.camera.port import Gray
from scanner.camera.regions import Quad
from scanner.camera.symbol.structure import size_of

TEXT = "000093029317|NGUYEN THI MINH KHAI|1987-01-18|0|162979388586171100|<1<00<0901234567"
_MODULE, _FINER = 12, 3
_WALL = 120


class View(msgspec.Struct, frozen=True):
    """Lengths of blur and smear in modules; smear runs along the code's rows."""

    module_px: float = 4.0
    blur: float = 0.15
    smear: float = 0.0
    dark: int = 40
    light: int = 210
    noise: float = 2.0
    turned_deg: float = 0.0
    glare: float = 0.0
    """Share of the code's width that a lamp covers, over its whole height."""


def seen(view: View, text: str = TEXT, seed: int = 1) -> tuple[Gray, Quad]:
    """Return the picture and the code's corners in it."""
    made = segno.make(text, error="m", micro=False, boost_error=False)
    modules = np.pad(np.array([list(row) for row in made.matrix], np.uint8), 4)
    flat = np.kron(modules, np.ones((_MODULE, _MODULE), np.uint8))
    code = np.where(flat > 0, view.dark, view.light).astype(np.float32)
    if view.blur:
        code = cv2.GaussianBlur(code, (0, 0), view.blur * _MODULE)
    if view.smear:
        length = max(1, round(view.smear * _MODULE))
        code = cv2.blur(code, (length, 1))
    if view.glare:
        covered = round(view.glare * (code.shape[1] - 8 * _MODULE))
        code[:, 8 * _MODULE : 8 * _MODULE + covered] = 255
    side = round(view.module_px * len(modules) * 1.5) + 24
    scale = view.module_px / _MODULE * _FINER
    turned = math.radians(view.turned_deg)
    cos, sin = scale * math.cos(turned), scale * math.sin(turned)
    middle, shift = code.shape[0] / 2, side * _FINER / 2 + 2
    move = np.array(((cos, -sin, 0.0), (sin, cos, 0.0)))
    move[:, 2] = shift - move[:, :2] @ (middle, middle)
    finer = cv2.warpAffine(
        code,
        move,
        (side * _FINER, side * _FINER),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_WALL,
    )
    picture = cv2.resize(finer, (side, side), interpolation=cv2.INTER_AREA)
    picture = picture + np.random.default_rng(seed).normal(0, view.noise, picture.shape)
    near, far = 4.0 * _MODULE, (4.0 + size_of(made.version)) * _MODULE
    a, b, c, d = (
        tuple(float(v) / _FINER for v in move @ (x, y, 1))
        for x, y in ((near, near), (far, near), (far, far), (near, far))
    )
    quad = ((a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1]))
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), quad
