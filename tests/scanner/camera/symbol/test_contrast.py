"""Soft values mean the same in any light, and blur of a whole module can be undone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.port import Gray
from scanner.camera.symbol.contrast import agreement, equalised, local_contrast, normalised
from scanner.camera.symbol.grid import sampled
from scanner.camera.symbol.structure import Level, function_modules, size_of
from tests.scanner.camera.pictures import canvas
from tests.scanner.camera.symbol.surfaces import Drawing, drawn, lit, noisy, turned
from tests.scanner.camera.symbol.symbols import Values, certain, symbol

MODULE_PX = 6.0
SMEAR = np.array([[0, 0, 0], [0.4, 0.5, 0.4], [0, 0, 0]], np.float32)
BLUR = np.array([[0.05, 0.12, 0.05], [0.1, 0.3, 0.15], [0.05, 0.13, 0.05]], np.float32)


def drawing() -> Drawing:
    return drawn(4, turned(MODULE_PX, 9))


def half_in_shadow(picture: Gray) -> Gray:
    shadow = picture.astype(np.float32)
    shadow[:, picture.shape[1] // 2 :] *= 0.35
    return shadow.astype(np.uint8)


def wrong(soft: Values, matrix: Values) -> float:
    """The share of modules that look like the other kind."""
    return float((np.sign(soft) != np.sign(matrix)).mean())


def leaking(values: Values, kernel: Values, noise: float = 0.03) -> Values:
    leaked = cv2.filter2D(values, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    return (leaked + np.random.default_rng(3).normal(0, noise, values.shape)).astype(np.float32)


@pytest.mark.parametrize("way", ["pixels", "modules"])
def test_in_even_light_every_module_is_clear(way: str) -> None:
    seen = drawing()
    soft = _soft(seen, seen.picture, way)
    truth = certain(seen.matrix)
    assert wrong(soft, truth) == 0
    assert (soft * truth).mean() > 0.7


@pytest.mark.parametrize("way", ["pixels", "modules"])
@pytest.mark.parametrize(("left", "right"), [(1.0, 0.2), (0.15, 1.0), (0.3, 0.3)])
def test_light_that_falls_off_changes_nothing(way: str, left: float, right: float) -> None:
    seen = drawing()
    soft = _soft(seen, lit(seen.picture, left, right), way)
    assert wrong(soft, certain(seen.matrix)) == 0
    assert (soft * certain(seen.matrix)).mean() > 0.65


@pytest.mark.parametrize("way", ["pixels", "modules"])
def test_the_edge_of_a_shadow_costs_few_modules(way: str) -> None:
    seen = drawing()
    picture = half_in_shadow(seen.picture)
    assert wrong(_soft(seen, picture, way), certain(seen.matrix)) < 0.05
    assert np.median(seen.picture) / 2 > picture[:, -80:].mean()  # no threshold reads both


def test_print_that_is_hardly_seen_is_no_more_than_noise() -> None:
    faint = np.where(np.indices((60, 60)).sum(axis=0) // 6 % 2, 100, 102).astype(np.uint8)
    assert np.abs(local_contrast(faint, MODULE_PX)).max() < 0.5
    assert np.abs(local_contrast(canvas(60, 60), MODULE_PX)).max() == 0


@settings(max_examples=25)
@given(
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    module_px=st.floats(0.01, 100),
    seed=st.integers(0, 9),
)
def test_any_picture_has_soft_values(height: int, width: int, module_px: float, seed: int) -> None:
    picture = noisy(canvas(width, height), 90, seed)
    soft = local_contrast(picture, module_px)
    assert soft.shape == picture.shape
    assert soft.dtype == np.float32
    assert np.abs(soft).max() <= 1


@settings(max_examples=25)
@given(size=st.integers(1, 40), low=st.floats(0, 255), high=st.floats(0, 255))
def test_any_brightness_has_soft_values(size: int, low: float, high: float) -> None:
    brightness = np.random.default_rng(size).uniform(min(low, high), max(low, high), (size, size))
    soft = normalised(brightness.astype(np.float32))
    assert soft.shape == (size, size)
    assert np.abs(soft).max() <= 1.5


@pytest.mark.parametrize("version", [2, 4, 7, 10])
def test_what_leaks_in_from_all_sides_is_taken_out(version: int) -> None:
    truth = certain(symbol("equalised", version, Level.M, 2))
    blurred = leaking(truth, BLUR)
    before = wrong(blurred, truth)
    assert before > 0.08
    for reach, restraint in ((1, 3.0), (2, 6.0)):
        assert wrong(equalised(blurred, version, reach, restraint), truth) < before * 0.6


@pytest.mark.parametrize("version", [2, 4, 7, 10])
def test_what_leaks_in_along_a_movement_is_taken_out(version: int) -> None:
    truth = certain(symbol("equalised", version, Level.M, 2))
    smeared = leaking(truth, SMEAR)
    before = wrong(smeared, truth)
    assert before > 0.2
    assert wrong(equalised(smeared, version, 2, 6.0), truth) < before * 0.5


def test_modules_that_have_become_clear_help_with_the_rest() -> None:
    left = [0.0, 0.0]
    for version in (2, 4, 7, 10):
        truth = certain(symbol("equalised", version, Level.M, 2))
        for kernel in (SMEAR, BLUR):
            blurred = leaking(truth, kernel)
            for rounds in (1, 2):
                cleared = equalised(blurred, version, 2, 6.0, rounds)
                left[rounds - 1] += wrong(cleared, truth)
    assert left[1] < left[0] * 0.97


@pytest.mark.parametrize("reach", [1, 2])
def test_what_is_clear_stays_clear(reach: int) -> None:
    truth = certain(symbol("clear", 4, Level.M, 5))
    kept = equalised(truth, 4, reach, 3.0)
    assert wrong(kept, truth) == 0
    assert (kept * truth).min() > 0.8


@settings(max_examples=6)
@given(version=st.integers(1, 6), reach=st.integers(1, 2), kind=st.sampled_from([0.0, 1.0, -1.0]))
def test_nothing_and_noise_are_equalised_without_complaint(
    version: int, reach: int, kind: float
) -> None:
    size = size_of(version)
    random = np.random.default_rng(version)
    for values in (np.full((size, size), kind), random.uniform(-1.5, 1.5, (size, size))):
        cleared = equalised(values.astype(np.float32), version, reach, 3.0)
        assert cleared.shape == (size, size)
        assert np.abs(cleared).max() <= 1


def test_the_callers_values_stay_as_they_are() -> None:
    values = leaking(certain(symbol("mine", 3, Level.M, 0)), BLUR)
    values.flags.writeable = False
    before = values.copy()
    equalised(values, 3, 1, 3.0)
    normalised(values)
    assert np.array_equal(values, before)


@pytest.mark.parametrize("version", [1, 5, 14])
def test_agreement_tells_a_symbol_of_the_version_from_all_else(version: int) -> None:
    truth = certain(symbol("agreement", version, Level.L, 1))
    noise = np.random.default_rng(version).uniform(-1, 1, truth.shape).astype(np.float32)
    assert agreement(truth, version) == 1.0
    assert agreement(-truth, version) == -1.0
    assert abs(agreement(noise, version)) < 0.15
    assert agreement(np.zeros_like(truth), version) == 0.0
    only_common = np.where(function_modules(version) >= 0, truth, 0).astype(np.float32)
    assert agreement(only_common, version) == 1.0


def _soft(seen: Drawing, picture: Gray, way: str) -> Values:
    if way == "pixels":
        return sampled(local_contrast(picture, MODULE_PX), seen.middles())
    return normalised(sampled(picture.astype(np.float32), seen.middles()))
