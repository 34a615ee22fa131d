"""Exposure and focus are set in the order that the kernel wants, or refused with what there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.camera.controls import AS_IT_IS, Control, ControlRange, ControlSettings, lacks, plan
from scanner.errors import CameraError
from tests.scanner.camera.kernel import WEBCAM

AUTOMATICS = {
    Control.EXPOSURE_ABSOLUTE: (Control.EXPOSURE_AUTO, Control.EXPOSURE_DYNAMIC_FRAMERATE),
    Control.FOCUS_ABSOLUTE: (Control.FOCUS_AUTO,),
    Control.GAIN: (Control.AUTOGAIN,),
}


def test_what_is_not_wanted_is_left_as_it_is() -> None:
    assert plan(AS_IT_IS, WEBCAM) == []


def test_everything_at_once_in_the_order_of_the_kernel() -> None:
    settings = ControlSettings(exposure_ms=4.0, gain=30, focus=25, power_line_hz=50, brightness=-10)
    assert plan(settings, WEBCAM) == [
        (Control.POWER_LINE_FREQUENCY, 1),
        (Control.EXPOSURE_DYNAMIC_FRAMERATE, 0),
        (Control.EXPOSURE_AUTO, 1),
        (Control.EXPOSURE_ABSOLUTE, 40),  # in 100 µs
        (Control.AUTOGAIN, 0),
        (Control.GAIN, 30),
        (Control.FOCUS_AUTO, 0),
        (Control.FOCUS_ABSOLUTE, 25),
        (Control.BRIGHTNESS, -10),
    ]


@pytest.mark.parametrize(
    ("settings", "choices", "writes"),
    [
        (ControlSettings(exposure_ms="auto"), {1, 3}, [(Control.EXPOSURE_AUTO, 3)]),
        (ControlSettings(exposure_ms="auto"), {0, 1, 2, 3}, [(Control.EXPOSURE_AUTO, 0)]),
        (ControlSettings(exposure_ms=1.0), {0, 2}, [(Control.EXPOSURE_AUTO, 2)]),
    ],
)
def test_the_camera_chooses_among_the_automatics_that_it_has(
    settings: ControlSettings, choices: set[int], writes: list[Any]
) -> None:
    ranges = {
        Control.EXPOSURE_AUTO: ControlRange(0, 3, choices=frozenset(choices)),
        Control.EXPOSURE_ABSOLUTE: ControlRange(1, 5000),
    }
    assert plan(settings, ranges)[:1] == writes


def test_an_automatic_exposure_may_not_lower_the_frame_rate() -> None:
    writes = plan(ControlSettings(exposure_ms="auto"), WEBCAM)
    assert writes[-1] == (Control.EXPOSURE_DYNAMIC_FRAMERATE, 0)


def test_automatic_focus_is_turned_on_alone() -> None:
    assert plan(ControlSettings(focus="auto"), WEBCAM) == [(Control.FOCUS_AUTO, 1)]


def test_a_fixed_camera_without_automatics_is_simply_set() -> None:
    ranges = {Control.EXPOSURE_ABSOLUTE: ControlRange(1, 5000), Control.GAIN: ControlRange(0, 9)}
    writes = plan(ControlSettings(exposure_ms=2.5, gain=3), ranges)
    assert writes == [(Control.EXPOSURE_ABSOLUTE, 25), (Control.GAIN, 3)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (ControlSettings(exposure_ms=300.0), "exposure_ms = 300.0: it has 0.3 to 204.7"),
        (ControlSettings(exposure_ms=0.1), "0.3 to 204.7"),
        (ControlSettings(gain=101), "gain = 101: it has 0 to 100"),
        (ControlSettings(focus=-1), "focus = -1: it has 0 to 250"),
        (ControlSettings(power_line_hz="auto"), "power_line_hz = auto: it has 0 or 50 or 60"),
        (ControlSettings(zoom=2), "no control for zoom"),
        (ControlSettings(sharpness=2), "no control for sharpness"),
    ],
)
def test_what_the_camera_cannot_do_is_said_with_what_it_can(
    settings: ControlSettings, said: str
) -> None:
    with pytest.raises(CameraError, match=said) as raised:
        plan(settings, WEBCAM)
    assert "chot camera controls" in raised.value.hint


def test_a_camera_that_only_knows_automatic_exposure_is_no_manual_one() -> None:
    ranges = {
        Control.EXPOSURE_AUTO: ControlRange(0, 3, choices=frozenset({3})),
        Control.EXPOSURE_ABSOLUTE: ControlRange(1, 5000),
    }
    with pytest.raises(CameraError, match="auto"):
        plan(ControlSettings(exposure_ms=4.0), ranges)


def test_a_check_tells_all_that_is_lacking() -> None:
    settings = ControlSettings(zoom=1, contrast=1, gain=5, exposure_ms=9999.0)
    assert sorted(str(error).split(" = ")[0].split()[-1] for error in lacks(settings, WEBCAM)) == [
        "contrast",
        "exposure_ms",
        "zoom",
    ]


LEVELS = st.none() | st.integers(-300, 3000)
SPANS = st.tuples(st.integers(-200, 200), st.integers(0, 3000), st.integers(1, 40)).map(
    lambda span: ControlRange(span[0], span[0] + span[1], span[2])
)
MENUS = st.frozensets(st.integers(0, 3), min_size=1).map(lambda c: ControlRange(0, 3, choices=c))
SWITCHES = st.just(ControlRange(0, 1))


@st.composite
def cameras(draw: st.DrawFn) -> dict[Control, ControlRange]:
    kinds = dict.fromkeys(Control, SPANS)
    kinds |= {Control.EXPOSURE_AUTO: MENUS, Control.POWER_LINE_FREQUENCY: MENUS}
    switches = (Control.AUTOGAIN, Control.FOCUS_AUTO, Control.EXPOSURE_DYNAMIC_FRAMERATE)
    kinds |= dict.fromkeys(switches, SWITCHES)
    return {control: draw(kinds[control]) for control in draw(st.sets(st.sampled_from(Control)))}


@given(
    cameras(),
    st.builds(
        ControlSettings,
        exposure_ms=st.none() | st.just("auto") | st.floats(0.01, 1000),
        gain=LEVELS,
        focus=LEVELS | st.just("auto"),
        zoom=LEVELS,
        power_line_hz=st.sampled_from([None, 0, 50, 60, "auto"]),
        brightness=LEVELS,
        contrast=LEVELS,
        sharpness=LEVELS,
    ),
)
def test_whatever_is_planned_is_within_the_camera_and_automatics_go_off_first(
    ranges: dict[Control, ControlRange], settings: ControlSettings
) -> None:
    try:
        writes = plan(settings, ranges)
    except CameraError:
        assert lacks(settings, ranges)
        return
    assert not lacks(settings, ranges)
    order = [control for control, _ in writes]
    assert len(order) == len(set(order))
    for control, value in writes:
        have = ranges[control]
        assert have.minimum <= value <= have.maximum
        if have.choices is not None:
            assert value in have.choices
        for automatic in AUTOMATICS.get(control, ()):
            if automatic in ranges:
                assert order.index(automatic) < order.index(control)
