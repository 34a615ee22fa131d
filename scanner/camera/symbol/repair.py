"""From soft module values to the one exact symbol that they mean, or to nothing.

Where a decoder of hard bits must find its errors, soft values say where to look. Block by block,
hard decisions come first; then the least certain codewords are erased, and an erasure costs half of
an error; then, where a symbol is clearly there, the least certain bits are turned over on trial. A
symbol is returned only if every block became a codeword within the bounds of
`reed_solomon.errors_believed`; all of it is then drawn anew, so that whoever reads it meets no
damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.blocks import Layout, codewords_of, layout
from scanner.camera.symbol.chase import repair_block_by_trial
from scanner.camera.symbol.information import (
    Format,
    format_bits,
    read_format,
    version_agreement,
    version_bits,
)
from scanner.camera.symbol.reed_solomon import repair_block, syndromes
from scanner.camera.symbol.reliability import Values, chances, clarity
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
ROUNDS = 4
"""How often blocks that could not be repaired are tried again, knowing more of the damage."""
BLOCKS_WITHOUT_HOPE = 3
"""After so many blocks, the most reliable ones first, and none repaired, there is no hope."""
PROMISING_AGREEMENT = 0.75
"""Where all that is known agrees so well, a symbol is there and worth the time of `chase`."""


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


def repair(values: Values) -> Repair | None:
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
    if whole < FUNCTION_AGREEMENT or inner < INNER_AGREEMENT:
        return None
    for form, mirrored in _formats(upright, version):
        seen = upright.T if mirrored else upright
        promising = min(whole, inner, form.agreement) >= PROMISING_AGREEMENT
        mending = _Mending(np.ascontiguousarray(seen), version, form, promising=promising)
        if mending.mend():
            level = _strongest(version, form.level, mending.codewords)
            matrix = draw(version, level, form.mask, mending.codewords)
            return Repair(matrix, version, level, form.mask, mending.corrected, mirrored, inverted)
    return None


def draw(version: int, level: Level, mask: int, codewords: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the symbol that carries the (already interleaved) `codewords`, dark True."""
    modules = _frame_signs(version, level, mask) > 0
    order = data_order(version)
    bits = np.unpackbits(codewords)
    turned = mask_pattern(mask, version).ravel()[order]
    turned[: len(bits)] ^= bits.astype(np.bool_)
    modules[order] = turned
    return modules.reshape(function_modules(version).shape)


@cache
def _frame_signs(version: int, level: Level, mask: int) -> Values:
    """Return all but the data, flat: 1 dark, -1 light, 0 data."""
    signs = _function_signs(version)[0].copy()
    signs[format_order(version)] = _signs_of(format_bits(level, mask), 15)
    if version_order(version).size:
        signs[version_order(version)] = _signs_of(version_bits(version), 18)
    signs.flags.writeable = False
    return signs


@cache
def _function_signs(version: int) -> tuple[Values, Values]:
    modules = function_modules(version)
    signs = np.where(modules == DATA, 0, modules * 2 - 1).astype(np.float32)
    inner = signs.copy()
    inner[:8, :8] = inner[:8, -8:] = inner[-8:, :8] = 0
    return signs.ravel(), inner.ravel()


def _function_agreement(values: Values, version: int) -> tuple[float, float]:
    flat = values.ravel()
    confidence = np.abs(flat)
    whole, inner = (
        float(signs @ flat) / max(float(np.abs(signs) @ confidence), 1e-6)
        for signs in _function_signs(version)
    )
    return whole, inner if version > 1 else whole


def _formats(values: Values, version: int) -> Iterator[tuple[Format, bool]]:
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


def _strongest(version: int, level: Level, codewords: NDArray[np.uint8]) -> Level:
    """Return the strongest level by whose rules the codewords are right.

    In small versions the levels' blocks lie alike and what is right at a strong level is right at
    every weaker one too, which would take correction codewords for text. So a format information
    damaged into a weaker level is not believed.
    """
    strongest, plan = level, layout(version, level)
    for other in Level:
        stronger = layout(version, other)
        if stronger.correction <= plan.correction or len(stronger.blocks) != len(plan.blocks):
            continue
        alike = all(map(np.array_equal, stronger.blocks, plan.blocks))
        if alike and not _syndromes(codewords, stronger).any():
            strongest, plan = other, stronger
    return strongest


def _syndromes(codewords: NDArray[np.uint8], plan: Layout) -> NDArray[np.uint8]:
    """Return the syndromes of each block; zeros in front make short blocks no different."""
    words = np.zeros((len(plan.blocks), len(plan.blocks[-1])), np.uint8)
    for word, places in zip(words, plan.blocks, strict=True):
        word[len(word) - len(places) :] = codewords[places]
    return syndromes(words, plan.correction)


class _Mending:
    """One symbol in one format, its blocks repaired one after another.

    Each repaired block shows where the damage is, which helps with the others: they lie between.
    """

    def __init__(self, values: Values, version: int, form: Format, *, promising: bool) -> None:
        total = codewords_of(version)
        self._values = values
        self._promising = promising
        self._clear = clarity(values)
        self._order = data_order(version)[: total * 8]
        self._turned = mask_pattern(form.mask, version).ravel()[self._order]
        self._plan = layout(version, form.level)
        self._known = _frame_signs(version, form.level, form.mask).copy()
        self.codewords = np.packbits((values.ravel()[self._order] > 0) ^ self._turned)
        self.corrected = 0.0
        """See `Repair.corrected`."""

    def mend(self) -> bool:
        """Repair `codewords` in place; return whether all of them are right now."""
        self._pending = list(range(len(self._plan.blocks)))
        observed = _syndromes(self.codewords, self._plan)
        for _ in range(ROUNDS):
            certainty = self._certainty()
            sums = [float(np.log(certainty[places]).sum()) for places in self._plan.blocks]
            self._pending.sort(key=lambda block: -sums[block])
            progress = self._mend_blocks(observed, certainty, by_trial=False)
            if self._pending and not progress and self._promising:
                progress = self._mend_blocks(observed, certainty, by_trial=True)
            if not self._pending:
                return True
            if not progress:
                return False
        return False

    def _mend_blocks(
        self, observed: NDArray[np.uint8], certainty: Values, *, by_trial: bool
    ) -> bool:
        """Try the pending blocks; return whether one was repaired. Give up soon if none is."""
        hope = 1 if by_trial else BLOCKS_WITHOUT_HOPE
        left: list[int] = []
        for tried, block in enumerate(self._pending):
            hopeless = tried == len(left) >= hope
            if hopeless or not self._mend_block(
                block, observed[block], certainty, by_trial=by_trial
            ):
                left.append(block)
        progress = len(left) < len(self._pending)
        self._pending = left
        return progress

    def _certainty(self) -> Values:
        """Return the chance that each bit of each codeword is right (codewords, 8)."""
        known = self._known.reshape(self._values.shape)
        chance = chances(self._values, self._clear, known)
        return chance.ravel()[self._order].reshape(-1, 8)

    def _mend_block(
        self, block: int, observed: NDArray[np.uint8], certainty: Values, *, by_trial: bool
    ) -> bool:
        places = self._plan.blocks[block]
        word = self.codewords[places]
        doubt = np.argsort(np.log(certainty[places]).sum(axis=1), kind="stable")
        if by_trial:
            repaired = repair_block_by_trial(
                word, observed, certainty[places], doubt, self._plan.protection
            )
        else:
            repaired = repair_block(word, observed, doubt, self._plan.protection)
        if repaired is None:
            return False
        changed = int(np.count_nonzero(repaired != word))
        self.corrected = max(self.corrected, changed / self._plan.correction)
        self.codewords[places] = repaired
        modules = self._order.reshape(-1, 8)[places].ravel()
        turned = self._turned.reshape(-1, 8)[places].ravel()
        self._known[modules] = (np.unpackbits(repaired) ^ turned).astype(np.float32) * 2 - 1
        return True


def _signs_of(number: int, length: int) -> Values:
    bits = [number >> place & 1 for place in range(length - 1, -1, -1)]
    return np.array(bits, np.float32) * 2 - 1
