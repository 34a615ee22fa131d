"""How dark modules are: from brightness to soft values, whatever the light.

Soft values are +1 for clearly dark, -1 for clearly light, 0 for nobody knows.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera.port import Gray
from scanner.camera.symbol.structure import DATA, function_modules

Soft = NDArray[np.float32]

_LEAST_RANGE = 12
"""Gray levels between dark and light below which everything is noise."""
_SURE = 0.55


def local_contrast(gray: Gray, module_px: float) -> Soft:
    """Return each pixel's soft value among those within some modules (height x width)."""
    blurred = cv2.GaussianBlur(gray, (0, 0), max(0.25 * module_px, 0.6))
    # What is darkest and lightest around changes slowly: a quarter of the size shows it as well.
    height, width = gray.shape
    coarse = cv2.resize(
        blurred, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA
    )
    reach_px, wider_px = int(1.25 * module_px) | 1, int(1.75 * module_px) | 1
    window = np.ones((reach_px, reach_px), np.uint8)
    darkest = cv2.blur(cv2.erode(coarse, window).astype(np.float32), (reach_px, reach_px))
    lightest = cv2.blur(cv2.dilate(coarse, window).astype(np.float32), (reach_px, reach_px))
    mean = cv2.blur(coarse.astype(np.float32), (wider_px, wider_px))
    darkest, lightest, mean = (
        cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR)
        for each in (darkest, lightest, mean)
    )
    middle = 0.25 * (darkest + lightest) + 0.5 * mean
    half_range = np.maximum(lightest - darkest, _LEAST_RANGE) / 2
    soft: Soft = np.clip((middle - blurred) / half_range, -1, 1).astype(np.float32)
    return soft


def normalised(brightness: NDArray[np.float32]) -> Soft:
    """Return the soft value of each module among its neighbours, from brightness per module.

    What is darker or lighter than all around is given up to 1.5 and -1.5.
    """
    window, smoothing = np.ones((5, 5), np.uint8), (7, 7)
    repeat = cv2.BORDER_REPLICATE
    darkest = cv2.blur(cv2.erode(brightness, window, borderType=repeat), smoothing)
    lightest = cv2.blur(cv2.dilate(brightness, window, borderType=repeat), smoothing)
    half_range = np.maximum((lightest - darkest) / 2, 4)
    middle = (darkest + lightest) / 2
    soft: Soft = np.clip((middle - brightness) / half_range, -1.5, 1.5).astype(np.float32)
    return soft


def equalised(soft: Soft, version: int, reach: int, restraint: float, rounds: int = 2) -> Soft:
    """Return the soft values with what leaked in from neighbouring modules taken out again.

    A blurred picture adds some of every neighbour to a module. How much is learnt from the modules
    that every symbol of this version has in common, by ridge regression, and in a second round
    from those that have become clear: a decision-directed linear equaliser, as in a modem.

    :param reach: modules to each side that may leak.
    :param restraint: how strongly to believe that none do.
    """
    known = function_modules(version).ravel()
    size = len(soft)
    span = 2 * reach + 1
    padded = np.pad(soft, reach, mode="edge")
    neighbours = [
        padded[down : down + size, right : right + size]
        for down in range(span)
        for right in range(span)
    ]
    features = np.stack([*neighbours, np.ones_like(soft)], axis=-1).reshape(size * size, -1)
    prior = np.zeros(features.shape[1])
    prior[span * span // 2] = restraint
    wanted = np.where(known == DATA, 0, 2 * known - 1).astype(np.float64)
    weight = (known != DATA).astype(np.float64)
    cleared = soft.ravel()
    for _ in range(rounds):
        weighted = features * weight[:, None]
        normal = features.T @ weighted + restraint * np.eye(len(prior))
        cleared = features @ np.linalg.solve(normal, weighted.T @ wanted + prior)
        sure = np.abs(cleared) > _SURE
        wanted = np.where(known == DATA, np.sign(cleared), wanted)
        weight = np.where(known == DATA, 0.4 * sure, 1.0)
    result: Soft = np.clip(cleared, -1, 1).reshape(size, size).astype(np.float32)
    return result


def agreement(soft: Soft, version: int) -> float:
    """Return how well `soft` agrees with what every symbol of `version` has in common (to 1).

    Finder patterns count less: they agree in symbols of other versions, too.
    """
    known = function_modules(version)
    weight = _weights(version)
    return float((soft * weight * (2 * known - 1)).sum() / weight.sum())


@cache
def _weights(version: int) -> Soft:
    """Return the weight of each module in `agreement`: 0 where symbols differ."""
    common = function_modules(version) != DATA
    weight: Soft = common.astype(np.float32)
    corners = np.zeros_like(common)
    corners[:8, :8] = corners[:8, -8:] = corners[-8:, :8] = True
    within, between = (common & corners).sum(), (common & ~corners).sum()
    # Small versions have little else: those few modules alone would be ruled by chance.
    weight[corners] *= np.float32(max(between / within, 0.3))
    return weight
