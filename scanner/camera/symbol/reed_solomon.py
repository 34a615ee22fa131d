"""Reed-Solomon codes of QR code symbols, decoded with errors and erasures.

ISO/IEC 18004:2015, 7.5.2 and annex B: symbols of GF(2^8) modulo x^8+x^4+x^3+x^2+1, generator
polynomial with the roots 2^0 ... 2^(r-1) for r correction codewords. An error is a wrong codeword
somewhere, an erasure a codeword known to be doubtful: r correction codewords repair any t errors
and s erasures with 2t + s <= r.

**How much is believed.** A word that is no damaged codeword but noise is taken for one if it
happens to lie near one. With s erasures the syndromes of noise take any of 256^(r-s) values alike,
for erased codewords fit anything. Those that look like at most t errors among the other n-s
codewords number sum over i <= t of C(n-s, i) 255^i. The quotient is the chance of a false repair,
also, but for a small factor, of a codeword damaged beyond repair (McEliece and Swanson, 1986).
`errors_believed` admits no (t, s) with a quotient above `FALSE_REPAIR_LIMIT`; where t is 0 this
keeps 4 correction codewords unspent, where t is large the codes are sparse enough without.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

FALSE_REPAIR_LIMIT = 1e-8
"""Chance of a false repair of one noisy block in one attempt, or in all trials of `chase` together.
All `attempts` at a block of any version and level add up to less than 4e-8, and what `repair` does
with a symbol of one block to three times 5e-8. If garbage gets this far ten times a second, one in
a week is repaired, before its segments have to make sense."""

_POLYNOMIAL = 0x11D
ORDER = 255


def _powers() -> list[int]:
    powers, value = [], 1
    for _ in range(ORDER):
        powers.append(value)
        value = value << 1 ^ (_POLYNOMIAL if value & 0x80 else 0)
    return powers


_POWER = _powers() * 2
"""2^i for i below 510: sums of two logarithms need no reduction."""
_LOG = [0] * 256
for _exponent in range(ORDER):
    _LOG[_POWER[_exponent]] = _exponent
POWERS = np.array(_POWER + [0] * 515, np.uint8)
"""2^i, then zeros: where the logarithm of zero was added, the power is zero."""
_NO_LOGARITHM = 512
_LOGS = np.array([_NO_LOGARITHM, *_LOG[1:]], np.intp)


_bytes = np.arange(256)
_PRODUCTS = POWERS[_LOGS[_bytes][:, None] + _LOGS[_bytes]].ravel()


def product(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the products of two arrays, element by element."""
    products: NDArray[np.uint8] = _PRODUCTS.take(a.astype(np.uint16) * np.uint16(256) + b)
    return products


def _product(a: int, b: int) -> int:
    return _POWER[_LOG[a] + _LOG[b]] if a and b else 0


@cache
def _syndrome_exponents(length: int, correction: int) -> NDArray[np.intp]:
    exponents: NDArray[np.intp] = np.outer(
        np.arange(correction, dtype=np.intp), np.arange(length - 1, -1, -1, dtype=np.intp)
    )
    return exponents % ORDER


def syndromes(words: NDArray[np.uint8], correction: int) -> NDArray[np.uint8]:
    """Return the syndromes (blocks, correction) of words (blocks, length); codewords have zeros."""
    exponents = _syndrome_exponents(words.shape[1], correction)
    folded: NDArray[np.uint8] = np.bitwise_xor.reduce(
        POWERS[_LOGS[words][:, None, :] + exponents], axis=2
    )
    return folded


def syndrome_terms(
    values: NDArray[np.uint8], exponents: NDArray[np.intp], correction: int
) -> NDArray[np.uint8]:
    """Return what each of `values`, at the place of its exponent, adds to the syndromes."""
    powers = np.outer(exponents, np.arange(correction, dtype=np.intp)) % ORDER
    terms: NDArray[np.uint8] = POWERS[_LOGS[values][:, None] + powers]
    return terms


def erased(sequences: NDArray[np.uint8], exponents: Iterable[int]) -> NDArray[np.uint8]:
    """Return syndromes (rows) times the locators 1 - 2^exponent x of erased places.

    From the number of erasures on, they are the syndromes of the errors that are left (Forney).
    """
    product = sequences.copy()
    for exponent in exponents:
        product[:, 1:] ^= POWERS[_LOGS[product[:, :-1]] + exponent]
    return product


def false_repairs(length: int, correction: int, erasures: int, errors: int) -> float:
    """Return the chance that noise looks like at most `errors` beside `erasures`."""
    near = sum(comb(length - erasures, count) * 255**count for count in range(errors + 1))
    return float(near / 256 ** (correction - erasures))


@cache
def errors_believed(length: int, correction: int, erasures: int, protection: int = 0) -> int:
    """Return how many errors may be repaired beside `erasures`, or -1: not even none.

    :param protection: correction codewords that the standard keeps back (p in table 9).
    """
    believed = (correction - protection - erasures) // 2
    while believed >= 0:
        if false_repairs(length, correction, erasures, believed) <= FALSE_REPAIR_LIMIT:
            return believed
        believed -= 1
    return -1


@cache
def attempts(length: int, correction: int, protection: int = 0) -> tuple[tuple[int, int], ...]:
    """Return the (erasures, errors) worth trying, from most errors to most erasures.

    For each number of errors it is the largest number of erasures that is believed: to erase a
    codeword that was right costs nothing that is not spent already.
    """
    best: dict[int, int] = {}
    for erasures in range(correction + 1):
        errors = errors_believed(length, correction, erasures, protection)
        if errors >= 0:
            best[errors] = erasures
    return tuple((erasures, errors) for errors, erasures in best.items())


def repair_block(
    word: NDArray[np.uint8],
    observed: NDArray[np.uint8],
    doubt: NDArray[np.intp],
    protection: int = 0,
) -> NDArray[np.uint8] | None:
    """Return the codeword that `word` means, or None: generalised minimum distance decoding.

    :param observed: the word's syndromes.
    :param doubt: the places in `word`, the most doubtful first; the least reliable ones are erased
        in ever larger numbers until what is left can be repaired.
    """
    if not observed.any():
        return word
    length, correction = len(word), len(observed)
    modified = observed[None]
    roots: list[int] = []
    for erasures, errors in attempts(length, correction, protection):
        more = [length - 1 - int(place) for place in doubt[len(roots) : erasures]]
        modified = erased(modified, more)
        roots += more
        locators = _locate(modified[0, erasures:].tolist(), errors, length)
        if locators is None or not set(roots).isdisjoint(locators):
            continue
        repaired = corrected(word, correction, roots + locators)
        if repaired is not None:
            return repaired
    return None


def correct_block(word: NDArray[np.uint8], observed: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the nearest codeword within half the code's distance, or None.

    For words that a decoder has already taken for this symbol's: nothing here guards against noise.

    :param observed: the word's syndromes.
    """
    if not observed.any():
        return word
    locators = _locate(observed.tolist(), len(observed) // 2, len(word))
    return None if locators is None else corrected(word, len(observed), locators)


def _locate(sequence: list[int], limit: int, length: int) -> list[int] | None:
    """Return the exponents of the places in error, or None if there is no such `limit` of them."""
    locator = _shortest_register(sequence, limit)
    if locator is None:
        return None
    degree = len(locator) - 1
    if degree == 0:
        return []
    # Chien's search: the places whose inverse is a root. Evaluated at all of them at once.
    exponents = np.arange(length, dtype=np.intp)
    values = _evaluated(locator, (ORDER - exponents) % ORDER)
    roots: list[int] = np.flatnonzero(values == 0).tolist()
    return roots if len(roots) == degree else None


def _shortest_register(sequence: list[int], limit: int) -> list[int] | None:
    """Return the shortest linear recurrence of `sequence` (Berlekamp and Massey), constant first.

    None if it is longer than `limit`.
    """
    current, previous = [1], [1]
    size, gap, previous_discrepancy = 0, 1, 1
    for index, term in enumerate(sequence):
        discrepancy = term
        for place in range(1, min(len(current), index + 1)):
            discrepancy ^= _product(current[place], sequence[index - place])
        if discrepancy == 0:
            gap += 1
            continue
        factor = (_LOG[discrepancy] - _LOG[previous_discrepancy]) % ORDER
        before = current
        current = current + [0] * (len(previous) + gap - len(current))
        for place, coefficient in enumerate(previous):
            if coefficient:
                current[place + gap] ^= _POWER[_LOG[coefficient] + factor]
        if 2 * size > index:
            gap += 1
            continue
        size = index + 1 - size
        if size > limit:
            return None
        previous, previous_discrepancy, gap = before, discrepancy, 1
    while len(current) > 1 and current[-1] == 0:
        current.pop()
    return current if len(current) == size + 1 else None


def corrected(
    word: NDArray[np.uint8], correction: int, exponents: list[int]
) -> NDArray[np.uint8] | None:
    """Return `word` with the values at the places of `exponents` put right (Forney's algorithm).

    None if no values there make a codeword of it. Exponents count from the end of the word.
    """
    observed = syndromes(word[None], correction)[0]
    if not exponents:
        return None if observed.any() else word
    located = [1]
    for exponent in exponents:
        shifted = [0] + [_POWER[_LOG[value] + exponent] if value else 0 for value in located]
        located = [a ^ b for a, b in zip([*located, 0], shifted, strict=True)]
    evaluator = np.zeros(correction, np.uint8)
    for place, coefficient in enumerate(located[:correction]):
        if coefficient:
            part = observed[: correction - place]
            evaluator[place:] ^= POWERS[_LOGS[part] + _LOG[coefficient]]
    places = np.array(exponents, np.intp)
    inverse = (ORDER - places) % ORDER
    above = _evaluated(evaluator[: len(exponents)].tolist(), inverse)
    # The formal derivative, times x: in characteristic 2 the odd terms are left.
    below = _evaluated([c if i % 2 else 0 for i, c in enumerate(located)], inverse)
    if not below.all():
        return None
    # The first root is 2^0: the value is the evaluator over the derivative times x.
    values = product(above, POWERS[ORDER - _LOGS[below]])
    repaired = word.copy()
    repaired[len(word) - 1 - places] ^= values
    return None if syndromes(repaired[None], correction).any() else repaired


def _evaluated(coefficients: list[int], exponents: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return the polynomial (constant first) at 2^exponents."""
    terms = [(place, _LOG[value]) for place, value in enumerate(coefficients) if value]
    if not terms:
        return np.zeros(len(exponents), np.uint8)
    degrees, logs = np.array(terms, np.intp).T
    values = POWERS[(degrees[:, None] * exponents + logs[:, None]) % ORDER]
    folded: NDArray[np.uint8] = np.bitwise_xor.reduce(values, axis=0)
    return folded
