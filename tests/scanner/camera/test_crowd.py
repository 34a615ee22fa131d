"""A wall of finder patterns costs a gate nothing; no honest picture is taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scanner.camera.crowd import CROWDED, finder_patterns_about, is_crowded
from scanner.camera.ladder import Ladder, read_slowly
from scanner.camera.port import Gray
from scanner.camera.symbol.candidates import candidates
from scanner.camera.symbol.structure import FINDER
from tests.scanner.camera.pictures import canvas, code, place, scene


def wall(height_px: int, width_px: int, module_px: int) -> Gray:
    """Finder patterns side by side, a module of white around each."""
    pattern = np.where(np.pad(FINDER, 1), 0, 255).astype(np.uint8)
    tile = np.kron(pattern, np.ones((module_px, module_px), np.uint8))
    times = height_px // tile.shape[0] + 1, width_px // tile.shape[1] + 1
    return np.tile(tile, times)[:height_px, :width_px]


@pytest.mark.parametrize("module_px", [1, 2, 3])
@pytest.mark.parametrize("size", [(1080, 1920), (2048, 2048), (720, 1280)])
def test_walls_are_counted_at_any_size(module_px: int, size: tuple[int, int]) -> None:
    picture = wall(*size, module_px)
    true = picture.size / (9 * module_px) ** 2
    if true > 1.5 * CROWDED:
        assert finder_patterns_about(picture) == pytest.approx(true, rel=0.5)
        assert is_crowded(picture)
        assert is_crowded(cv2.bitwise_not(picture))


@pytest.mark.parametrize(
    "picture",
    [
        canvas(1920, 1080),
        scene("a code"),
        np.random.default_rng(1).integers(0, 256, (1080, 1920)).astype(np.uint8),
        (np.indices((1080, 1920)).sum(0) % 2 * 255).astype(np.uint8),
        np.tile(np.repeat(np.array([0, 255], np.uint8), 3), (1080, 320)),
        wall(200, 300, 3),
    ],
    ids=["empty", "code", "noise", "checks", "stripes", "seventy"],
)
def test_no_other_picture_is_crowded(picture: Gray) -> None:
    assert not is_crowded(picture)


def test_a_sheet_of_codes_is_not_crowded() -> None:
    sheet = np.tile(code("label", 2), (12, 20))
    assert not is_crowded(sheet)
    assert Ladder(lambda: 0).look(sheet)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 7), (6, 6), (0, 0), (31, 31)])
def test_slivers_are_counted_too(shape: tuple[int, int]) -> None:
    assert finder_patterns_about(np.zeros(shape, np.uint8)) == 0


def test_a_crowded_picture_is_left_out_and_counted() -> None:
    """zxing-cpp alone would take a second in each rung."""
    picture = wall(1080, 1920, 1)
    ladder = Ladder(lambda: 0, locate=candidates)
    assert ladder.look(picture) == []
    assert ladder.faults == 1
    assert "finder patterns" in ladder.last_fault
    assert read_slowly(picture, 1, lambda: 0) == []


def test_a_code_in_hand_is_still_read_before_a_wall() -> None:
    ladder = Ladder(lambda: 0)
    empty = np.full((1080, 1920), 255, np.uint8)
    held = place(empty, code("held up", 6), 800, 400)
    assert ladder.look(held)
    behind = place(wall(1080, 1920, 1), code("held up", 6), 800, 400)
    assert [sighting.text for sighting in ladder.look(behind)] == ["held up"]
