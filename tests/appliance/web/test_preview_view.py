"""What the preview page is told is cut, printable, and graded by the limits that advice goes by."""

from __future__ import annotations

import msgspec
import pytest

from admission.reading import Symbology
from appliance.web.preview_view import Gauge, gauges_of, look_view
from scanner.camera.advice import advice_for
from scanner.camera.look import Look
from scanner.camera.quality import CodeQuality, Quality, quality_of
from scanner.camera.sighting import Sighting
from tests.scanner.camera.mounted import View, seen
from tests.scanner.camera.pictures import canvas, gray_frame

SIZE, DEFOCUS, MOTION, CONTRAST, BRIGHTNESS = range(5)


def quality(**changes: float) -> Quality:
    code = CodeQuality(
        read=True, module_px=4, dark=40, light=200, contrast=160, glare_share=0, blur_modules=0.1,
        motion_modules=0, motion_deg=0,
    )  # fmt: skip
    return Quality(120, 0, 0, 2, None, msgspec.structs.replace(code, **changes))


@pytest.mark.parametrize(
    ("gauge", "field", "levels"),
    [
        (SIZE, "module_px", {1.7: "bad", 1.8: "note", 3.1: "ok"}),
        (DEFOCUS, "blur_modules", {0.6: "bad", 0.45: "note", 0.3: "ok"}),
        (MOTION, "motion_modules", {2: "bad", 1.2: "note", 0.5: "ok"}),
        (CONTRAST, "contrast", {29: "bad", 31: "note", 61: "ok"}),
    ],
)
def test_gauges_have_the_colours_of_the_advice(
    gauge: int, field: str, levels: dict[float, str]
) -> None:
    for value, level in levels.items():
        unread = quality(read=False, **{field: value})
        shown = gauges_of(unread)[gauge]
        assert shown.value == value
        assert shown.level == ("bad" if level == "note" else level)  # nothing else is to blame
        assert shown.low < shown.high
        for was_read in (
            gauges_of(quality(**{field: value})),
            gauges_of(unread, late=True),
        ):
            assert was_read[gauge].level == ("note" if level == "bad" else level)
        blamed = gauges_of(quality(read=False, **{"glare_share": 0.5, field: value}))[gauge]
        assert blamed.level == level


def test_a_frame_without_a_code_has_its_brightness_only() -> None:
    gauges: tuple[Gauge, ...] = gauges_of(quality_of(canvas(level=255)))
    assert [each.level for each in gauges] == ["none"] * 4 + ["bad"]
    assert [each.value for each in gauges] == [None] * 4 + [255]
    assert gauges_of(quality_of(canvas()))[BRIGHTNESS].level == "ok"


def test_numbers_are_written_as_each_language_writes_them() -> None:
    shown = gauges_of(quality(module_px=2.34))[SIZE].shown
    assert (shown.vi, shown.en) == ("2,3 px/ô", "2.3 px/module")


def test_what_is_only_about_right_is_marked() -> None:
    gauges = gauges_of(quality(read=False, module_px=2.34))
    assert gauges[SIZE].shown.en == "≈ 2.3 px/module"
    assert ["≈" in each.shown.en for each in gauges] == [True] * 3 + [False] * 2


def test_a_look_is_told_with_its_codes_cut_and_harmless() -> None:
    gray, quad = seen(View())
    text = "<img src=x>\x1b[2J\u202e" + "W" * 4000
    codes = tuple(
        Sighting(text, Symbology.QR_CODE, "half", quad, version=6, level="M") for _ in range(40)
    )
    look = Look(gray_frame(gray, sequence=7), gray, codes, (quad,) * 40, 2_345_678)
    view = look_view(look, quality_of(gray, codes), advice_for(quality_of(gray, codes)), 12.34)
    assert (view.sequence, view.height_px, view.read_ms, view.age_ms) == (7, len(gray), 2.35, 12.3)
    assert (len(view.read), len(view.unread)) == (16, 16)
    (shown,) = {mark.text for mark in view.read}
    assert shown.startswith("<img src=x>\\x1b[2J\\u202e")
    assert len(shown) < 50
    assert (view.read[0].rung, view.read[0].detail) == ("half", "v6-M")
    assert len(msgspec.json.encode(view)) < 16_000
