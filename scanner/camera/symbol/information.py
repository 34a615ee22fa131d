"""Format and version information: written exactly, read from soft values of both copies.

ISO/IEC 18004:2015, 7.9, 7.10 and annexes C and D. Soft decision means: of all codewords that exist,
those that agree best with what was seen, weighed by how clearly it was seen.
"""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.structure import (
    LARGEST_VERSION,
    MASKS,
    Level,
    format_order,
    version_order,
)

_FORMAT_GENERATOR, _FORMAT_MASK = 0b10100110111, 0b101010000010010
_VERSION_GENERATOR = 0b1111100100101
_FIRST_WITH_INFORMATION = 7


class Format(msgspec.Struct, frozen=True, order=True):
    """One of the 32 things that the format information may say, and how far the symbol says so.

    `agreement` is the share of the seen confidence that speaks for it less the share that speaks
    against: 1 where all agrees, about 0 by chance.
    """

    agreement: float
    level: Level
    mask: int


def format_bits(level: Level, mask: int) -> int:
    """Return the 15 bits of the format information, masked as they are printed (annex C).

    >>> f"{format_bits(Level.M, 5):015b}"
    '100000011001110'
    """
    data = level << 3 | mask
    return (data << 10 | _remainder(data << 10, _FORMAT_GENERATOR)) ^ _FORMAT_MASK


def version_bits(version: int) -> int:
    """Return the 18 bits of the version information of version 7 or larger (annex D).

    >>> f"{version_bits(7):018b}"
    '000111110010010100'
    """
    return version << 12 | _remainder(version << 12, _VERSION_GENERATOR)


def read_format(values: NDArray[np.float32], version: int) -> list[Format]:
    """Return all formats, the one that agrees best with the soft `values` first."""
    agreement = _agreement(values, format_order(version), _format_words())
    best_first = np.argsort(-agreement, kind="stable")
    return [
        Format(float(agreement[data]), Level(int(data) >> 3), int(data) & 7) for data in best_first
    ]


def version_agreement(values: NDArray[np.float32], version: int) -> float:
    """Return how much better the version information says `version` than any other (-2 to 2).

    It is 0 where there is none: below version 7.
    """
    if version < _FIRST_WITH_INFORMATION:
        return 0.0
    agreement = _agreement(values, version_order(version), _version_words())
    own = version - _FIRST_WITH_INFORMATION
    return float(agreement[own] - np.delete(agreement, own).max())


@cache
def _format_words() -> NDArray[np.float32]:
    words = [format_bits(Level(data >> 3), data & 7) for data in range(len(Level) * MASKS)]
    return _signs(words, 15)


@cache
def _version_words() -> NDArray[np.float32]:
    versions = range(_FIRST_WITH_INFORMATION, LARGEST_VERSION + 1)
    return _signs([version_bits(version) for version in versions], 18)


def _agreement(
    values: NDArray[np.float32], order: NDArray[np.intp], words: NDArray[np.float32]
) -> NDArray[np.float32]:
    seen = values.ravel()[order]
    confidence = max(float(np.abs(seen).sum()), 1e-6)
    agreement: NDArray[np.float32] = words @ seen.sum(axis=0) / np.float32(confidence)
    return agreement


def _signs(words: list[int], length: int) -> NDArray[np.float32]:
    bits = [[word >> place & 1 for place in range(length - 1, -1, -1)] for word in words]
    return np.array(bits, np.float32) * 2 - 1


def _remainder(bits: int, generator: int) -> int:
    degree = generator.bit_length() - 1
    while bits.bit_length() > degree:
        bits ^= generator << (bits.bit_length() - 1 - degree)
    return bits
