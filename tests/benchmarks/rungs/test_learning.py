"""The order of the rungs: cheap gains first, scenes never on both sides of an examination."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpus import Photograph
from benchmarks.rungs.learning import (
    beyond,
    cross_validated,
    folds_of,
    learnt,
    read_after_ms,
    within,
)
from benchmarks.rungs.reads import Reads, RungReads


def photograph(number: int, *texts: str, category: str = "s/near") -> Photograph:
    return Photograph(Path(f"{number}"), f"s/{number}", category, 1, texts, ())


def reads_of(**rungs: tuple[str, float]) -> Reads:
    """Rungs by name: `x` for each photograph that is read, and milliseconds on each of them."""
    count = len(next(iter(rungs.values()))[0])
    return Reads(
        tuple(str(n) for n in range(count)),
        count,
        tuple(
            RungReads(name, tuple(mark == "x" for mark in marks), (ms,) * count, 0)
            for name, (marks, ms) in rungs.items()
        ),
    )


def test_what_reads_most_for_what_it_costs_comes_first() -> None:
    reads = reads_of(dear=("xxxx", 10.0), cheap=("xx..", 1.0), rest=("..x.", 1.0))
    assert learnt(reads, range(4), [["dear", "cheap", "rest"]]) == ["cheap", "rest", "dear"]


def test_the_photographs_that_teach_decide() -> None:
    reads = reads_of(a=("xx..", 1.0), b=("..xx", 1.0))
    assert learnt(reads, [0, 1], [["b", "a"]])[0] == "a"
    assert learnt(reads, [2, 3], [["a", "b"]])[0] == "b"


def test_groups_keep_their_order() -> None:
    reads = reads_of(a=("xxxx", 1.0), b=("x...", 1.0), c=(".x..", 1.0))
    assert learnt(reads, range(4), [["c", "b"], ["a"]]) == ["c", "b", "a"]


def test_what_adds_nothing_is_ordered_by_the_hard_photographs_it_reads_in_another_way() -> None:
    reads = reads_of(
        first=("xx......", 1.0), second=("..xx....", 1.0), third=("....x...", 1.0),
        fourth=(".....x..", 1.0), hard=("......xx", 2.0), easy_again=("xx......", 0.5),
        hard_again=("......xx", 4.0), useless=("........", 0.1),
    )  # fmt: skip
    order = learnt(reads, range(8), [[rung.name for rung in reads.rungs]])
    assert order.index("hard_again") < order.index("useless")
    assert order[0] == "easy_again", "it is the cheaper one of two that read the same"


@given(
    st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=6),
    st.lists(st.floats(0.1, 100), min_size=6, max_size=6),
)
def test_every_rung_is_in_the_order_once(marks: list[list[bool]], ms: list[float]) -> None:
    rungs = tuple(RungReads(str(n), tuple(read), (ms[n],) * 6, 0) for n, read in enumerate(marks))
    reads = Reads(tuple("abcdef"), 6, rungs)
    names = [rung.name for rung in rungs]
    assert sorted(learnt(reads, range(6), [names])) == sorted(names)


def test_photographs_of_one_scene_are_in_one_fold() -> None:
    photographs = [
        photograph(0, "a"),
        photograph(1, "a", "b"),
        photograph(2, "b"),
        photograph(3, "c"),
        photograph(4, category="s/dark"),
        photograph(5, category="s/dark"),
    ]
    folds = folds_of(photographs, 3)
    assert folds[0] == folds[1] == folds[2]
    assert folds[4] == folds[5]
    assert len({folds[0], folds[3], folds[4]}) == 3


@given(st.lists(st.sets(st.sampled_from("abcdefgh"), max_size=3), max_size=20))
def test_no_text_is_in_two_folds(texts: list[set[str]]) -> None:
    photographs = [photograph(n, *sorted(each)) for n, each in enumerate(texts)]
    folds_by_text: dict[str, set[int]] = {}
    for each, fold in zip(photographs, folds_of(photographs), strict=True):
        for text in each.texts:
            folds_by_text.setdefault(text, set()).add(fold)
    assert all(len(folds) == 1 for folds in folds_by_text.values())


def test_a_photograph_costs_all_rungs_up_to_the_one_that_reads_it() -> None:
    reads = reads_of(a=("x..", 2.0), b=(".x.", 20.0))
    after = read_after_ms(reads, ["a", "b"], range(3))
    assert after == {0: 2.0, 1: 22.0, 2: None}
    assert within(after, 4) == {"5": 0.25, "15": 0.25, "30": 0.5, "100": 0.5, "500": 0.5}


def test_what_only_one_fold_teaches_is_not_known_in_its_own_examination() -> None:
    """Each rung reads one family alone: learnt without it, its rung comes last."""
    reads = reads_of(a=("xx..", 10.0), b=("..xx", 10.0))
    held_out, chosen = cross_validated(reads, [0, 0, 1, 1], [["a", "b"]], most=1)
    assert held_out.unseen["500"] == 0.0
    assert held_out.seen["500"] == 0.5
    assert chosen == {"a": 1, "b": 1}


def test_what_a_rung_reads_beyond_the_others() -> None:
    reads = reads_of(a=("xx..", 1.0), b=(".xx.", 1.0), c=("...x", 1.0))
    assert beyond(reads, "b", ["a", "b"]) == 1
    assert beyond(reads, "c", ["a", "b"]) == 1
