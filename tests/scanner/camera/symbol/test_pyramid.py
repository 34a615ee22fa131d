"""A picture is enlarged or shrunk once per scale, and places move with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.symbol.pyramid import (
    LARGEST_LEVEL,
    SMALLEST_LEVEL,
    Pyramid,
    at_level,
    from_level,
)
from tests.scanner.camera.pictures import canvas

LEVELS = st.integers(SMALLEST_LEVEL, LARGEST_LEVEL)


@settings(max_examples=40)
@given(
    module_px=st.floats(0, 1e6),
    wanted_px=st.floats(0.1, 100),
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
def test_the_level_is_the_nearest_there_is(
    module_px: float, wanted_px: float, shape: tuple[int, int]
) -> None:
    level = Pyramid(np.zeros(shape, np.uint8)).level_for(module_px, wanted_px)
    scaled = max(module_px, 1e-3) * 2.0**level
    if level < LARGEST_LEVEL:
        assert scaled > wanted_px / 1.42
    if level > SMALLEST_LEVEL:
        assert scaled < wanted_px * 1.42


def test_a_large_picture_is_not_enlarged_beyond_its_bound() -> None:
    assert Pyramid(canvas(800, 800)).level_for(1.0, 4.0) == 2
    assert Pyramid(canvas(1700, 1700)).level_for(1.0, 4.0) == 1
    assert Pyramid(canvas(4000, 4000)).level_for(1.0, 4.0) == 0


@settings(max_examples=25)
@given(shape=st.tuples(st.integers(1, 90), st.integers(1, 90)), level=LEVELS)
def test_every_level_of_every_shape_has_pixels(shape: tuple[int, int], level: int) -> None:
    picture = np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(shape)
    made = Pyramid(picture).level(level)
    assert made.dtype == np.uint8
    assert made.flags.c_contiguous
    assert made.shape == tuple(max(1, round(side * 2.0**level)) for side in shape)


def test_each_level_is_made_once() -> None:
    pyramid = Pyramid(canvas())
    assert pyramid.level(-1) is pyramid.level(-1)
    assert pyramid.level(0) is pyramid.whole


def test_a_view_of_a_picture_will_do() -> None:
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert np.array_equal(Pyramid(picture[::-1, ::2]).whole, picture[::-1, ::2])
    picture.flags.writeable = False
    assert Pyramid(picture).level(1).shape == (20, 20)


@pytest.mark.parametrize("level", [-2, -1, 1, 2])
def test_places_move_with_the_picture(level: int) -> None:
    picture = canvas(160, 160, 0)
    picture[64:80, 96:128] = 255  # its middle is at (111.5, 71.5)
    rows, columns = np.nonzero(Pyramid(picture).level(level) > 128)
    seen = np.array([columns.mean(), rows.mean()])
    assert np.allclose(at_level(np.array([111.5, 71.5]), level), seen, atol=0.02)


@settings(max_examples=30)
@given(
    places=st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 2), min_size=1, max_size=5), level=LEVELS
)
def test_places_come_back(places: list[tuple[float, float]], level: int) -> None:
    there = at_level(np.array(places), level)
    assert np.allclose(from_level(there, level), places, atol=1e-6)
