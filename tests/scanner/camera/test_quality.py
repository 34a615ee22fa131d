"""What is measured is what was drawn: light, size, blur, smear, noise, however a code is held."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import Symbology
from scanner.camera.port import Gray
from scanner.camera.quality import CodeQuality, noise_in, quality_of
from scanner.camera.sighting import Quad, Sighting
from tests.scanner.camera.mounted import View, seen
from tests.scanner.camera.pictures import canvas

ANGLES = st.floats(0, 360)
DISTANCES = st.floats(2.0, 7.0)


def sighting(quad: Quad, module_px: float = 0.0) -> Sighting:
    return Sighting("text", Symbology.QR_CODE, "full", quad, module_px=module_px)


def measured(view: View, *, read: bool = True) -> CodeQuality:
    gray, quad = seen(view)
    told = ((sighting(quad, view.module_px),), ()) if read else ((), (quad,))
    code = quality_of(gray, *told).code
    assert code is not None
    assert code.read is read
    return code


@settings(max_examples=10)
@given(ANGLES, DISTANCES, st.floats(0.2, 0.5))
def test_blur_is_measured_in_modules_at_any_angle_and_distance(
    angle: float, module_px: float, blur: float
) -> None:
    code = measured(View(module_px=module_px, blur=blur, turned_deg=angle))
    assert code.blur_modules == pytest.approx(blur, abs=0.12)
    assert code.motion_modules < 0.9


@settings(max_examples=10)
@given(ANGLES, st.floats(2.5, 7.0), st.floats(1.3, 2.5))
def test_a_smear_is_told_from_defocus_with_its_direction(
    angle: float, module_px: float, smear: float
) -> None:
    code = measured(View(module_px=module_px, smear=smear, turned_deg=angle))
    assert code.motion_modules == pytest.approx(smear, abs=0.4)
    assert code.blur_modules < 0.35
    astray = abs(code.motion_deg - angle % 180)
    assert min(astray, 180 - astray) < 5


@settings(max_examples=10)
@given(ANGLES, st.integers(20, 120), st.integers(15, 120), st.floats(0, 5))
def test_levels_and_contrast_are_those_of_the_modules(
    angle: float, dark: int, contrast: int, noise: float
) -> None:
    view = View(dark=dark, light=dark + contrast, noise=noise, turned_deg=angle, blur=0.1)
    code = measured(view)
    assert code.contrast == pytest.approx(contrast, abs=max(4, 0.15 * contrast))
    assert code.dark < dark + contrast / 2 < code.light


@settings(max_examples=10)
@given(ANGLES, st.floats(1.25, 7.0))
def test_the_distance_of_a_code_that_nobody_read_is_estimated(
    angle: float, module_px: float
) -> None:
    code = measured(View(module_px=module_px, turned_deg=angle), read=False)
    assert code.module_px == pytest.approx(module_px, rel=0.2)


@settings(max_examples=10)
@given(st.floats(0.5, 12))
def test_noise_is_measured_whatever_is_in_the_picture(noise: float) -> None:
    gray, _ = seen(View(noise=noise, module_px=6))
    assert noise_in(gray) == pytest.approx(noise, rel=0.2, abs=0.3)


def test_glare_is_the_share_that_is_washed_out() -> None:
    assert measured(View(light=255, noise=0)).glare_share == 0
    assert measured(View(glare=0.3)).glare_share == pytest.approx(0.25, abs=0.1)


def test_a_code_that_fills_a_large_picture_is_measured_alike() -> None:
    gray, quad = seen(View(module_px=6))
    large = np.kron(gray, np.ones((5, 5), np.uint8))
    a, b, c, d = ((5 * x, 5 * y) for x, y in quad)
    code = quality_of(large, (sighting((a, b, c, d), 30.0),)).code
    assert code is not None
    assert code.module_px == 30
    assert code.contrast == pytest.approx(170, abs=10)
    assert code.blur_modules == pytest.approx(0.15, abs=0.1)


def test_the_frame_is_judged_where_there_is_no_code() -> None:
    dark = quality_of(canvas(level=3))
    assert (dark.mean, dark.dark_share, dark.bright_share) == (3, 1, 0)
    assert dark.edge_px is None
    sharp, _ = seen(View(module_px=6, blur=0))
    assert quality_of(sharp).edge_px == pytest.approx(0, abs=0.6)
    for sigma in (1.5, 3.0):
        soft = cv2.GaussianBlur(sharp, (0, 0), sigma).astype(np.uint8)
        assert quality_of(soft).edge_px == pytest.approx(sigma, rel=0.3)


def test_the_largest_code_that_was_read_is_judged_before_a_larger_place_that_was_not() -> None:
    gray, quad = seen(View())
    small = sighting(tuple((x / 4, y / 4) for x, y in quad))  # type: ignore[arg-type]
    code = quality_of(gray, (small, sighting(quad, 4.0)), (quad,)).code
    assert code is not None
    assert (code.read, code.module_px) == (True, 4.0)


@pytest.mark.parametrize(
    "quad",
    [
        ((0, 0), (0, 0), (0, 0), (0, 0)),
        ((-900, -900), (-800, -900), (-800, -800), (-900, -800)),
        ((9e6, 9e6), (9.1e6, 9e6), (9.1e6, 9.1e6), (9e6, 9.1e6)),
        ((10, 10), (500, 500), (500, 10), (10, 500)),
        ((-50, -50), (900, -50), (900, 900), (-50, 900)),
    ],
)
@pytest.mark.parametrize("gray", [canvas(), canvas(1, 900), np.zeros((9, 9), np.uint8)])
def test_quads_that_are_none_and_pictures_that_are_thin_are_no_error(
    gray: Gray, quad: Quad
) -> None:
    quality_of(gray, (sighting(quad, 3.0),), (quad,))
    quality_of(gray, (), (quad,))
