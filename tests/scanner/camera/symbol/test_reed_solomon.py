"""Errors and erasures within the bounds are repaired exactly; noise is not believed."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scanner.camera.symbol import reed_solomon
from scanner.camera.symbol.blocks import layout
from scanner.camera.symbol.reed_solomon import (
    FALSE_REPAIR_LIMIT,
    attempts,
    errors_believed,
    repair_block,
    syndromes,
)
from scanner.camera.symbol.structure import Level
from tests.scanner.camera.symbol.symbols import codewords_in, symbol

KINDS = [(version, level) for version in (1, 2, 3, 5, 7, 10, 27, 40) for level in Level]


def block_of(version: int, level: Level) -> NDArray[np.uint8]:
    """A codeword that segno computed."""
    words = codewords_in(symbol("Reed & Solomon"[:7], version, level, 0), version, 0)
    return words[layout(version, level).blocks[-1]]


@pytest.mark.parametrize(("version", "level"), KINDS)
def test_codewords_by_others_have_no_syndromes(version: int, level: Level) -> None:
    block, correction = block_of(version, level), layout(version, level).correction
    assert not syndromes(block[None], correction).any()
    block[3] ^= 1
    assert syndromes(block[None], correction).all()


@given(kind=st.sampled_from(KINDS), attempt=st.integers(0, 99), seed=st.integers(0, 2**32))
def test_what_is_believed_is_repaired(kind: tuple[int, Level], attempt: int, seed: int) -> None:
    block, plan = block_of(*kind), layout(*kind)
    within = attempts(len(block), plan.correction, plan.protection)
    erasures, errors = within[attempt % len(within)]
    random = np.random.default_rng(seed)
    places = random.permutation(len(block))
    damaged = block.copy()
    damaged[places[:erasures]] = random.integers(0, 256, erasures)
    damaged[places[erasures:][:errors]] ^= random.integers(1, 256, errors, dtype=np.uint8)
    doubt = np.concatenate([places[:erasures], np.sort(places[erasures:])])
    observed = syndromes(damaged[None], plan.correction)[0]
    repaired = repair_block(damaged, observed, doubt, plan.protection)
    assert repaired is not None
    assert (repaired == block).all()


@given(kind=st.sampled_from(KINDS), beyond=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_what_is_damaged_beyond_is_not_invented(
    kind: tuple[int, Level], beyond: int, seed: int
) -> None:
    block, plan = block_of(*kind), layout(*kind)
    random = np.random.default_rng(seed)
    most = (plan.correction - plan.protection) // 2
    places = random.permutation(len(block))[: most + beyond]
    damaged = block.copy()
    damaged[places] ^= random.integers(1, 256, len(places), dtype=np.uint8)
    # The doubts point elsewhere, so that erasing makes it worse.
    doubt = np.setdiff1d(np.arange(len(block)), places)
    doubt = np.concatenate([random.permutation(doubt), places])
    observed = syndromes(damaged[None], plan.correction)[0]
    repaired = repair_block(damaged, observed, doubt, plan.protection)
    assert repaired is None or (repaired == block).all()


@pytest.mark.parametrize("version", range(1, 41))
@pytest.mark.parametrize("level", Level)
def test_the_bound_is_what_is_counted(version: int, level: Level) -> None:
    plan = layout(version, level)
    length = len(plan.blocks[-1])
    total = 0.0
    for erasures, errors in attempts(length, plan.correction, plan.protection):
        near = sum(comb(length - erasures, i) * 255**i for i in range(errors + 1))
        chance = near / 256 ** (plan.correction - erasures)
        assert chance <= FALSE_REPAIR_LIMIT
        assert 2 * errors + erasures <= plan.correction - plan.protection
        total += chance
    assert total < 4e-8


def test_noise_is_repaired_as_often_as_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    # No limit that is believed can be measured; one five codewords beyond can.
    monkeypatch.setattr(reed_solomon, "attempts", lambda *_: ((5, 1),))
    random = np.random.default_rng(7)
    words = random.integers(0, 256, (2000, 26), dtype=np.uint8)
    observed = syndromes(words, 7)
    places = np.arange(26)
    repaired = sum(
        repair_block(word, syndrome, places) is not None
        for word, syndrome in zip(words, observed, strict=True)
    )
    counted = len(words) * (1 + 21 * 255) / 256**2
    assert abs(repaired - counted) < 4 * counted**0.5


def test_the_standards_protection_is_kept() -> None:
    assert errors_believed(26, 7, 0, protection=3) == 2
    assert errors_believed(26, 17, 0, protection=1) == 8
    assert errors_believed(148, 30, 0) == 15
    assert errors_believed(26, 7, 4, protection=3) == -1
    assert errors_believed(26, 7, 8) == -1
