"""Each fault that a technician can mend is named, and a good picture is called fine."""

from __future__ import annotations

import random

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import Symbology
from scanner.camera.advice import Advice, AdviceCode, Severity, advice_for
from scanner.camera.ladder import read_picture
from scanner.camera.luma import gray_of
from scanner.camera.quality import CodeQuality, Quality, quality_of
from scanner.camera.sighting import Sighting
from scanner.camera.steady import Steady
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import Carrier, Difficulty, Presentation
from tests.scanner.camera.mounted import TEXT, View, seen
from tests.scanner.camera.pictures import canvas

FAULTS = {
    AdviceCode.TOO_FAR: View(module_px=1.3),
    AdviceCode.FOCUS: View(blur=0.75),
    AdviceCode.MOTION_BLUR: View(smear=2.2),
    AdviceCode.TOO_DARK: View(dark=8, light=30),
    AdviceCode.TOO_BRIGHT: View(dark=228, light=250),
    AdviceCode.LOW_CONTRAST: View(dark=100, light=122, noise=1),
    AdviceCode.GLARE: View(glare=0.3),
    AdviceCode.NOISE: View(dark=60, light=140, noise=22),
}


def advice(view: View, *, read: bool = False) -> list[Advice]:
    gray, quad = seen(view)
    if not read:
        return advice_for(quality_of(gray, (), (quad,)))
    told = Sighting(TEXT, Symbology.QR_CODE, "full", quad, module_px=view.module_px)
    return advice_for(quality_of(gray, (told,)))


@settings(max_examples=3)
@given(st.floats(0, 360))
@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_named_first_in_both_languages(code: AdviceCode, angle: float) -> None:
    first = advice(View(**{**_fields(FAULTS[code]), "turned_deg": angle}))[0]
    assert (first.code, first.severity) == (code, Severity.FAULT)
    assert first.text.vi
    assert first.text.en
    assert first.text.vi != first.text.en


def _fields(view: View) -> dict[str, float]:
    return {name: getattr(view, name) for name in view.__struct_fields__}


@settings(max_examples=10)
@given(st.floats(0, 360), st.floats(3.2, 8), st.floats(0.05, 0.3), st.floats(0, 4))
def test_a_good_picture_is_fine(angle: float, module_px: float, blur: float, noise: float) -> None:
    view = View(module_px=module_px, blur=blur, noise=noise, turned_deg=angle)
    assert [each.code for each in advice(view, read=True)] == [AdviceCode.FINE]


def test_the_distance_is_said_with_what_is_needed() -> None:
    first = advice_for(_with_code(read=False, module_px=1.5))[0]
    assert first.text.en.startswith("Too far: 1.5 px/module, needs 1.75")
    assert first.text.vi.startswith("Quá xa: 1,5 px/ô, cần 1,75")
    near = advice(View(module_px=2.4), read=True)[0]
    assert (near.code, near.severity) == (AdviceCode.TOO_FAR, Severity.MARGIN)


@pytest.mark.parametrize(("read", "late"), [(True, False), (False, True)])
def test_what_was_read_from_too_far_away_is_said_to_have_no_reserve(read: bool, late: bool) -> None:
    first = advice_for(_with_code(read=read, module_px=1.5), late=late)[0]
    assert (first.code, first.severity) == (AdviceCode.TOO_FAR, Severity.MARGIN)
    assert first.text.en.startswith("Read, but without reserve: 1.5 px/module, 3 is comfortable")
    assert first.text.vi.startswith("Đọc được nhưng không còn dự phòng: 1,5 px/ô, nên có 3")


def test_low_contrast_that_was_read_is_told_what_is_comfortable() -> None:
    for read, needed in ((True, "needs 60"), (False, "needs 30")):
        first = advice_for(_with_code(read=read, contrast=20, light=120))[0]
        assert needed in first.text.en


def test_a_blur_just_beyond_its_limit_is_told_apart_from_it() -> None:
    first = advice_for(_with_code(read=False, blur_modules=0.44))[0]
    assert "0.44 modules, 0.40 at most" in first.text.en
    assert "0,44 ô, tối đa 0,40" in first.text.vi


def _with_code(*, read: bool, **changes: float) -> Quality:
    code = CodeQuality(
        read=read, module_px=4, dark=40, light=200, contrast=160, glare_share=0, blur_modules=0.1,
        motion_modules=0, motion_deg=0,
    )  # fmt: skip
    return Quality(120, 0, 0, 2, None, msgspec.structs.replace(code, **changes))


def test_what_was_read_is_at_its_limit_and_not_beyond() -> None:
    assert {each.severity for each in advice(FAULTS[AdviceCode.GLARE], read=True)} == {
        Severity.MARGIN
    }


def test_a_sound_code_that_is_not_read_is_said_to_be_damaged() -> None:
    assert [each.code for each in advice(View())] == [AdviceCode.UNREAD]


def test_what_the_slow_lane_reads_is_no_fault() -> None:
    def late(view: View) -> list[Advice]:
        gray, quad = seen(view)
        return advice_for(quality_of(gray, (), (quad,)), late=True)

    assert [each.code for each in late(View())] == [AdviceCode.SLOW]
    blurred = late(FAULTS[AdviceCode.FOCUS])[0]
    assert (blurred.code, blurred.severity) == (AdviceCode.FOCUS, Severity.MARGIN)


def test_without_a_code_that_is_said_first_and_the_frame_is_judged() -> None:
    def codes(level: int) -> list[AdviceCode]:
        found = advice_for(quality_of(canvas(level=level)))
        assert max(each.severity for each in found) < Severity.FAULT
        return [each.code for each in found]

    assert codes(128) == [AdviceCode.NO_CODE]
    assert codes(10) == [AdviceCode.NO_CODE, AdviceCode.TOO_DARK]
    assert codes(250) == [AdviceCode.NO_CODE, AdviceCode.TOO_BRIGHT]
    sharp, _ = seen(View(module_px=6))
    soft = cv2.GaussianBlur(sharp, (0, 0), 3.0).astype(np.uint8)
    found = [each.code for each in advice_for(quality_of(soft))]
    assert found == [AdviceCode.NO_CODE, AdviceCode.FOCUS]


@pytest.mark.parametrize(
    ("difficulty", "expected"),
    [
        (Difficulty(px_per_module=4.5), AdviceCode.FINE),
        (Difficulty(px_per_module=2.4), AdviceCode.TOO_FAR),
        (Difficulty(px_per_module=4.5, defocus_px=1.9), AdviceCode.FOCUS),
    ],
)
def test_people_who_hold_up_a_code_are_judged_alike(
    difficulty: Difficulty, expected: AdviceCode
) -> None:
    """Rendered people, JPEG and all, at the moment in which they stand still."""
    camera = SceneCamera(
        iter([Presentation(TEXT, Carrier.CARD, difficulty)]),
        rng=random.Random(1),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=1.0,
    )
    camera.open()
    camera.read()
    gray = gray_of(camera.read())
    sightings = read_picture(gray)
    assert [each.text for each in sightings] == [TEXT]
    assert advice_for(quality_of(gray, sightings))[0].code is expected


def test_advice_stays_until_other_advice_has_lasted() -> None:
    fine, far, damaged = advice(View(), read=True), advice(View(module_px=1.3)), advice(View())
    steady = Steady(patience_ns=100)
    assert steady.take(fine, 0) is fine
    assert steady.take(far, 50) is fine
    assert steady.take(damaged, 140) is fine
    assert steady.take(far, 160) is fine
    assert steady.take(far, 255) is fine
    assert steady.take(far, 260) is far


def test_no_code_and_red_give_way_to_a_reading_at_once() -> None:
    nobody, fine = advice_for(quality_of(canvas())), advice(View(), read=True)
    far, read_from_far = (
        advice_for(_with_code(read=read, module_px=1.5)) for read in (False, True)
    )
    steady = Steady(patience_ns=100)
    assert steady.take(nobody, 0) is nobody
    assert steady.take(fine, 1) is fine
    assert steady.take(nobody, 2) is fine
    assert steady.take(nobody, 102) is nobody
    assert steady.take(far, 103) is nobody
    assert steady.take(far, 203) is far
    assert steady.take(read_from_far, 204) is read_from_far
    assert steady.take(far, 205) is read_from_far
    assert steady.take(far, 305) is far
