"""Where everything is in a QR code symbol: ISO/IEC 18004:2015 as arrays, cached for each version.

All arrays are read-only. Modules are indexed [row, column] from the symbol's top left, without its
quiet zone.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

SMALLEST_VERSION, LARGEST_VERSION = 1, 40
MASKS = 8

_Kind = TypeVar("_Kind", bound=np.generic)

DATA = -1
"""What `function_modules` says of modules that carry data, format or version information."""
FINDER = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 0, 0, 0, 0, 0, 1],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 0, 0, 0, 0, 1],
        [1, 1, 1, 1, 1, 1, 1],
    ],
    np.int8,
)
"""The finder pattern (6.3.3): one of three, without its separator."""
TIMING = 6
"""Row and column of the timing patterns (6.3.5)."""


class Level(IntEnum):
    """Error correction levels (7.5.1); the values are their bits in the format information."""

    M = 0
    L = 1
    H = 2
    Q = 3


def size_of(version: int) -> int:
    """Return the modules along one side (5.3.1).

    >>> size_of(1), size_of(40)
    (21, 177)
    """
    return 17 + 4 * version


def version_of(size: int) -> int | None:
    """Return the version with `size` modules along one side, or None if there is none.

    >>> version_of(25), version_of(26)
    (2, None)
    """
    version, odd = divmod(size - 17, 4)
    return version if not odd and SMALLEST_VERSION <= version <= LARGEST_VERSION else None


@cache
def alignment_centres(version: int) -> tuple[tuple[int, int], ...]:
    """Return the (row, column) of the centre module of each alignment pattern (6.3.6, table E.1).

    >>> alignment_centres(2)
    ((18, 18),)
    """
    if version == 1:
        return ()
    along = version // 7 + 2
    last = size_of(version) - 7
    # Table E.1: from the last one back in equal even steps, and the first one at 6. The table's
    # rounding of the steps has one exception.
    step = 26 if version == 32 else (version * 4 + along * 2 + 1) // (along * 2 - 2) * 2
    places = [6, *(last - step * back for back in range(along - 2, -1, -1))]
    at_finders = {(6, 6), (6, last), (last, 6)}
    return tuple(
        (row, column) for row in places for column in places if (row, column) not in at_finders
    )


@cache
def function_modules(version: int) -> NDArray[np.int8]:
    """Return what is the same in every symbol of a version: 1 dark, 0 light, else `DATA`.

    These are the finders with their separators, timing and alignment patterns, and the dark module
    (7.9.1). Format and version information are `DATA`.
    """
    size = size_of(version)
    modules = np.full((size, size), DATA, np.int8)
    modules[TIMING, :] = modules[:, TIMING] = (np.arange(size) + 1) % 2
    modules[:8, :8] = modules[:8, -8:] = modules[-8:, :8] = 0
    modules[:7, :7] = modules[:7, -7:] = modules[-7:, :7] = FINDER
    modules[size - 8, 8] = 1
    for row, column in alignment_centres(version):
        modules[row - 2 : row + 3, column - 2 : column + 3] = 1
        modules[row - 1 : row + 2, column - 1 : column + 2] = 0
        modules[row, column] = 1
    return _kept(modules)


@cache
def format_order(version: int) -> NDArray[np.intp]:
    """Return the flat indices of both copies of the format information (2, 15), bit 14 first.

    Copy 0 runs around the upper left finder, copy 1 along the two others (7.9.1, figure 25).
    """
    size = size_of(version)
    past_timing = [*range(6), 7, 8]
    around = [(8, column) for column in past_timing] + [(row, 8) for row in past_timing[-2::-1]]
    others = [(size - 1 - bit, 8) for bit in range(7)] + [(8, size - 8 + bit) for bit in range(8)]
    return _kept(np.array([[r * size + c for r, c in copy] for copy in (around, others)], np.intp))


@cache
def version_order(version: int) -> NDArray[np.intp]:
    """Return the flat indices of both copies of the version information, bit 17 first.

    The shape is (2, 18); below version 7 it is (2, 0). Copy 0 lies beside the upper right finder,
    copy 1, its mirror image, above the lower left one (7.10, figures 27 and 28).
    """
    size = size_of(version)
    bits = np.arange(17, -1, -1, dtype=np.intp) if version >= 7 else np.zeros(0, np.intp)
    short, long = size - 11 + bits % 3, bits // 3
    return _kept(np.stack((long * size + short, short * size + long)))


@cache
def data_order(version: int) -> NDArray[np.intp]:
    """Return the flat indices of the data modules as the codewords' bits lie in them (7.7.3).

    The codewords come first, each from its most significant bit; then up to 7 remainder bits.
    """
    size = size_of(version)
    free = (function_modules(version) == DATA).ravel()
    free[format_order(version).ravel()] = False
    free[version_order(version).ravel()] = False
    # Pairs of columns from the right edge, upwards first, leaving out the vertical timing pattern.
    pairs = [right for right in range(size - 1, 0, -2) if right > TIMING]
    pairs += range(TIMING - 1, 0, -2)
    rows = np.arange(size)
    order = []
    for turn, right in enumerate(pairs):
        upwards = rows[::-1] if turn % 2 == 0 else rows
        order.append((upwards[:, None] * size + (right, right - 1)).ravel())
    path = np.concatenate(order)
    return _kept(path[free[path]].astype(np.intp))


@cache
def mask_pattern(mask: int, version: int) -> NDArray[np.bool_]:
    """Return which modules `mask` (0 to 7) turns over (7.8.2, table 10).

    Only data modules (`data_order`) are masked.
    """
    size = size_of(version)
    i, j = np.indices((size, size))
    condition = (
        (i + j) % 2,
        i % 2,
        j % 3,
        (i + j) % 3,
        (i // 2 + j // 3) % 2,
        i * j % 2 + i * j % 3,
        (i * j % 2 + i * j % 3) % 2,
        ((i + j) % 2 + i * j % 3) % 2,
    )[mask]
    turned = np.zeros(size * size, np.bool_)
    order = data_order(version)
    turned[order] = (condition == 0).ravel()[order]
    return _kept(turned.reshape(size, size))


def _kept(array: NDArray[_Kind]) -> NDArray[_Kind]:
    array.flags.writeable = False
    return array
