"""Blocks that erasures alone do not repair: the least certain bits are turned over on trial.

After D. Chase (1972): most wrong codewords have one wrong bit, and mostly it was seen less clearly
than the others. So sets of the least certain bits are turned over, the likeliest sets first (by the
sum of the bits' ranks), and each result is decoded. Hundreds of trials run side by side in arrays.
Each trial could go wrong, so the chance of a false repair is counted for all of them together.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from scanner.camera.symbol.reed_solomon import (
    FALSE_REPAIR_LIMIT,
    ORDER,
    POWERS,
    attempts,
    corrected,
    erased,
    false_repairs,
    product,
    syndrome_terms,
)

LARGEST_RANK_SUM = 16
"""Sets of bits whose ranks (from 1) add up to no more than this are tried: 168 of them."""
ERASURE_SHARES = (0.0, 0.3)
"""Shares of the correction codewords that are spent on erasures while bits are turned over."""


def repair_block_by_trial(
    word: NDArray[np.uint8],
    observed: NDArray[np.uint8],
    certainty: NDArray[np.float32],
    doubt: NDArray[np.intp],
    protection: int = 0,
) -> NDArray[np.uint8] | None:
    """Return the codeword that `word` means, or None if no trial leads to one.

    :param observed: the word's syndromes.
    :param certainty: of each bit (codewords, 8), the most significant first.
    :param doubt: the places in `word`, the most doubtful first.
    """
    length, correction = len(word), len(observed)
    for erasures, errors in _plans(length, correction, protection):
        kept = certainty.copy()
        kept[doubt[:erasures]] = np.inf
        bits = np.argsort(kept, axis=None, kind="stable")[:LARGEST_RANK_SUM]
        places, values = bits // 8, np.uint8(128) >> (bits % 8).astype(np.uint8)
        sets = _sets()
        terms = syndrome_terms(values, length - 1 - places, correction)
        away = [length - 1 - int(place) for place in doubt[:erasures]]
        # Both steps are linear: erase once, then add up what each set turns over.
        modified = erased(np.vstack((observed[None], terms)), away)[:, erasures:]
        turned = np.bitwise_xor.reduce(
            np.where(sets[:, :, None], modified[None, 1:], np.uint8(0)), axis=1
        )
        for trial, locators in _located(modified[0] ^ turned, errors, length):
            if not set(away).isdisjoint(locators):
                continue
            tried = word.copy()
            np.bitwise_xor.at(tried, places[sets[trial]], values[sets[trial]])
            repaired = corrected(tried, correction, away + locators)
            if repaired is not None:
                return repaired
    return None


@cache
def _sets() -> NDArray[np.bool_]:
    """Return which ranks each set holds (sets, ranks), the smallest sum of ranks first."""
    found: list[tuple[int, ...]] = []

    def grow(chosen: tuple[int, ...], left: int) -> None:
        for rank in range(chosen[-1] + 1 if chosen else 1, left + 1):
            found.append((*chosen, rank))
            grow(found[-1], left - rank)

    grow((), LARGEST_RANK_SUM)
    found.sort(key=lambda ranks: (sum(ranks), len(ranks)))
    sets = np.zeros((len(found), LARGEST_RANK_SUM), np.bool_)
    for row, ranks in zip(sets, found, strict=True):
        row[[rank - 1 for rank in ranks]] = True
    return sets


@cache
def _plans(length: int, correction: int, protection: int) -> tuple[tuple[int, int], ...]:
    """Return (erasures, errors) that keep all trials together below the limit."""
    plans = {}
    trials = len(_sets()) * len(ERASURE_SHARES)
    for share in ERASURE_SHARES:
        erasures = max(
            e
            for e, _ in attempts(length, correction, protection)
            if e <= share * correction or e == 0
        )
        errors = (correction - protection - erasures) // 2
        while errors >= 0 and (
            false_repairs(length, correction, erasures, errors) * trials > FALSE_REPAIR_LIMIT
        ):
            errors -= 1
        if errors >= 1:
            plans[erasures] = errors
    return tuple(plans.items())


def _located(sequences: NDArray[np.uint8], limit: int, length: int) -> list[tuple[int, list[int]]]:
    """Return the trials whose sequence has at most `limit` errors, with the errors' exponents."""
    locators = _shortest_registers(sequences)
    degrees = locators.shape[1] - 1 - np.argmax(locators[:, ::-1] != 0, axis=1)
    likely = np.flatnonzero((degrees <= limit) & (locators[:, 0] != 0))
    if not likely.size:
        return []
    places = np.arange(length, dtype=np.intp)
    exponents = np.outer(np.arange(locators.shape[1]), (ORDER - places) % ORDER) % ORDER
    values = np.bitwise_xor.reduce(
        product(locators[likely][:, :, None], POWERS[exponents][None]), axis=1
    )
    roots = values == 0
    whole = roots.sum(axis=1) == degrees[likely]
    return [
        (int(likely[row]), np.flatnonzero(roots[row]).tolist()) for row in np.flatnonzero(whole)
    ]


def _shortest_registers(sequences: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the error locators of all sequences, constant first, each up to its own factor.

    The reformulated inversionless algorithm of Sarwate and Shanbhag (2001): the same steps for all.
    """
    trials, known = sequences.shape
    most = known // 2
    delta = np.zeros((trials, 3 * most + 2), np.uint8)
    delta[:, : 2 * most] = sequences[:, : 2 * most]
    delta[:, 3 * most] = 1
    theta = delta[:, :-1].copy()
    gamma = np.ones((trials, 1), np.uint8)
    control = np.zeros(trials, np.intp)
    for _ in range(2 * most):
        first = delta[:, :1].copy()
        shifted = delta[:, 1:].copy()
        delta[:, :-1] = product(gamma, shifted) ^ product(first, theta)
        longer = (first[:, 0] != 0) & (control >= 0)
        theta[longer] = shifted[longer]
        gamma[longer] = first[longer]
        control = np.where(longer, -control - 1, control + 1)
    return delta[:, most : 2 * most + 1]
