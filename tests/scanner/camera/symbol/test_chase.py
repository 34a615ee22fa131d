"""Bits turned over on trial repair what erasures alone do not, and nothing that is only noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scanner.camera.symbol import chase
from scanner.camera.symbol.blocks import layout
from scanner.camera.symbol.chase import LARGEST_RANK_SUM, repair_block_by_trial
from scanner.camera.symbol.reed_solomon import FALSE_REPAIR_LIMIT, false_repairs, syndromes
from scanner.camera.symbol.structure import Level
from tests.scanner.camera.symbol.symbols import codewords_in, symbol

KINDS = [(version, level) for version in (1, 2, 5, 7, 27) for level in Level]


@given(
    kind=st.sampled_from(KINDS),
    ranks=st.sampled_from([(1,), (2, 5), (1, 2, 3), (16,), (4, 12), (1, 2, 3, 4, 5)]),
    plan=st.integers(0, 9),
    seed=st.integers(0, 2**32),
)
def test_what_a_trial_turns_over_costs_nothing(
    kind: tuple[int, Level], ranks: tuple[int, ...], plan: int, seed: int
) -> None:
    version, level = kind
    rules = layout(version, level)
    block = codewords_in(symbol("Chase", version, level, 0), version, 0)[rules.blocks[0]]
    plans = chase._plans(len(block), rules.correction, rules.protection)
    erasures, errors = plans[plan % len(plans)]
    random = np.random.default_rng(seed)
    places = random.permutation(len(block))
    doubtful, wrong, shaky = np.split(places, [erasures, erasures + errors])
    damaged = block.copy()
    damaged[doubtful] ^= random.integers(0, 256, erasures, dtype=np.uint8)
    damaged[wrong] ^= random.integers(1, 256, errors, dtype=np.uint8)
    certainty = np.full((len(block), 8), 0.99, np.float32)
    assume(len(shaky) >= max(ranks))
    for rank, place in enumerate(shaky[:LARGEST_RANK_SUM], start=1):
        bit = random.integers(8)
        certainty[place, bit] = 0.5 + rank / 100
        if rank in ranks:
            damaged[place] ^= 128 >> bit
    doubt = np.concatenate([doubtful, shaky, wrong])
    observed = syndromes(damaged[None], rules.correction)[0]
    repaired = repair_block_by_trial(damaged, observed, certainty, doubt, rules.protection)
    assert repaired is not None
    assert (repaired == block).all()


@pytest.mark.parametrize("version", range(1, 41))
@pytest.mark.parametrize("level", Level)
def test_all_trials_together_are_within_the_limit(version: int, level: Level) -> None:
    rules = layout(version, level)
    length = len(rules.blocks[-1])
    plans = chase._plans(length, rules.correction, rules.protection)
    chance = sum(false_repairs(length, rules.correction, *plan) for plan in plans)
    assert plans
    assert chance * len(chase._sets()) <= FALSE_REPAIR_LIMIT
    assert all(2 * t + s <= rules.correction - rules.protection for s, t in plans)


@pytest.mark.parametrize(("version", "level"), KINDS)
def test_noise_is_not_believed(version: int, level: Level) -> None:
    rules = layout(version, level)
    random = np.random.default_rng(version)
    for _ in range(20):
        word = random.integers(0, 256, len(rules.blocks[0]), dtype=np.uint8)
        certainty = random.uniform(0.5, 1, (len(word), 8)).astype(np.float32)
        doubt = np.argsort(certainty.min(axis=1))
        observed = syndromes(word[None], rules.correction)[0]
        assert repair_block_by_trial(word, observed, certainty, doubt, rules.protection) is None


def test_sets_are_tried_in_the_order_of_their_ranks_sum() -> None:
    sets = chase._sets()
    sums = sets @ np.arange(1, LARGEST_RANK_SUM + 1)
    assert (np.diff(sums) >= 0).all()
    assert len(np.unique(sets, axis=0)) == len(sets) == 168
