"""Codes are expected where they are going, and forgotten once they have left."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from admission.reading import Symbology
from scanner.camera.regions import Quad, Region, around, whole
from scanner.camera.sighting import Sighting
from scanner.camera.tracker import EXPIRY_NS, MAX_MISSES, Tracker

FRAME_NS = 33_000_000
PICTURE = np.zeros((720, 1280), np.uint8)


def seen(left: float, top: float, side: float = 100.0, text: str = "a code") -> Sighting:
    quad = ((left, top), (left + side, top), (left + side, top + side), (left, top + side))
    return Sighting(text, Symbology.QR_CODE, "full", quad)


def region_of(sighting: Sighting) -> Region:
    return around(sighting.quad, PICTURE, 0.0, 0.0)


def test_a_moving_code_is_expected_further_on() -> None:
    tracker = Tracker()
    for step in range(3):
        tracker.saw([seen(100 + 90 * step, 100)], step * FRAME_NS)
    ((_, region),) = tracker.expected(PICTURE, 3 * FRAME_NS)
    assert region.holds(region_of(seen(370, 100)))
    assert not region.holds(region_of(seen(190, 100)))


def test_a_code_that_stops_is_still_inside() -> None:
    tracker = Tracker()
    for step in range(3):
        tracker.saw([seen(100 + 30 * step, 100)], step * FRAME_NS)
    ((_, region),) = tracker.expected(PICTURE, 3 * FRAME_NS)
    assert region.holds(region_of(seen(160, 100)))


def test_a_code_missed_for_a_few_frames_is_still_looked_for() -> None:
    tracker = Tracker()
    tracker.saw([seen(100, 100)], 0)
    for miss in range(1, MAX_MISSES):
        tracker.saw([], miss)
        assert len(tracker.expected(PICTURE, miss)) == 1
    tracker.saw([], MAX_MISSES)
    assert tracker.expected(PICTURE, MAX_MISSES) == []


def test_a_code_missed_for_too_long_is_forgotten() -> None:
    tracker = Tracker()
    tracker.saw([seen(100, 100)], 0)
    tracker.saw([], EXPIRY_NS + 1)
    assert len(tracker) == 0


def test_the_largest_code_is_looked_for_first() -> None:
    tracker = Tracker()
    tracker.saw([seen(0, 0, 50, "far"), seen(300, 300, 200, "near")], 0)
    assert [t.sighting.text for t, _ in tracker.expected(PICTURE, 1)] == ["near", "far"]


def test_a_code_read_late_is_followed_unless_it_was_seen_since() -> None:
    tracker = Tracker()
    tracker.follow(seen(500, 500, text="late"), 5)
    tracker.saw([seen(100, 100)], 10)
    tracker.follow(seen(600, 600), 7)
    places = {t.sighting.text: t.sighting.quad[0] for t, _ in tracker.expected(PICTURE, 11)}
    assert places == {"late": (500, 500), "a code": (100, 100)}


numbers = st.floats(allow_nan=True, allow_infinity=True)
corners = st.tuples(numbers, numbers)


@given(st.tuples(corners, corners, corners, corners), st.floats(0, 5), st.floats(0, 1e6))
def test_whatever_a_quad_says_its_region_lies_in_the_picture(
    quad: Quad, margin: float, extra_px: float
) -> None:
    region = around(quad, PICTURE, margin, extra_px)
    assert whole(PICTURE).holds(region)
    assert region.width_px >= 0
    assert region.height_px >= 0


@given(
    st.lists(st.tuples(corners, st.integers(-(10**12), 10**12)), max_size=8),
    st.integers(-(10**12), 10**12),
)
def test_no_course_leads_out_of_the_picture(
    steps: list[tuple[tuple[float, float], int]], at_ns: int
) -> None:
    tracker = Tracker()
    for (left, top), now_ns in steps:
        tracker.saw([seen(left, top)], now_ns)
    for _, region in tracker.expected(PICTURE, at_ns):
        assert whole(PICTURE).holds(region)
