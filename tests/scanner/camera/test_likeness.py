"""What is taken for a code: codes however they are held, and hardly anything else."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.likeness import likely_codes, looks_like_code
from scanner.camera.luma import gray_of
from scanner.camera.port import Gray
from scanner.camera.sighting import Quad
from scanner.camera.symbol.candidates import candidates
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import Carrier, Presentation
from tests.scanner.camera.mounted import TEXT, View, seen
from tests.scanner.camera.pictures import canvas

WHOLE: Quad = ((20, 20), (280, 20), (280, 280), (20, 280))


@settings(max_examples=15)
@given(
    st.floats(0, 360), st.floats(1.7, 7), st.floats(0, 0.5), st.floats(0, 4), st.integers(25, 180)
)
def test_a_code_is_one_at_any_angle_and_distance(
    angle: float, module_px: float, blur: float, noise: float, contrast: int
) -> None:
    view = View(
        module_px=module_px, blur=blur, noise=min(noise, contrast / 12), dark=40,
        light=40 + contrast, turned_deg=angle,
    )  # fmt: skip
    gray, quad = seen(view)
    assert looks_like_code(gray, quad)


@pytest.mark.parametrize(
    "view", [View(smear=2.2), View(glare=0.3), View(blur=0.75), View(dark=100, light=122, noise=1)]
)
def test_a_code_that_cannot_be_read_is_one(view: View) -> None:
    gray, quad = seen(view)
    assert looks_like_code(gray, quad, smeared=True)


def noisy() -> Gray:
    return np.random.default_rng(1).normal(128, 5, (300, 300)).clip(0, 255).astype(np.uint8)


def writing() -> Gray:
    page = canvas(300, 300, 230)
    for line in range(14):
        cv2.putText(page, "giay di duong so 16/CT-TTg", (6, 18 + 21 * line), 0, 0.55, 40, 1)
    return page


def face() -> Gray:
    gray = canvas(300, 300, 90)
    cv2.ellipse(gray, (150, 150), (100, 130), 0, 0, 360, 170, -1)
    for x in (110, 190):
        cv2.ellipse(gray, (x, 120), (22, 10), 0, 0, 360, 240, -1)
        cv2.circle(gray, (x, 120), 8, 30, -1)
    cv2.ellipse(gray, (150, 215), (40, 12), 0, 0, 360, 60, -1)
    return cv2.GaussianBlur(gray, (0, 0), 1.5).astype(np.uint8)


def stripes() -> Gray:
    return np.tile(np.repeat(np.array([40, 200], np.uint8), 5), (300, 30))


@pytest.mark.parametrize("picture", [canvas(300, 300), noisy(), writing(), face(), stripes()])
def test_what_is_no_code_is_not(picture: Gray) -> None:
    assert not looks_like_code(picture, WHOLE)
    assert not looks_like_code(picture, WHOLE, smeared=True)


def test_of_what_the_localiser_names_the_code_is_kept_and_no_face() -> None:
    camera = SceneCamera(
        iter([Presentation(TEXT, Carrier.PHONE)]),
        rng=random.Random(3),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=1.0,
    )
    camera.open()
    camera.read()
    gray = gray_of(camera.read())
    named = candidates(gray)
    kept = likely_codes(gray, named)
    assert len(kept) < len(named)
    assert kept
    for quad in kept:  # the phone is held below the head
        assert min(y for _, y in quad) > 330


@pytest.mark.parametrize(
    "quad",
    [
        ((0, 0), (0, 0), (0, 0), (0, 0)),
        ((-9e6, 0), (9e6, 0), (9e6, 9e6), (-9e6, 9e6)),
        ((0, 0), (5, 0), (5, 5), (0, 5)),
        ((0, 0), (300, 0), (300, 30), (0, 30)),
    ],
)
def test_places_that_are_none_are_no_codes(quad: Quad) -> None:
    gray, _ = seen(View())
    assert not looks_like_code(gray, quad)
