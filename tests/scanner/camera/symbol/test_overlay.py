"""A grid laid over a picture tells symbols from all else, and bears any symbol it is asked for."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.port import Gray
from scanner.camera.symbol.finder import Finder
from scanner.camera.symbol.hypotheses import Hypothesis, Seed
from scanner.camera.symbol.overlay import Overlay, lay
from scanner.camera.symbol.pyramid import Pyramid
from scanner.camera.symbol.structure import size_of
from tests.scanner.camera.pictures import canvas, place
from tests.scanner.camera.symbol.oddities import strange
from tests.scanner.camera.symbol.surfaces import Drawing, cylinder, drawn, noisy, turned
from tests.scanner.camera.symbol.symbols import certain

LIKELY, UNLIKELY = 0.5, 0.3


def on_a_cup(module_px: float = 5.0) -> Drawing:
    return drawn(4, cylinder(33, 24).then(turned(module_px, 8)))


def laid(drawing: Drawing, picture: Gray | None = None, version: int | None = None) -> Overlay:
    seeds: tuple[Seed, ...] = drawing.seeds()
    if version is not None:
        far = size_of(version) - 3.5
        seeds = tuple(
            Seed(column, row, seed.finder)
            for seed, (column, row) in zip(seeds, ((3.5, 3.5), (far, 3.5), (3.5, far)), strict=True)
        )
    whole = drawing.picture if picture is None else picture
    return lay(Pyramid(whole), Hypothesis(version or drawing.version, seeds, 1.0))


@pytest.mark.parametrize("module_px", [1.8, 3, 5, 12])
def test_the_right_symbol_is_likely_and_says_what_it_says(module_px: float) -> None:
    drawing = on_a_cup(module_px)
    overlay = laid(drawing)
    assert overlay.likeness > LIKELY
    assert (np.sign(overlay.plain) != certain(drawing.matrix)).mean() < 0.03
    (sighting,) = overlay.read(overlay.plain)
    assert (sighting.text, sighting.rung, sighting.version) == ("chot", "nonplanar", 4)
    for seen, corner in zip(sighting.quad, drawing.quad(), strict=True):
        assert math.dist(seen, corner) < module_px


@pytest.mark.parametrize("version", [2, 3, 5, 6])
def test_a_wrong_version_is_less_likely(version: int) -> None:
    drawing = on_a_cup()
    assert laid(drawing, version=version).likeness < laid(drawing).likeness - 0.05


def test_where_there_is_no_symbol_there_is_no_likeness() -> None:
    drawing = on_a_cup()
    height, width = drawing.picture.shape
    for picture in (canvas(width, height), noisy(canvas(width, height), 60)):
        overlay = laid(drawing, picture)
        assert overlay.likeness < UNLIKELY
        assert list(overlay.read(overlay.plain)) == []


def test_each_way_of_clearing_gives_the_symbol() -> None:
    drawing = on_a_cup()
    ways = list(laid(drawing).cleared())
    assert len(ways) >= 3
    for soft in ways:
        assert np.abs(soft).max() <= 1
        assert (np.sign(soft) != certain(drawing.matrix)).mean() < 0.05


def test_only_the_part_around_the_symbol_is_looked_at() -> None:
    drawing = on_a_cup(6)
    scene = place(canvas(1600, 1200), drawing.picture, 900, 700)
    seeds = tuple(
        Seed(each.column, each.row, _moved(each.finder, 900, 700)) for each in drawing.seeds()
    )
    overlay = lay(Pyramid(scene), Hypothesis(4, seeds, 1.0))
    assert overlay.picture.size < scene.size / 4
    (sighting,) = overlay.read(overlay.plain)
    for seen, (x, y) in zip(sighting.quad, drawing.quad(), strict=True):
        assert math.dist(seen, (x + 900, y + 700)) < 6


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    version=st.integers(1, 6),
    patterns=st.lists(
        st.tuples(
            st.floats(0, 0.999),
            st.floats(0, 0.999),
            st.floats(0.5, 40),
            st.floats(0, 360),
            st.floats(0.005, 1),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_whatever_was_taken_for_finder_patterns_does_no_harm(
    shape: tuple[int, int], version: int, patterns: list[tuple[float, float, float, float, float]]
) -> None:
    far = size_of(version) - 3.5
    seeds = tuple(
        Seed(
            column,
            row,
            Finder(
                0.6,
                np.array([x * shape[1], y * shape[0]]),
                turned(module_px, degrees, 0.3, thin).axes_at(0, 0),
            ),
        )
        for (column, row), (x, y, module_px, degrees, thin) in zip(
            ((3.5, 3.5), (far, 3.5), (3.5, far)), patterns, strict=False
        )
    )
    picture = strange(*shape, "noise", version)
    overlay = lay(Pyramid(picture), Hypothesis(version, seeds, 1.0))
    assert -1 <= overlay.likeness <= 1
    assert all(math.isfinite(at) for corner in overlay.quad for at in corner)
    for soft in chain([overlay.plain], overlay.cleared()):
        assert np.isfinite(soft).all()


def test_axes_drawn_out_without_end_are_cut_off() -> None:
    picture = strange(40, 40_000, "noise", 2)
    axes = np.array([[1000.0, 0.0], [0.0, 0.04]])
    seeds = tuple(
        Seed(column, 3.5, Finder(0.6, np.array([x, 20.0]), axes))
        for column, x in ((3.5, 1500.0), (size_of(7) - 3.5, 39_000.0))
    )
    overlay = lay(Pyramid(picture), Hypothesis(7, seeds, 1.0))
    assert overlay.picture.shape[1] < 32_767
    assert np.isfinite(overlay.plain).all()


def _moved(finder: Finder, right_px: float, down_px: float) -> Finder:
    return Finder(finder.agreement, finder.middle + np.array([right_px, down_px]), finder.axes)
