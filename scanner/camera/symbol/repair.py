"""From soft module values to the one exact symbol that they mean, or to nothing.

Where a decoder of hard bits must find its errors, soft values say where to look: the least certain
codewords are erased, and an erasure costs half of an error. A symbol is returned only if every
block became a codeword within the bounds of `reed_solomon.errors_believed`; all of it is then drawn
anew, so that whoever reads it meets no damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.blocks import codewords_of, layout
from scanner.camera.symbol.information import (
    Format,
    format_bits,
    read_format,
    version_agreement,
    version_bits,
)
from scanner.camera.symbol.reed_solomon import repair_block, syndromes
from scanner.camera.symbol.structure import (
    DATA,
    Level,
    data_order,
    format_order,
    function_modules,
    mask_pattern,
    version_of,
    version_order,
)

FUNCTION_AGREEMENT = 0.4
"""Of what was seen where finders, timing and alignment patterns must be, the share that agrees less
the share that does not. Noise has 0 with a deviation of 0.07 and less."""
INNER_AGREEMENT = 0.15
"""The same without the finders, from version 2 on: where the finders were found but the modules
between them were not, it is about 0."""
FORMAT_AGREEMENT = 0.3
"""What the best reading of the format information must reach."""
FORMAT_MARGIN = 0.2
"""Formats that agree almost as well as the best one are tried too..."""
FORMATS_TRIED = 3
"""...up to this many."""
VERSION_DISAGREEMENT = -0.5
"""How much better another version may agree with the version information before it is believed."""
STEEPNESS = 6.0
"""A module seen with confidence c is taken to be right with odds of e^(6c)."""
UNIFORM_MODULES = 4
"""Squares of so many modules of one colour are glare or dirt rather than data, which the masks keep
mixed (7.8.3)..."""
UNIFORM_CONFIDENCE = 0.1
"""...so this is what is left of the confidence in them. By chance there is one in 30 symbols of
version 5: rare enough that doubting it costs nothing."""


class Repair(msgspec.Struct, frozen=True):
    """A symbol as it was printed, whatever has happened to it since."""

    matrix: NDArray[np.bool_]
    """All modules, dark True, upright: neither mirrored nor inverted."""
    version: int
    level: Level
    mask: int
    corrected: float
    """Codewords put right over correction codewords, in the block where it is most (0 to 1). No
    decoder of hard bits goes beyond 0.5."""
    mirrored: bool
    """Whether `values` showed it transposed: printed or filmed in a mirror."""
    inverted: bool
    """Whether `values` showed it light on dark."""


def repair(values: NDArray[np.float32]) -> Repair | None:
    """Return the symbol that soft module values mean, or None if that is not certain enough.

    :param values: (size, size), rows from the top; +1 dark to -1 light, nearer to 0 the less
        certain, 0 erased. Other sizes than a symbol has give None.
    """
    version = version_of(values.shape[0])
    if version is None or values.shape != (values.shape[0],) * 2:
        return None
    upright = np.nan_to_num(values.astype(np.float32)).clip(-1, 1)
    whole, inner = _function_agreement(upright, version)
    inverted = whole < 0
    if inverted:
        upright, whole, inner = -upright, -whole, -inner
    if whole < FUNCTION_AGREEMENT or (version > 1 and inner < INNER_AGREEMENT):
        return None
    for form, mirrored in _formats(upright, version):
        seen = upright.T if mirrored else upright
        repaired = _codewords(seen, version, form)
        if repaired is not None:
            codewords, corrected = repaired
            matrix = draw(version, form.level, form.mask, codewords)
            return Repair(matrix, version, form.level, form.mask, corrected, mirrored, inverted)
    return None


def draw(version: int, level: Level, mask: int, codewords: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the symbol that carries the (already interleaved) `codewords`, dark True."""
    modules = (function_modules(version) == 1).ravel()
    order = data_order(version)
    bits = np.unpackbits(codewords).astype(np.bool_)
    modules[order[: len(bits)]] = bits
    modules[format_order(version)] = _bits_of(format_bits(level, mask), 15)
    if version_order(version).size:
        modules[version_order(version)] = _bits_of(version_bits(version), 18)
    matrix: NDArray[np.bool_] = modules.reshape(function_modules(version).shape)
    return matrix ^ mask_pattern(mask, version)


@cache
def _function_signs(version: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    modules = function_modules(version)
    signs = np.where(modules == DATA, 0, modules * 2 - 1).astype(np.float32)
    inner = signs.copy()
    inner[:8, :8] = inner[:8, -8:] = inner[-8:, :8] = 0
    return signs.ravel(), inner.ravel()


def _function_agreement(values: NDArray[np.float32], version: int) -> tuple[float, float]:
    flat = values.ravel()
    confidence = np.abs(flat)
    whole, inner = (
        float(signs @ flat) / max(float(np.abs(signs) @ confidence), 1e-6)
        for signs in _function_signs(version)
    )
    return whole, inner


def _formats(values: NDArray[np.float32], version: int) -> Iterator[tuple[Format, bool]]:
    """Yield the formats to try, and whether the symbol is mirrored, likeliest first."""
    candidates = []
    for mirrored in (False, True):
        seen = values.T if mirrored else values
        if version_agreement(seen, version) > VERSION_DISAGREEMENT:
            candidates += [(form, mirrored) for form in read_format(seen, version)[:FORMATS_TRIED]]
    candidates.sort(key=lambda candidate: -candidate[0].agreement)
    for form, mirrored in candidates[:FORMATS_TRIED]:
        likely = form.agreement >= candidates[0][0].agreement - FORMAT_MARGIN
        if likely and form.agreement >= FORMAT_AGREEMENT:
            yield form, mirrored


def _codewords(
    values: NDArray[np.float32], version: int, form: Format
) -> tuple[NDArray[np.uint8], float] | None:
    """Return the repaired codewords as they lie in the symbol, and `Repair.corrected`."""
    total = codewords_of(version)
    order = data_order(version)[: total * 8]
    dark = (values > 0) ^ mask_pattern(form.mask, version)
    codewords = np.packbits(dark.ravel()[order])
    reliability = _reliability(values, order)
    plan = layout(version, form.level)
    longest = len(plan.blocks[-1])
    words = np.zeros((len(plan.blocks), longest), np.uint8)
    for word, places in zip(words, plan.blocks, strict=True):
        word[longest - len(places) :] = codewords[places]
    observed = syndromes(words, plan.correction)
    corrected = 0
    # The least reliable block first: it decides soonest that there is no hope.
    sums = [float(reliability[places].sum()) for places in plan.blocks]
    for block in sorted(range(len(plan.blocks)), key=sums.__getitem__):
        places = plan.blocks[block]
        doubt = np.argsort(reliability[places], kind="stable")
        word = codewords[places]
        repaired = repair_block(word, observed[block], doubt, plan.protection)
        if repaired is None:
            return None
        corrected = max(corrected, int(np.count_nonzero(repaired != word)))
        codewords[places] = repaired
    return codewords, corrected / plan.correction


def _reliability(values: NDArray[np.float32], order: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the logarithm of the odds-derived chance that each codeword is right."""
    confidence = np.abs(values)
    confidence[_uniform(values)] *= UNIFORM_CONFIDENCE
    bits = confidence.ravel()[order].reshape(-1, 8)
    reliability: NDArray[np.float32] = -np.log1p(np.exp(-STEEPNESS * bits)).sum(axis=1)
    return reliability


def _uniform(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which modules lie in a square of one colour."""
    square = np.ones((UNIFORM_MODULES, UNIFORM_MODULES), np.uint8)
    of_dark, of_light = (
        cv2.morphologyEx(np.ascontiguousarray(seen).astype(np.uint8), cv2.MORPH_OPEN, square)
        for seen in (values > 0, values < 0)
    )
    return np.logical_or(of_dark, of_light)


def _bits_of(number: int, length: int) -> NDArray[np.bool_]:
    return np.array([number >> place & 1 for place in range(length - 1, -1, -1)], np.bool_)
