"""The grid follows a surface, module by module, and what is sampled through it is the symbol."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.symbol.contrast import local_contrast
from scanner.camera.symbol.grid import Grid, grow, looked_up, sampled
from scanner.camera.symbol.hypotheses import Seed
from scanner.camera.symbol.structure import Level, size_of
from tests.scanner.camera.symbol.surfaces import (
    FLAT,
    Drawing,
    Surface,
    crease,
    cylinder,
    drawn,
    lit,
    noisy,
    tilted,
    turned,
    wave,
)
from tests.scanner.camera.symbol.symbols import certain

MODULE_PX = 6.0

SURFACES = {
    "flat": (7, FLAT),
    "a wave": (3, wave(1.2, 40)),
    "a long wave": (7, wave(2.0, 70)),
    "a cup": (7, cylinder(45, 36)),
    "a crease": (4, crease(16.5, 0.8, 0.15)),
    "50 degrees": (4, tilted(33, 50)),
    "60 degrees": (7, tilted(45, 60)),
}


def on(name: str, degrees: float = 7.0) -> Drawing:
    version, surface = SURFACES[name]
    return drawn(version, surface.then(turned(MODULE_PX, degrees)), level=Level.L)


def grown(drawing: Drawing, seeds: tuple[Seed, ...] | None = None) -> Grid:
    contrast = local_contrast(drawing.picture, MODULE_PX)
    return grow(contrast, drawing.version, seeds or drawing.seeds())


def errors_modules(grid: Grid, drawing: Drawing) -> tuple[float, float]:
    """The largest and the mean error of modules' middles."""
    apart = np.hypot(*np.moveaxis(grid.module_middles() - drawing.middles(), -1, 0)) / MODULE_PX
    return float(apart.max()), float(apart.mean())


@pytest.mark.parametrize("name", SURFACES)
def test_it_follows_the_surface_everywhere(name: str) -> None:
    drawing = on(name)
    grid = grown(drawing)
    for each in (grid, grid.smoothed()):
        largest, mean = errors_modules(each, drawing)
        assert largest < 0.4
        assert mean < 0.12


@pytest.mark.parametrize("name", ["a cup", "a crease", "60 degrees"])
def test_through_it_the_symbol_is_seen(name: str) -> None:
    drawing = on(name)
    contrast = local_contrast(drawing.picture, MODULE_PX)
    soft = sampled(contrast, grown(drawing).module_middles())
    assert soft.shape == drawing.matrix.shape
    assert (np.sign(soft) != certain(drawing.matrix)).mean() < 0.03


@pytest.mark.parametrize("name", ["flat", "a cup"])
def test_light_and_noise_do_not_move_it(name: str) -> None:
    drawing = on(name)
    picture = noisy(lit(drawing.picture, 1.0, 0.3), 15)
    contrast = local_contrast(picture, MODULE_PX)
    grid = grow(contrast, drawing.version, drawing.seeds()).smoothed()
    assert errors_modules(grid, drawing)[0] < 0.45


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_two_finder_patterns_are_enough(missing: int) -> None:
    drawing = on("flat")
    seeds = tuple(seed for place, seed in enumerate(drawing.seeds()) if place != missing)
    assert errors_modules(grown(drawing, seeds), drawing)[0] < 0.3


def test_what_glare_hides_follows_from_the_rest() -> None:
    drawing = on("50 degrees")
    hidden = drawing.picture.copy()
    x, y = drawing.surface.at(16, 16).astype(int)
    hidden[y - 24 : y + 24, x - 24 : x + 24] = 255
    grid = grow(local_contrast(hidden, MODULE_PX), drawing.version, drawing.seeds()).smoothed()
    assert errors_modules(grid, drawing)[0] < 0.5


def test_smoothing_draws_a_node_that_is_badly_seen_back_into_line() -> None:
    columns = np.arange(0, 21, 5)
    places = np.stack(np.meshgrid(columns * 6.0, columns * 6.0), axis=-1)
    quality = np.ones((5, 5))
    off = places.copy()
    off[2, 2] += 5.0
    quality[2, 2] = 0.0
    smooth = Grid(columns, off, quality).smoothed()
    assert np.abs(smooth.places[2, 2] - places[2, 2]).max() < 0.6
    assert np.abs(smooth.places - places).max() < 0.6
    seen = Grid(columns, off, np.ones((5, 5))).smoothed()
    assert np.abs(seen.places[2, 2] - places[2, 2]).max() > 2.0


@settings(max_examples=20)
@given(
    step=st.floats(0.5, 30),
    degrees=st.floats(0, 360),
    skew=st.floats(-1, 1),
    size=st.integers(4, 9),
)
def test_smoothing_leaves_straight_lines_alone(
    step: float, degrees: float, skew: float, size: int
) -> None:
    columns = np.cumsum(np.arange(size) % 3 + 2) - 2
    flat = np.stack(np.meshgrid(columns, columns), axis=-1).reshape(-1, 2).astype(float)
    places = turned(step, degrees, skew).forth(flat).reshape(size, size, 2)
    quality = np.random.default_rng(size).uniform(0, 1, (size, size))
    assert np.allclose(Grid(columns, places, quality).smoothed().places, places, atol=1e-6)


@pytest.mark.parametrize("version", [1, 2, 7, 14])
def test_every_module_has_a_middle_between_its_nodes(version: int) -> None:
    size = size_of(version)
    flat = np.zeros((40, 40), np.float32)
    seeds = drawn(1, turned(MODULE_PX)).seeds()
    grid = grow(flat, version, seeds[:1])
    assert (grid.columns[0], grid.columns[-1]) == (0, size - 1)
    assert np.diff(grid.columns).max() <= 4
    middles = grid.module_middles()
    assert middles.shape == (size, size, 2)
    assert np.isfinite(middles).all()
    assert np.allclose(middles[grid.columns[:, None], grid.columns], grid.places)


def test_where_nothing_is_seen_it_goes_straight_on() -> None:
    drawing = on("flat", 20)
    nothing = np.zeros(drawing.picture.shape, np.float32)
    grid = grow(nothing, drawing.version, drawing.seeds())
    assert errors_modules(grid, drawing)[0] < 0.25
    assert grid.quality.max() == 0


@settings(max_examples=6)
@given(
    version=st.integers(1, 3),
    axes=st.lists(st.lists(st.floats(-9, 9), min_size=4, max_size=4), min_size=3, max_size=3),
    middles=st.lists(st.lists(st.floats(-60, 260), min_size=2, max_size=2), min_size=3, max_size=3),
    seeds=st.integers(1, 3),
)
def test_seeds_that_contradict_each_other_give_a_grid_all_the_same(
    version: int, axes: list[list[float]], middles: list[list[float]], seeds: int
) -> None:
    picture = local_contrast(noisy(np.full((200, 200), 128, np.uint8), 50), MODULE_PX)
    wrong = []
    for seed, ax, middle in zip(drawn(version, turned(6)).seeds(), axes, middles, strict=True):
        finder = seed.finder
        finder = type(finder)(0.6, np.array(middle), np.array(ax).reshape(2, 2))
        wrong.append(Seed(seed.column, seed.row, finder))
    middle_places = grow(picture, version, wrong[:seeds]).smoothed().module_middles()
    assert np.isfinite(middle_places).all()
    assert np.isfinite(sampled(picture, middle_places)).all()


def test_looking_up_interpolates_and_sees_nothing_outside() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(3, 4)
    places = np.array([(0, 0), (1.5, 0), (1, 0.5), (3, 2), (-5, 0), (0, 99)], np.float64)
    assert looked_up(picture, places).tolist() == [0, 1.5, 3, 11, 0, 0]
    assert looked_up(picture, places.reshape(2, 3, 2)).shape == (2, 3)


def test_more_places_than_opencv_takes_at_once_are_looked_up() -> None:
    picture = np.arange(200, dtype=np.float32).reshape(1, 200)
    x = np.arange(70_000) % 200
    places = np.stack((x, np.zeros_like(x)), axis=1).astype(np.float64)
    assert np.array_equal(looked_up(picture, places), x.astype(np.float32))


def test_the_same_picture_has_the_same_grid() -> None:
    drawing = on("a cup")
    first, second = grown(drawing), grown(drawing)
    assert np.array_equal(first.places, second.places)
    assert np.array_equal(first.quality, second.quality)


def test_surfaces_come_back_to_where_they_began() -> None:
    places = np.random.default_rng(1).uniform(0, 45, (50, 2))
    for name, (_, surface) in SURFACES.items():
        whole: Surface = surface.then(turned(5, 33, 0.1, 0.8))
        assert np.allclose(whole.back(whole.forth(places)), places, atol=1e-6), name
