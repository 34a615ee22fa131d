"""How codewords are dealt out to error correction blocks: ISO/IEC 18004:2015, 7.5.1 and 7.6."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.structure import Level, data_order

# fmt: off
_CORRECTION_CODEWORDS = {
    Level.L: (
        7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
        28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ),
    Level.M: (
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
        26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    ),
    Level.Q: (
        13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
        28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ),
    Level.H: (
        17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
        30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ),
}
"""Table 9: error correction codewords in each block, by version."""
_BLOCKS = {
    Level.L: (
        1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
        8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25,
    ),
    Level.M: (
        1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
        17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49,
    ),
    Level.Q: (
        1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
        23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68,
    ),
    Level.H: (
        1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
        25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81,
    ),
}
"""Table 9: blocks, by version."""
# fmt: on
_PROTECTION = {
    (1, Level.L): 3,
    (1, Level.M): 2,
    (1, Level.Q): 1,
    (1, Level.H): 1,
    (2, Level.L): 2,
    (3, Level.L): 1,
}
"""Table 9, note b: codewords kept back against misdecodes."""


class Layout(msgspec.Struct, frozen=True):
    """The blocks of one version and level."""

    correction: int
    """Error correction codewords in each block."""
    protection: int
    """How many of them are not to be spent on correction: p in table 9."""
    blocks: tuple[NDArray[np.intp], ...]
    """For each block, where its codewords are in the symbol's sequence of codewords (7.6)."""


def codewords_of(version: int) -> int:
    """Return the number of codewords in a symbol (table 1).

    >>> codewords_of(1), codewords_of(40)
    (26, 3706)
    """
    return len(data_order(version)) // 8


@cache
def layout(version: int, level: Level) -> Layout:
    """Return how the codewords of a symbol are dealt out to blocks."""
    correction = _CORRECTION_CODEWORDS[level][version - 1]
    count = _BLOCKS[level][version - 1]
    total = codewords_of(version)
    short = total // count - correction
    # The last blocks have one data codeword more than the first ones (table 9).
    longer_from = count - total % count
    data_codewords = total - correction * count
    blocks = []
    for block in range(count):
        data = [block + count * place for place in range(short)]
        if block >= longer_from:
            data.append(count * short + block - longer_from)
        check = [data_codewords + block + count * place for place in range(correction)]
        places = np.array(data + check, np.intp)
        places.flags.writeable = False
        blocks.append(places)
    return Layout(correction, _PROTECTION.get((version, level), 0), tuple(blocks))
