"""Protects the gate from a copied code: what counts once opens once, over all lanes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.repeat import UsedOnce

tokens = st.sampled_from([b"A", b"B", b"C", b"D", b"E"])
acts = st.lists(st.tuples(st.sampled_from(["use", "give back"]), tokens), max_size=60)
EXPIRES = {b"A": 10, b"B": 20, b"C": 20, b"D": 40, b"E": 5}


@given(acts, st.sampled_from([1, 2, 3, 64]))
def test_uses_are_those_of_the_model(history: list[tuple[str, bytes]], capacity: int) -> None:
    used, model = UsedOnce(capacity), set[bytes]()
    for act, token in history:
        if act == "give back":
            used.give_back(token)
            model.discard(token)
            continue
        assert used.use(token, EXPIRES[token]) is (token not in model)
        model.add(token)
        if len(model) > capacity:
            model.remove(min(model, key=lambda each: (EXPIRES[each], each)))
        assert len(used) == len(model)


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=50))
def test_nothing_counts_twice(shown: list[bytes]) -> None:
    used = UsedOnce()
    assert [used.use(token, 0) for token in shown] == [
        token not in shown[:at] for at, token in enumerate(shown)
    ]


def test_a_flood_is_bounded_and_the_longest_valid_stay_known() -> None:
    used = UsedOnce(capacity=64)
    assert used.use(b"still valid", 10**9)
    for n in range(1_000):
        assert used.use(n.to_bytes(4, "big"), n)
        used.give_back(b"never used")
        if n % 3 == 0:
            used.give_back(n.to_bytes(4, "big"))
    assert len(used) <= 64
    assert len(used._by_expiry) <= 128
    assert not used.use(b"still valid", 10**9)


def test_a_use_that_let_nobody_pass_can_be_given_back() -> None:
    used = UsedOnce()
    assert used.use(b"A", 1)
    used.give_back(b"A")
    assert used.use(b"A", 1)
    assert not used.use(b"A", 1)


def test_an_impossible_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        UsedOnce(0)
