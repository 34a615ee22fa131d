"""Pictures that no camera shows, and that nobody but a hostile hand would."""

from __future__ import annotations

import cv2
import numpy as np

from scanner.camera.port import Gray
from scanner.camera.symbol.structure import FINDER


def wall(module_px: int, gap_modules: int, height_px: int, width_px: int) -> Gray:
    """Nothing but finder patterns, with a gap between them."""
    apart = ((0, gap_modules), (0, gap_modules))
    tile = np.pad(np.where(FINDER, 0, 255).astype(np.uint8), apart, constant_values=255)
    tile = np.kron(tile, np.ones((module_px, module_px), np.uint8))
    repeats = height_px // len(tile) + 1, width_px // len(tile) + 1
    return np.tile(tile, repeats)[:height_px, :width_px]


def strange(height: int, width: int, kind: str, seed: int) -> Gray:
    """Noise, constant, in black and white alone, or in blobs."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (height, width)).astype(np.uint8)
    if kind == "noise":
        return noise
    if kind == "black and white":
        return np.where(noise > 127, 255, 0).astype(np.uint8)
    if kind == "constant":
        return np.full((height, width), noise[0, 0], np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), random.uniform(0.5, 6)).reshape(height, width)
    return np.where(smooth > np.median(smooth), 200, 40).astype(np.uint8)
