"""A text counts as right, wrong, unverified or false by what is known of the photograph."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpus import Photograph
from benchmarks.truth import Judgement, judge, same_text


def photograph(
    texts: tuple[str, ...] = (), *, codes: int = 1, unsure: tuple[str, ...] = ()
) -> Photograph:
    return Photograph(Path("x.png"), "set/x.png", "set/kind", codes, texts, unsure)


def test_known_texts_are_right_and_others_wrong_where_all_are_known() -> None:
    assert judge(photograph(("a", "b"), codes=2), ["b", "c", "b", "c"]) == Judgement(
        right=("b",), wrong=("c",)
    )


def test_nothing_contradicts_what_nobody_knows() -> None:
    assert judge(photograph(), ["c"]) == Judgement(unverified=("c",))
    assert judge(photograph(("a",), codes=3), ["a", "c"]) == Judgement(
        right=("a",), unverified=("c",)
    )


def test_texts_that_the_manifest_is_unsure_of_count_neither_way() -> None:
    assert judge(photograph(("a",), unsure=("c",)), ["c"]) == Judgement()


def test_whatever_is_read_where_no_code_is_is_false() -> None:
    assert judge(photograph(codes=0, unsure=("c",)), ["c"]) == Judgement(false=("c",))


@pytest.mark.parametrize("charset", ["shift_jis", "utf-8", "euc_kr"])
def test_charsets_are_a_matter_of_rendering(charset: str) -> None:
    text = "표 モ" if charset == "utf-8" else ("표" if charset == "euc_kr" else "モバイル")
    assert same_text(text, text.encode(charset).decode("latin-1"))


def test_ends_of_lines_and_space_around_are_no_difference() -> None:
    assert same_text("a\r\nb", "a\nb ")
    assert same_text("\N{ZERO WIDTH NO-BREAK SPACE}a", "a")


@given(st.text(alphabet=st.characters(max_codepoint=0x7E, min_codepoint=0x21), min_size=1))
def test_another_plain_text_is_another_text(text: str) -> None:
    assert same_text(text, text)
    assert not same_text(text, text + "x")
    assert not same_text(text, text[:-1])
