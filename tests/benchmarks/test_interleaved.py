"""Protects comparisons: contenders take turns, each with all of its arguments, in every round."""

from __future__ import annotations

import gc

import pytest

from benchmarks.interleaved import Timed, take_turns


def test_all_contenders_are_called_in_turn_in_each_round() -> None:
    called: list[str] = []
    done: list[float] = []
    contenders = {
        "a": (lambda argument: called.append(f"a{argument}"), [1, 2]),
        "b": (lambda argument: called.append(f"b{argument}"), [3]),
    }
    found = take_turns(contenders, rounds=2, progress=done.append)
    assert called == ["a1", "a2", "b3"] * 3, "a round to warm up, and two"
    assert done[-1] == 1
    assert found.us("a") >= 0


def test_the_collector_does_not_run_meanwhile_and_runs_again_afterwards() -> None:
    collecting: list[bool] = []
    contender = (lambda _: collecting.append(gc.isenabled()), [0])
    take_turns({"a": contender}, rounds=1, progress=lambda share: None)
    assert collecting == [False, False]
    assert gc.isenabled()


def test_a_ratio_is_the_median_of_what_each_round_says() -> None:
    found = Timed({"dear": [10.0, 40.0, 9.0], "cheap": [5.0, 4.0, 3.0]})
    assert found.ratio("dear", "cheap") == 3
    assert found.us("dear") == 10
    assert found.ratio("dear", "absent") is None
    assert found.peer_us("absent") is None


def test_who_did_not_take_part_has_no_figure() -> None:
    with pytest.raises(KeyError):
        Timed({}).us("hit")
