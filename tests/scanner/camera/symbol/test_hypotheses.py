"""Finder patterns make symbols of the right version, whichever of them are seen."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.symbol.finder import Finder
from scanner.camera.symbol.hypotheses import Hypothesis, hypotheses, versions_near
from scanner.camera.symbol.structure import size_of
from tests.scanner.camera.symbol.surfaces import (
    Surface,
    crease,
    cylinder,
    tilted,
    turned,
)

VERSIONS = range(1, 16)
MIRROR = Surface(lambda places: places * [-1.0, 1.0], lambda places: places * [-1.0, 1.0])


def finders_on(surface: Surface, version: int, quarters: int = 0) -> list[Finder]:
    """A symbol's three patterns, upper left first, turned as a fit may happen to turn them."""
    far = size_of(version) - 3.5
    return [
        Finder(0.9, surface.at(*place), surface.axes_at(*place)).turned(quarters + turn)
        for turn, place in enumerate(((3.5, 3.5), (far, 3.5), (3.5, far)))
    ]


def is_right(hypothesis: Hypothesis, surface: Surface, version: int) -> bool:
    """Whether every seed lies where the symbol says it does, along the symbol's own axes."""
    return hypothesis.version == version and all(
        np.allclose(seed.finder.middle, surface.at(seed.column, seed.row), atol=1e-6)
        and np.allclose(seed.finder.axes, surface.axes_at(seed.column, seed.row), atol=1e-6)
        for seed in hypothesis.seeds
    )


@settings(max_examples=40)
@given(
    version=st.integers(1, 40),
    degrees=st.floats(0, 360),
    skew=st.floats(-0.2, 0.2),
    thin=st.floats(0.6, 1),
    quarters=st.integers(0, 3),
)
def test_three_patterns_seen_straight_make_the_symbol(
    version: int, degrees: float, skew: float, thin: float, quarters: int
) -> None:
    surface = turned(5, degrees, skew, thin)
    assert is_right(hypotheses(finders_on(surface, version, quarters))[0], surface, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_three_patterns_in_perspective_make_the_symbol(version: int) -> None:
    for degrees in (-55, -40, 40, 55):
        surface = tilted(size_of(version), degrees).then(turned(5, 30))
        found = hypotheses(finders_on(surface, version))
        assert any(is_right(each, surface, version) and len(each.seeds) == 3 for each in found[:6])


@pytest.mark.parametrize("version", [2, 5, 9])
def test_three_patterns_on_bent_paper_make_the_symbol(version: int) -> None:
    size = size_of(version)
    for bent in (cylinder(size, size * 0.6), crease(size / 2, 0.7, 0.25)):
        surface = bent.then(turned(5, 200))
        found = hypotheses(finders_on(surface, version))
        assert any(is_right(each, surface, version) for each in found[:6])


@pytest.mark.parametrize("missing", [0, 1, 2], ids=["upper left", "upper right", "lower left"])
@pytest.mark.parametrize("version", VERSIONS)
def test_two_patterns_make_the_symbol_too(version: int, missing: int) -> None:
    for turn in range(4):
        surface = turned(5, 20 + 90 * turn)
        finders = finders_on(surface, version, turn)
        del finders[missing]
        found = hypotheses(finders)
        assert any(is_right(each, surface, version) for each in found[:12])


def test_a_mirrored_symbol_is_read_as_one_that_is_transposed() -> None:
    surface = MIRROR.then(turned(5, 70))
    found = hypotheses(finders_on(surface, 4))
    far = size_of(4) - 3.5
    best = found[0]
    assert best.version == 4
    # Rows and columns have changed places: error correction is told so by the format.
    transposed = Surface(
        lambda places: surface.forth(places[:, ::-1]), lambda places: surface.back(places)[:, ::-1]
    )
    assert is_right(best, transposed, 4)
    assert {(seed.column, seed.row) for seed in best.seeds} == {(3.5, 3.5), (far, 3.5), (3.5, far)}


def test_a_false_pattern_beside_them_does_not_hide_the_symbol() -> None:
    surface = turned(5, 10)
    false = Finder(0.6, surface.at(14, 15), surface.axes_at(14, 15))
    found = hypotheses([false, *finders_on(surface, 4)])
    assert is_right(found[0], surface, 4)


def test_two_symbols_are_told_apart() -> None:
    one, two = turned(5, 10), turned(3, 80)
    away = np.array([600.0, 0.0])
    other = two.then(Surface(lambda places: places + away, lambda places: places - away))
    found = hypotheses(finders_on(one, 4) + finders_on(other, 7))
    assert any(is_right(each, one, 4) for each in found[:4])
    assert any(is_right(each, other, 7) for each in found[:4])


def test_fewer_than_two_patterns_make_nothing() -> None:
    assert hypotheses([]) == []
    assert hypotheses(finders_on(turned(5, 10), 3)[:1]) == []


def test_patterns_that_are_one_twice_make_nothing() -> None:
    finder = finders_on(turned(5, 10), 3)[0]
    assert hypotheses([finder, finder, finder]) == []


def test_unlike_sizes_make_nothing() -> None:
    one, two, _ = finders_on(turned(5, 10), 3)
    one, two = one.turned(0), two.turned(-1)
    assert hypotheses([one, two])
    larger = msgspec.structs.replace(two, axes=two.axes * 4)
    taller = msgspec.structs.replace(one, axes=one.axes * [1, 8])
    assert hypotheses([one, larger]) == []
    assert hypotheses([taller, two]) == []


@pytest.mark.parametrize("count", [9, 30])
def test_a_wall_of_patterns_is_bounded(count: int) -> None:
    finders = [
        Finder(0.9, np.array([place % 6 * 80.0, place // 6 * 80.0]), np.eye(2) * 5)
        for place in range(count)
    ]
    assert 0 < len(hypotheses(finders)) <= 24


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            lambda x, y, degrees, size, skew, thin: Finder(
                0.7, np.array([x, y]), turned(size, degrees, skew, thin).axes_at(0, 0)
            ),
            x=st.floats(0, 500),
            y=st.floats(0, 500),
            degrees=st.floats(0, 360),
            size=st.floats(0.5, 20),
            skew=st.floats(-2, 2),
            thin=st.floats(-1, 1).filter(lambda thin: abs(thin) > 0.05),
        ),
        max_size=7,
    )
)
def test_whatever_the_patterns_are_hypotheses_are_sound(finders: list[Finder]) -> None:
    found = hypotheses(finders)
    assert len(found) <= 24
    for hypothesis in found:
        assert 1 <= hypothesis.version <= 40
        assert np.isfinite(hypothesis.score)
        places = {(seed.column, seed.row) for seed in hypothesis.seeds}
        assert len(places) == len(hypothesis.seeds) in (2, 3)
        far = size_of(hypothesis.version) - 3.5
        assert places <= {(3.5, 3.5), (far, 3.5), (3.5, far)}


@given(st.floats(1, 400))
def test_versions_are_those_nearest_to_what_was_counted(modules: float) -> None:
    near = versions_near(modules)
    assert all(1 <= version <= 40 for version in near)
    apart = [abs(size_of(version) - 7 - modules) for version in near]
    assert apart == sorted(apart)
    if 14 <= modules <= 170:
        assert near
        assert apart[0] <= 2.001


@pytest.mark.parametrize("version", range(1, 41))
def test_what_is_counted_exactly_is_that_version(version: int) -> None:
    assert versions_near(size_of(version) - 7)[0] == version
    assert versions_near(size_of(version) - 7, spread=0)[0] == version
