"""Places that look like a code hold it, whatever lies around, and flat pictures have none."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.port import Gray
from scanner.camera.regions import Quad, area_of, shifted
from scanner.camera.symbol.candidates import candidates, thorough_candidates
from tests.scanner.camera.pictures import canvas, place
from tests.scanner.camera.symbol.oddities import strange, wall
from tests.scanner.camera.symbol.surfaces import (
    Drawing,
    drawn,
    lit,
    noisy,
    smeared,
    tilted,
    turned,
)

LEFT, TOP = 180, 90
MARGIN = 0.3
"""Share of a quad that is cut out around it: corners are rough."""
MOST = 124
"""Squares of ten finder patterns, and four patches."""


def clutter(width_px: int = 640, height_px: int = 480, seed: int = 5) -> Gray:
    """Boxes and writing."""
    random = np.random.default_rng(seed)
    picture = canvas(width_px, height_px, 120)
    for _ in range(25):
        x, y = (int(each) for each in random.integers(0, (width_px, height_px)))
        across, down, level = (int(each) for each in random.integers((5, 5, 0), (90, 90, 255)))
        cv2.rectangle(picture, (x, y), (x + across, y + down), level, -1)
    for line in range(6):
        cv2.putText(picture, "Checkpoint 42", (10 + 20 * line, 40 + 70 * line), 0, 0.7, 20, 2)
    return picture


def within(drawing: Drawing, onto: Gray) -> tuple[Gray, Quad]:
    """The drawing in a scene, and where its corners are there."""
    return place(onto, drawing.picture, LEFT, TOP), shifted(drawing.quad(), LEFT, TOP)


def holds(quad: Quad, code: Quad) -> bool:
    """Whether a quad, cut out with its margin, holds a code and little more."""
    bounds, inner = np.array(quad), np.array(code)
    low, high = bounds.min(axis=0), bounds.max(axis=0)
    margin = (high - low) * MARGIN
    return bool(
        (inner >= low - margin).all()
        and (inner <= high + margin).all()
        and np.prod(high - low) < 4 * np.prod(np.ptp(inner, axis=0))
    )


@pytest.mark.parametrize("degrees", [0, 25, 45])
@pytest.mark.parametrize("module_px", [1.5, 2, 3, 6])
def test_a_code_among_clutter_is_the_first_of_its_places(module_px: float, degrees: float) -> None:
    scene, code = within(drawn(2, turned(module_px, degrees)), clutter())
    assert holds(candidates(scene)[0], code)


@pytest.mark.parametrize("way", ["dim", "noise", "smear", "blur", "tilt"])
def test_a_code_that_is_badly_seen_is_among_them(way: str) -> None:
    drawing = drawn(3, tilted(29, 40).then(turned(5, 8)) if way == "tilt" else turned(4, 12))
    scene, code = within(drawing, clutter())
    worse: dict[str, Callable[[Gray], Gray]] = {
        "dim": lambda scene: lit(scene, 0.4, 0.1),
        "noise": lambda scene: noisy(scene, 25),
        "smear": lambda scene: smeared(scene, 9),
        "blur": lambda scene: np.asarray(cv2.GaussianBlur(scene, (0, 0), 2), np.uint8),
        "tilt": lambda scene: scene,
    }
    assert any(holds(quad, code) for quad in candidates(worse[way](scene)))


def test_worn_finder_patterns_leave_a_patch_of_edges() -> None:
    drawing = drawn(5, turned(4, 10), "A long text fills the symbol evenly: no pad codewords, 0123")
    scene, code = within(drawing, canvas(640, 480, 120))
    for column, row in ((3.5, 3.5), (33.5, 3.5), (3.5, 33.5)):
        x, y = (int(at) for at in drawing.surface.at(column, row))
        cv2.circle(scene, (x + LEFT, y + TOP), 9, 225, -1)
    assert any(holds(quad, code) for quad in candidates(scene))


def test_several_codes_are_all_found() -> None:
    drawing = drawn(2, turned(3, 20))
    scene = canvas(800, 300, 120)
    codes = []
    for left in (10, 270, 530):
        scene = place(scene, drawing.picture, left, 40)
        codes.append(shifted(drawing.quad(), left, 40))
    found = candidates(scene)
    for code in codes:
        assert any(holds(quad, code) for quad in found)


def test_whoever_has_time_finds_smaller_codes() -> None:
    small = drawn(2, turned(2.2, 10))
    scene, code = within(small, canvas(2000, 1500, 120))
    assert any(holds(quad, code) for quad in thorough_candidates(scene))
    assert thorough_candidates(scene) == candidates(scene, 1_600_000)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_places_are_in_pixels_of_the_whole_picture(scale: int) -> None:
    scene, code = within(drawn(2, turned(6, 10)), canvas(640, 480, 120))
    larger = np.kron(scene, np.ones((scale, scale), np.uint8))
    a, b, c, d = ((x * scale, y * scale) for x, y in code)
    assert holds(candidates(larger)[0], (a, b, c, d))


@pytest.mark.parametrize(
    "picture",
    [
        canvas(),
        canvas(640, 480, 0),
        canvas(640, 480, 255),
        np.tile(np.linspace(0, 255, 640).astype(np.uint8), (480, 1)),
        np.tile(np.where(np.arange(640) // 9 % 2, 20, 230).astype(np.uint8), (480, 1)),
        noisy(canvas(640, 480, 20), 3),
    ],
    ids=["gray", "black", "white", "gradient", "stripes", "noise in the dark"],
)
def test_there_are_none_where_there_is_nothing(picture: Gray) -> None:
    assert candidates(picture) == []
    assert thorough_candidates(picture) == []


@pytest.mark.parametrize("module_px", [1, 2, 4])
@pytest.mark.parametrize("gap", [1, 6])
def test_a_wall_of_finder_patterns_is_bounded(module_px: int, gap: int) -> None:
    found = candidates(wall(module_px, gap, 400, 600))
    assert len(found) <= MOST
    _sound(found)


@settings(max_examples=30)
@given(
    height=st.integers(1, 160),
    width=st.integers(1, 160),
    kind=st.sampled_from(["noise", "black and white", "blobs", "constant"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_picture_gives_sound_places_and_the_same_ones_twice(
    height: int, width: int, kind: str, seed: int
) -> None:
    picture = strange(height, width, kind, seed)
    found = candidates(picture)
    _sound(found)
    assert found == candidates(picture.copy())


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (2, 900_000), (51, 20_000)])
def test_slivers_have_places_or_none_but_do_no_harm(shape: tuple[int, int]) -> None:
    _sound(candidates(np.zeros(shape, np.uint8)))
    _sound(candidates(strange(*shape, "noise", 1)))


def test_a_view_that_nobody_may_write_will_do() -> None:
    scene, _ = within(drawn(2, turned(3, 20)), clutter())
    expected = candidates(scene)
    wide = np.repeat(scene, 2, axis=1)
    wide.flags.writeable = False
    assert candidates(wide[:, ::2]) == expected
    assert candidates(scene[::-1, ::-1].copy()[::-1, ::-1]) == expected
    assert candidates(np.asfortranarray(scene)) == expected
    _sound(candidates(np.broadcast_to(np.uint8(7), (200, 200))))


def _sound(quads: list[Quad]) -> None:
    """Finite, with an area, and none within another's bounds for the most part."""
    for quad in quads:
        assert all(math.isfinite(at) for corner in quad for at in corner)
        assert area_of(quad) > 0
    bounds = [(np.min(quad, axis=0), np.max(quad, axis=0)) for quad in quads]
    for place_, (low, high) in enumerate(bounds):
        for other_low, other_high in bounds[:place_]:
            shared = np.minimum(high, other_high) - np.maximum(low, other_low)
            smaller = min(np.prod(high - low), np.prod(other_high - other_low))
            assert np.prod(np.maximum(shared, 0)) <= 0.5 * smaller + 1e-6
