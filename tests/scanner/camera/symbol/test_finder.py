"""A finder pattern is fitted to a fraction of a module, and nothing else is taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.port import Gray
from scanner.camera.symbol.finder import Finder, fit, fit_anew, softened
from tests.scanner.camera.pictures import canvas
from tests.scanner.camera.symbol.surfaces import (
    Drawing,
    Places,
    drawn,
    lit,
    noisy,
    turned,
)

AT = 3.5
CORNERS = np.array([(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)])


def error_modules(finder: Finder, drawing: Drawing, module_px: float) -> float:
    """How far the fitted pattern's corners are from the true ones, in modules, at most."""
    true_corners = drawing.surface.forth(CORNERS + AT)
    return (
        min(
            float(np.hypot(*(corners_of(finder.turned(quarters)) - true_corners).T).max())
            for quarters in range(4)
        )
        / module_px
    )


def corners_of(finder: Finder) -> Places:
    return finder.middle + CORNERS @ finder.axes.T


def fitted(picture: Gray, drawing: Drawing, off_px: float = 0.0) -> Finder | None:
    """What is fitted to a guess like that of runs along rows and columns."""
    axes = drawing.surface.axes_at(AT, AT)
    across, down = (7 / np.abs(np.linalg.inv(axes)).max(axis=0)).tolist()
    middle = drawing.surface.at(AT, AT) + off_px
    return fit_anew(softened(picture), middle, (across * down) ** 0.5)


@settings(max_examples=12)
@given(
    degrees=st.floats(0, 360),
    module_px=st.floats(3.5, 7.5),
    thin=st.floats(0.88, 1.0),
    skew=st.floats(-0.08, 0.08),
    off=st.floats(-0.35, 0.35),
)
def test_it_is_fitted_to_a_fraction_of_a_module_under_affine_warps(
    degrees: float, module_px: float, thin: float, skew: float, off: float
) -> None:
    drawing = drawn(2, turned(module_px, degrees, skew, thin))
    finder = fitted(drawing.picture, drawing, off * module_px)
    assert finder is not None
    assert error_modules(finder, drawing, module_px) < 0.3
    assert finder.agreement > 0.9


def test_light_and_noise_do_not_move_it() -> None:
    drawing = drawn(2, turned(5, 30))
    for picture in (
        lit(drawing.picture, 0.2, 1.0),
        noisy(drawing.picture, 40),
        np.asarray(drawing.picture // 4 + 90, np.uint8),
        np.asarray(cv2.GaussianBlur(drawing.picture, (0, 0), 3), np.uint8),
    ):
        finder = fitted(picture, drawing, 1.5)
        assert finder is not None
        assert error_modules(finder, drawing, 5) < 0.3


@pytest.mark.parametrize("off", [(-3, 0), (0, 4), (3, -2)])
def test_a_better_guess_of_the_axes_bears_a_worse_one_of_the_middle(off: tuple[int, int]) -> None:
    drawing = drawn(2, turned(5, 10))
    guess = drawing.surface.at(AT, AT) + np.array(off)
    finder = fit(softened(drawing.picture), guess, drawing.surface.axes_at(AT, AT))
    assert finder is not None
    assert error_modules(finder, drawing, 5) < 0.3


@pytest.mark.parametrize(
    "picture",
    [
        canvas(200, 200),
        canvas(200, 200, 0),
        noisy(canvas(200, 200), 60),
        np.tile(np.linspace(0, 255, 200).astype(np.uint8), (200, 1)),
        np.tile(np.where(np.arange(200) // 6 % 2, 0, 255).astype(np.uint8), (200, 1)),
        canvas(8, 200),
        canvas(200, 3),
        canvas(1, 1),
    ],
    ids=["gray", "black", "noise", "gradient", "stripes", "narrow", "flat", "a pixel"],
)
def test_what_is_no_finder_pattern_is_not_fitted(picture: Gray) -> None:
    for size_px in (7.0, 35.0, 90.0):
        for x, y in ((100.0, 100.0), (0.0, 0.0), (199.0, 0.0), (-40.0, 250.0)):
            assert fit_anew(softened(picture), np.array([x, y]), size_px) is None


def test_what_is_fitted_is_near_where_it_was_asked_for() -> None:
    drawing = drawn(2, turned(5, 0))
    soft = softened(drawing.picture)
    height, width = soft.shape
    fits = 0
    for x in range(-10, 90, 5):
        for y in range(-10, 90, 5):
            middle, axes = np.array([x, y], np.float64), np.eye(2) * 5.0
            finder = fit(soft, middle, axes)
            if finder is not None:
                fits += 1
                assert np.hypot(*(finder.middle - middle)) <= 15
                assert (finder.middle >= 0).all()
                assert (finder.middle < (width, height)).all()
                assert 2.5 <= finder.module_px <= 10
    assert fits > 3


@settings(max_examples=30)
@given(quarters=st.integers(-9, 9), degrees=st.floats(0, 360), module_px=st.floats(0.5, 50))
def test_turned_by_quarters_it_is_the_same_pattern(
    quarters: int, degrees: float, module_px: float
) -> None:
    surface = turned(module_px, degrees, 0.2, 0.8)
    finder = Finder(0.9, surface.at(AT, AT), surface.axes_at(AT, AT))
    other = finder.turned(quarters)
    assert np.isclose(other.module_px, finder.module_px)
    assert np.allclose(np.roll(corners_of(finder), -(quarters % 4), axis=0), corners_of(other))
    assert np.allclose(other.turned(-quarters).axes, finder.axes)


@settings(max_examples=30)
@given(degrees=st.floats(0, 360), column=st.floats(-50, 50), row=st.floats(-50, 50))
def test_places_are_counted_in_its_own_modules(degrees: float, column: float, row: float) -> None:
    surface = turned(4.0, degrees, 0.2, 0.8)
    finder = Finder(0.9, surface.at(AT, AT), surface.axes_at(AT, AT))
    counted = finder.in_modules(surface.at(AT + column, AT + row))
    assert np.allclose(counted, (column, row), atol=1e-6)
    assert np.isclose(finder.module_px, 4.0 * 0.8**0.5)


def test_softening_leaves_the_callers_picture_alone() -> None:
    picture = noisy(canvas(50, 50), 50)
    picture.flags.writeable = False
    assert softened(picture).dtype == np.float32
