"""Protects the population of measurements: the same for all, sound records, an honest bound."""

from __future__ import annotations

import numpy as np
import pytest

from admission.standing import CredentialStatus, Product, TestResult
from benchmarks import population
from benchmarks.churn import a_day
from benchmarks.entropy import churn_floor_bytes, entropy_of, set_bits
from benchmarks.population import Population, column, replace
from cache.replica.layout import PERSONS_3

PEOPLE = 20_000
KEYS, WORDS = Population(PEOPLE).arrays()


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    keys, words = Population(PEOPLE).arrays()
    assert (keys == KEYS).all()
    assert (words == WORDS).all()
    others, _ = Population(PEOPLE, seed=2).arrays()
    assert not np.isin(others, KEYS).any()


def test_a_record_is_one_that_the_replica_reads_and_writes_alike() -> None:
    for packed in (words.astype("<u8").tobytes() for words in WORDS[:2_000]):
        facts = PERSONS_3.unpack(packed)
        assert PERSONS_3.pack(facts) == packed
        assert (facts.doses == 0) == (facts.product is Product.NONE) == (facts.last_dose is None)
        assert (facts.tested_h is None) == (facts.test_result is TestResult.NONE)
        assert facts.declared_h is not None or not (facts.symptoms or facts.exposure)


def test_shares_are_those_that_the_module_states() -> None:
    def share(name: str, value: int) -> float:
        return float((column(WORDS, name) == value).mean())

    assert share("status", CredentialStatus.REVOKED) == pytest.approx(0.005, abs=0.002)
    assert share("isolation_until", 0) == pytest.approx(0.99, abs=0.003)
    assert share("doses", 2) == pytest.approx(0.33, abs=0.015)
    assert share("recovered", 0) == pytest.approx(0.96, abs=0.006)
    assert share("tested_h", 0) == pytest.approx(0.65, abs=0.015)
    assert share("declared_h", 0) == pytest.approx(0.40, abs=0.015)


def test_two_planted_keys_of_one_person_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        list(Population(10, planted=(4, 5)).chunks())


def test_a_large_population_comes_in_chunks_that_follow_each_other_with_all_who_are_planted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(population, "CHUNK_PEOPLE", 5_000)
    planted = (3, 1 << 62, 1 << 63, (1 << 64) - 1)
    chunks = list(Population(PEOPLE, planted=planted).chunks())
    assert len(chunks) == 8
    assert all(len(keys) == len(words) for keys, words in chunks)
    keys = np.concatenate([keys for keys, _ in chunks])
    assert len(keys) == PEOPLE
    assert (np.diff(keys >> np.uint64(2)) > 0).all()
    assert np.isin(np.array(planted, np.uint64), keys).all()


def test_a_day_changes_adds_and_removes_as_many_as_it_says() -> None:
    day = a_day(KEYS, WORDS)
    assert len(day.ranks) == 600
    assert (len(day.added_keys), len(day.removed)) == (20, 2)
    assert day.doses + day.tests + day.declarations == 600
    assert not np.isin(day.removed, day.ranks).any()
    assert (day.words != WORDS[day.ranks]).any(axis=1).mean() > 0.95
    keys, words = day.after(KEYS, WORDS)
    assert len(keys) == len(words) == PEOPLE + 20 - 2
    assert (np.diff(keys >> np.uint64(2)) > 0).all()
    at = np.searchsorted(keys, KEYS[day.ranks])
    assert (words[at] == day.words).all()
    assert not np.isin(KEYS[day.removed], keys).any()


def test_identity_and_birth_outlive_a_day() -> None:
    day = a_day(KEYS, WORDS)
    for name in ("identity", "born", "status", "district"):
        assert (column(day.words, name) == column(WORDS[day.ranks], name)).all()


def test_replacing_one_field_leaves_its_neighbours() -> None:
    words = WORDS[:10].copy()
    replace(words, np.ones(10, bool), tested_h=7)
    assert (column(words, "tested_h") == 7).all()
    for name in ("born", "test_result", "declared_h", "recovered"):
        assert (column(words, name) == column(WORDS[:10], name)).all()


def test_the_bound_is_that_of_the_facts_and_of_what_is_kept_of_keys() -> None:
    found = entropy_of(WORDS, PEOPLE, 48)
    assert found.groups["recovery"] < found.groups["born"] < 6.6
    assert found.facts == pytest.approx(sum(found.groups.values()) + 16, abs=0.01)
    assert found.key - found.kept_key == pytest.approx(16, abs=0.01)
    assert found.floor_bytes == pytest.approx((found.facts + found.kept_key) / 8)
    day = a_day(KEYS, WORDS)
    assert 1 < churn_floor_bytes(day, PEOPLE, found.facts) < 2.1


def test_a_set_of_one_key_takes_the_bits_of_the_key() -> None:
    assert set_bits(64, 1) == 64
    assert set_bits(64, 2) == 127
    assert set_bits(64, 0) == 0
