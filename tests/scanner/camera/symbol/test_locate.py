"""Finder patterns are found however they are turned, and a hostile picture costs no more."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.port import Gray
from scanner.camera.symbol import locate
from scanner.camera.symbol.locate import (
    FinderPattern,
    darker_than_around,
    finder_patterns,
    merged,
)
from scanner.camera.symbol.structure import FINDER
from tests.scanner.camera.pictures import canvas, code
from tests.scanner.camera.symbol.oddities import wall
from tests.scanner.camera.symbol.surfaces import (
    Drawing,
    drawn,
    lit,
    noisy,
    smeared,
    tilted,
    turned,
)

VERSION, SIZE = 2, 25
MIDDLES = ((3.5, 3.5), (SIZE - 3.5, 3.5), (3.5, SIZE - 3.5))


def patterns_in(picture: Gray, window_px: int = 61, blur_px: float = 0.0) -> list[FinderPattern]:
    return finder_patterns(darker_than_around(picture, window_px, 3, blur_px))


def patterns_by_all_thresholds(picture: Gray) -> list[FinderPattern]:
    """What the reader sees of one scale: no one threshold shows everything."""
    windows = ((25, 3, 0.0), (61, 3, 0.0), (31, 2, 1.5), (91, 2, 1.5))
    seen = [finder_patterns(darker_than_around(picture, *window)) for window in windows]
    return merged([pattern for patterns in seen for pattern in patterns])


def found_of(drawing: Drawing, patterns: list[FinderPattern], module_px: float) -> int:
    """How many of a symbol's three patterns are found where and as large as they are."""
    found = 0
    for column, row in MIDDLES:
        x, y = drawing.surface.at(column, row)
        found += any(
            np.hypot(each.x - x, each.y - y) < module_px
            and 4.5 * module_px < each.size_px < 10.5 * module_px
            for each in patterns[:12]
        )
    return found


@settings(max_examples=12)
@given(degrees=st.floats(0, 360), module_px=st.floats(4, 8), thin=st.floats(0.85, 1.0))
def test_all_three_are_found_however_they_are_turned(
    degrees: float, module_px: float, thin: float
) -> None:
    drawing = drawn(VERSION, turned(module_px, degrees, thin=thin))
    assert found_of(drawing, patterns_by_all_thresholds(drawing.picture), module_px) == 3


@pytest.mark.parametrize("degrees", [30, 45])
def test_all_three_are_found_in_perspective(degrees: float) -> None:
    drawing = drawn(VERSION, tilted(SIZE, degrees).then(turned(5, 8)))
    assert found_of(drawing, patterns_in(drawing.picture), 5) == 3


def test_all_three_are_found_in_bad_light_noise_and_blur() -> None:
    drawing = drawn(VERSION, turned(5, 17))
    for picture in (
        lit(drawing.picture, 1.0, 0.15),
        noisy(drawing.picture, 20),
        smeared(drawing.picture, 6),
        np.asarray(cv2.GaussianBlur(drawing.picture, (0, 0), 1.8), np.uint8),
    ):
        assert found_of(drawing, patterns_in(picture, blur_px=1.5), 5) == 3


@settings(max_examples=30)
@given(module_px=st.integers(1, 6), left=st.integers(0, 40), top=st.integers(0, 40))
def test_one_pattern_is_found_where_it_is(module_px: int, left: int, top: int) -> None:
    dark = np.zeros((90, 90), np.uint8)
    side = 7 * module_px
    dark[top : top + side, left : left + side] = np.kron(
        FINDER, np.ones((module_px, module_px), np.uint8)
    )
    (pattern,) = finder_patterns(dark)
    assert (pattern.x, pattern.y) == (left + (side - 1) / 2, top + (side - 1) / 2)
    assert pattern.across_px == pattern.down_px == pattern.size_px == side
    assert pattern.support >= 2 * 3 * module_px


@pytest.mark.parametrize(
    "picture",
    [
        canvas(),
        np.tile(np.where(np.arange(400) // 5 % 2, 0, 255).astype(np.uint8), (300, 1)),
        (np.indices((300, 300)).sum(axis=0) // 5 % 2 * 255).astype(np.uint8),
        np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1)),
    ],
    ids=["flat", "stripes", "slanting stripes", "gradient"],
)
def test_none_is_found_where_none_is(picture: Gray) -> None:
    assert patterns_in(picture) == []


def test_what_noise_and_writing_have_by_chance_is_badly_supported() -> None:
    noise = noisy(canvas(400, 400), 60)
    text = canvas(640, 400, 255)
    for line in range(12):
        cv2.putText(text, "BBQ 808 OOO over", (5, 30 + 32 * line), 0, 0.8, 0, 2)
    chance = [each.support for each in patterns_in(noise) + patterns_in(text)]
    real = drawn(VERSION, turned(5, 17))
    assert max(chance) < sorted(each.support for each in patterns_in(real.picture))[-3] / 2


@pytest.mark.parametrize("module_px", [1, 2, 3, 7])
def test_a_picture_of_nothing_but_patterns_is_bounded(
    module_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []

    def counted(patterns: list[FinderPattern]) -> list[FinderPattern]:
        seen.append((len(patterns), 0))
        return merged(patterns)

    monkeypatch.setattr(locate, "merged", counted)
    patterns = patterns_in(wall(module_px, 1, 480, 640))
    assert 20 < len(patterns) <= 64
    assert seen[0][0] <= 64 * 64


def test_runs_without_end_are_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "_MAX_RUNS", 50)
    dark = (wall(2, 1, 480, 640) == 0).astype(np.uint8)
    assert 25 < len(locate._runs(dark)) <= 50


def test_rows_are_searched_band_by_band_with_the_same_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dark = darker_than_around(noisy(drawn(VERSION, turned(4, 33)).picture, 30), 25, 3)
    at_once = locate._runs(dark)
    monkeypatch.setattr(locate, "_BAND_PIXELS", 5 * dark.shape[1])
    assert len(at_once) > 50
    assert np.array_equal(locate._runs(dark), at_once)


def test_a_row_ends_where_it_ends() -> None:
    assert len(locate._runs(np.array([[1, 0, 1, 1, 1], [1, 0, 0, 0, 0]], np.uint8))) == 0


@pytest.mark.parametrize(("tall", "found"), [(1, 1), (2, 1), (3, 0), (6, 0)])
def test_a_pattern_is_not_much_longer_than_wide(tall: int, found: int) -> None:
    dark = np.pad(np.kron(FINDER, np.ones((2 * tall, 2), np.int8)), 9).astype(np.uint8)
    assert len(finder_patterns(dark)) == len(finder_patterns(dark.T.copy())) == found


def test_merging_adds_up_support_and_keeps_the_best_supported() -> None:
    weak, strong, apart = (
        FinderPattern(10, 10, 7, 7, 2),
        FinderPattern(11, 10, 7, 7, 5),
        FinderPattern(40, 10, 7, 7, 6),
    )
    assert merged([weak, strong, apart]) == [FinderPattern(11, 10, 7, 7, 7), apart]
    assert merged([]) == []


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            FinderPattern,
            x=st.floats(0, 300),
            y=st.floats(0, 300),
            across_px=st.floats(7, 70),
            down_px=st.floats(7, 70),
            support=st.integers(2, 50),
        ),
        max_size=90,
    )
)
def test_merged_patterns_are_apart_bounded_and_in_order(patterns: list[FinderPattern]) -> None:
    kept = merged(patterns)
    assert len(kept) <= 64
    supports = [each.support for each in kept]
    assert supports == sorted(supports, reverse=True)
    assert sum(supports) <= sum(each.support for each in patterns)
    if len(patterns) <= 64:
        assert sum(supports) == sum(each.support for each in patterns)
    again = merged(kept)
    assert {(each.x, each.y) for each in again} <= {(each.x, each.y) for each in kept}


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 7), (7, 7), (0, 5), (5, 0)])
@pytest.mark.parametrize("value", [0, 1])
def test_odd_shapes_hold_none(shape: tuple[int, int], value: int) -> None:
    assert finder_patterns(np.full(shape, value, np.uint8)) == []


def test_the_border_of_the_picture_is_light() -> None:
    touching = code("x", 3, border=0)
    assert len([each for each in patterns_in(touching) if each.support >= 12]) == 3


def test_the_same_picture_has_the_same_patterns() -> None:
    picture = noisy(drawn(VERSION, turned(4, 33)).picture, 25)
    assert patterns_in(picture) == patterns_in(picture.copy())


def test_scaling_a_pattern_moves_its_pixel_middles() -> None:
    pattern = FinderPattern(10.0, 20.0, 7.0, 14.0, 3).scaled(2.0, 4.0)
    assert pattern == FinderPattern(20.5, 81.5, 14.0, 56.0, 3)
