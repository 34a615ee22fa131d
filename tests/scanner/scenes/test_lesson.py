"""The lesson shows a technician what to look for: it is read where it should be."""

from __future__ import annotations

import itertools
import random

import pytest

from scanner.camera.advice import AdviceCode, advice_for
from scanner.camera.ladder import read_picture
from scanner.camera.likeness import likely_codes
from scanner.camera.luma import gray_of
from scanner.camera.quality import quality_of
from scanner.camera.steady import Steady
from scanner.camera.symbol.candidates import candidates
from scanner.scenes.camera import SceneCamera
from scanner.scenes.lesson import LESSON, lesson
from tests.scanner.camera.pictures import canvas

EXPECTED = {
    "well": AdviceCode.FINE,
    "far": AdviceCode.TOO_FAR,
    "rather far": AdviceCode.TOO_FAR,
    "dark": AdviceCode.TOO_DARK,
    "well again": AdviceCode.FINE,
    "out of focus": AdviceCode.FOCUS,
    "moving": AdviceCode.MOTION_BLUR,
}
"""What is advised in the middle of its time."""
BEYOND_READING = {"out of focus", "moving"}


@pytest.mark.parametrize(("number", "name"), list(enumerate(LESSON)))
def test_each_case_is_what_it_is_called(number: int, name: str) -> None:
    presentation = next(itertools.islice(lesson(), number, None))
    camera = SceneCamera(
        iter([presentation]),
        rng=random.Random(1),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=2 / presentation.lasts_s,
        pause_s=0,
    )
    camera.open()
    camera.read()
    gray = gray_of(camera.read())
    sightings = read_picture(gray)
    assert sightings or name in BEYOND_READING
    if sightings:
        assert advice_for(quality_of(gray, sightings))[0].code is EXPECTED[name]


@pytest.mark.parametrize("seed", [1, 2])
def test_who_moves_is_in_view_until_the_advice_is_shown(seed: int) -> None:
    presentation = next(itertools.islice(lesson(), list(LESSON).index("moving"), None))
    camera = SceneCamera(
        iter([presentation]),
        rng=random.Random(seed),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=8,
        pause_s=0,
    )
    camera.open()
    steady, shown = Steady(), []
    steady.take(advice_for(quality_of(canvas())), 0)  # nobody is there
    for number in range(int(8 * presentation.lasts_s)):
        gray = gray_of(camera.read())
        places = likely_codes(gray, tuple(candidates(gray)), smeared=True)
        advice = steady.take(advice_for(quality_of(gray, (), places)), number * 125_000_000)
        shown.append(advice[0].code)
    assert shown.count(AdviceCode.MOTION_BLUR) >= 8  # a second


def test_every_presentation_has_a_text_of_its_own() -> None:
    texts = [each.text for each in itertools.islice(lesson(), 50)]
    assert len(set(texts)) == 50
