"""Codes that bend, lean, smear or hide in part are read; nothing else is, and never for long."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.port import Gray
from scanner.camera.regions import Quad
from scanner.camera.sighting import Sighting
from scanner.camera.symbol import nonplanar
from scanner.camera.symbol.hypotheses import Hypothesis
from scanner.camera.symbol.nonplanar import nonplanar_reader, read_nonplanar
from scanner.camera.symbol.overlay import Overlay
from scanner.camera.symbol.pyramid import Pyramid
from scanner.camera.symbol.structure import size_of
from tests.scanner.camera.pictures import canvas, code
from tests.scanner.camera.symbol.oddities import strange, wall
from tests.scanner.camera.symbol.surfaces import (
    Drawing,
    crease,
    cylinder,
    drawn,
    noisy,
    smeared,
    tilted,
    turned,
    wave,
)

VERSION = 4
SIZE = size_of(VERSION)

BENT = {
    "cloth": wave(1.0, 30).then(turned(5, 5)),
    "cloth in long waves": wave(2.0, 50).then(turned(5, 5)),
    "a cup": cylinder(SIZE, 20).then(turned(5, 5)),
    "a crease": crease(17, 0.7, 0.35).then(turned(5, 5)),
}


def always() -> bool:
    return True


def never() -> bool:
    return False


def read(picture: Gray) -> Sighting:
    (sighting,) = read_nonplanar(picture, never)
    assert sighting.rung == "nonplanar"
    return sighting


def others_read(picture: Gray) -> bool:
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return bool(zxingcpp.read_barcodes(picture, formats=formats))


def error_modules(quad: Quad, drawing: Drawing, module_px: float) -> float:
    """The largest distance of a corner from where it is."""
    return max(math.dist(*pair) for pair in zip(quad, drawing.quad(), strict=True)) / module_px


@pytest.mark.parametrize("module_px", [1.8, 2.5, 4, 8, 20])
def test_a_flat_code_of_any_size_is_read_where_it_is(module_px: float) -> None:
    drawing = drawn(1, turned(module_px, 10))
    sighting = read(drawing.picture)
    assert (sighting.text, sighting.version, sighting.level) == ("chot", 1, "M")
    assert error_modules(sighting.quad, drawing, module_px) < 0.5
    assert sighting.module_px == pytest.approx(module_px, rel=0.05)


def test_modules_little_larger_than_pixels_are_enlarged() -> None:
    picture = drawn(2, turned(1.2, 3)).picture
    assert not others_read(picture)
    assert read(picture).text == "chot"


@pytest.mark.parametrize("degrees", range(20, 360, 37))
def test_it_is_read_however_it_is_turned(degrees: float) -> None:
    drawing = drawn(2, turned(4, degrees))
    assert error_modules(read(drawing.picture).quad, drawing, 4) < 0.5


@pytest.mark.parametrize("name", BENT)
def test_bent_codes_are_read_that_others_do_not_read(name: str) -> None:
    drawing = drawn(VERSION, BENT[name])
    assert not others_read(drawing.picture)
    sighting = read(drawing.picture)
    assert sighting.text == "chot"
    assert error_modules(sighting.quad, drawing, 5) < 1.5


@pytest.mark.parametrize("degrees", [60, 70])
def test_codes_seen_from_the_side_are_read(degrees: float) -> None:
    drawing = drawn(VERSION, tilted(SIZE, degrees).then(turned(5, 5)))
    assert error_modules(read(drawing.picture).quad, drawing, 5) < 1.5


def test_a_smear_that_others_do_not_read_is_taken_out() -> None:
    drawing = drawn(VERSION, turned(5, 3))
    picture = smeared(drawing.picture, 9)
    assert not others_read(picture)
    assert read(picture).text == "chot"


def test_noise_that_others_do_not_read_through_is_read_through() -> None:
    drawing = drawn(VERSION, turned(5, 3))
    picture = noisy(drawing.picture, 60)
    assert not others_read(picture)
    assert read(picture).text == "chot"


@pytest.mark.parametrize(
    "hidden", [(3.5, 3.5), (SIZE - 3.5, 3.5), (3.5, SIZE - 3.5)], ids=["first", "right", "lower"]
)
def test_glare_over_any_one_finder_pattern_hides_no_code(hidden: tuple[float, float]) -> None:
    drawing = drawn(VERSION, turned(5, 3))
    x, y = (int(each) for each in drawing.surface.at(*hidden))
    picture = drawing.picture.copy()
    cv2.line(picture, (x - 40, y + 40), (x + 40, y - 40), 250, 40)
    assert not others_read(picture)
    sighting = read(picture)
    assert sighting.text == "chot"
    assert error_modules(sighting.quad, drawing, 5) < 1.5


def test_a_mirrored_code_is_read_with_its_corners_in_its_own_order() -> None:
    drawing = drawn(VERSION, turned(5, 3))
    sighting = read(np.ascontiguousarray(drawing.picture[:, ::-1]))
    assert sighting.text == "chot"
    last = drawing.picture.shape[1] - 1
    a, b, c, d = ((last - x, y) for x, y in sighting.quad)
    # Rows are its columns: the second corner and the fourth have changed places.
    assert error_modules((a, d, c, b), drawing, 5) < 1.5


def test_a_code_on_the_edge_of_the_picture_is_read() -> None:
    assert read(code("no quiet zone", 5, border=0)).text == "no quiet zone"


def test_one_of_two_codes_is_read() -> None:
    both = np.hstack([code("one", 4), code("two", 4)])
    assert read(both).text in {"one", "two"}


@pytest.mark.parametrize(
    "picture",
    [
        canvas(200, 200),
        noisy(canvas(160, 160), 80),
        np.tile(np.where(np.arange(200) // 5 % 2, 20, 230).astype(np.uint8), (200, 1)),
        np.tile(np.linspace(0, 255, 200).astype(np.uint8), (200, 1)),
        drawn(2, turned(5, 9)).picture[:90, :90],
    ],
    ids=["gray", "noise", "stripes", "gradient", "a corner of a code"],
)
def test_nothing_is_read_where_nothing_is(picture: Gray) -> None:
    assert read_nonplanar(picture, never) == []


def test_nothing_is_read_when_time_is_over() -> None:
    assert read_nonplanar(drawn(2, turned(5)).picture, always) == []


@pytest.mark.parametrize("after", [1, 3, 6, 12, 25])
def test_no_work_begins_after_time_is_over(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    begun: list[tuple[str, bool]] = []

    def expired() -> bool:
        nonlocal asked
        asked += 1
        return asked >= after

    def watched(name: str) -> None:
        work = getattr(nonplanar, name)

        def counted(*arguments: object) -> object:
            begun.append((name, asked >= after))
            return work(*arguments)

        monkeypatch.setattr(nonplanar, name, counted)

    for name in ("finder_patterns", "fit_anew", "hypotheses", "lay"):
        watched(name)
    assert read_nonplanar(wall(4, 3, 280, 280), expired) == []
    assert [name for name, over in begun if over] == []
    assert len(begun) >= min(after - 1, 4)


def test_nothing_is_tried_twice_nor_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Hypothesis] = []

    def unlikely(pyramid: Pyramid, hypothesis: Hypothesis, spacing: int) -> Overlay:
        tried.append(hypothesis)
        size = size_of(hypothesis.version)
        places, nothing = np.zeros((size, size, 2)), np.zeros((size, size), np.float32)
        return Overlay(hypothesis.version, pyramid.whole, places, nothing, 0.0, ((0.0, 0.0),) * 4)

    monkeypatch.setattr(nonplanar, "lay", unlikely)
    assert read_nonplanar(drawn(VERSION, turned(5)).picture, never) == []
    assert len({str(each) for each in tried}) == len(tried) > 10
    tried.clear()
    monkeypatch.setattr(nonplanar, "_MOST_MODULES", 2000)
    assert read_nonplanar(wall(4, 3, 280, 280), never) == []
    modules = [size_of(each.version) ** 2 for each in tried]
    assert 1000 < sum(modules) <= len(nonplanar._STRETCHES) * 2000
    assert max(modules) <= 1000


def test_the_slow_lanes_reader_stops_by_its_clock() -> None:
    ticks = iter(range(100))
    reader = nonplanar_reader(lambda: next(ticks))
    assert list(reader(wall(4, 3, 280, 280), 5)) == []
    assert next(ticks) < 30
    (sighting,) = nonplanar_reader(lambda: 0)(drawn(2, turned(5)).picture, 1)
    assert sighting.text == "chot"


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (20, 20), (21, 21), (9, 4000)])
@pytest.mark.parametrize("kind", ["constant", "noise"])
def test_slivers_are_read_as_nothing(shape: tuple[int, int], kind: str) -> None:
    assert read_nonplanar(strange(*shape, kind, 3), never) == []


@settings(max_examples=12)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    kind=st.sampled_from(["noise", "black and white", "blobs", "constant"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_strange_pictures_are_read_as_nothing(
    height: int, width: int, kind: str, seed: int
) -> None:
    assert read_nonplanar(strange(height, width, kind, seed), soon()) == []


@settings(max_examples=12)
@given(
    cut=st.tuples(*[st.floats(0, 0.6)] * 4),
    across=st.floats(0.05, 1.5),
    down=st.floats(0.05, 1.5),
)
def test_a_part_of_a_code_however_squeezed_is_read_as_itself_or_not_at_all(
    cut: tuple[float, float, float, float], across: float, down: float
) -> None:
    picture = drawn(2, turned(4, 12)).picture
    side = len(picture)
    top, bottom, left, right = (round(share * side / 2) for share in cut)
    part = picture[top : side - bottom, left : side - right]
    size = max(1, round(part.shape[1] * across)), max(1, round(part.shape[0] * down))
    squeezed = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    for sighting in read_nonplanar(squeezed.reshape(size[::-1]), soon()):
        assert sighting.text == "chot"
        assert all(math.isfinite(at) for corner in sighting.quad for at in corner)


def test_a_view_that_nobody_may_write_will_do() -> None:
    picture = drawn(2, turned(4, 12)).picture
    expected = read(picture)
    wide = np.repeat(picture, 2, axis=1)
    wide.flags.writeable = False
    before = wide.copy()
    assert read(wide[:, ::2]) == expected
    assert read(np.asfortranarray(picture)) == expected
    assert read(picture[::-1, ::-1].copy()[::-1, ::-1]) == expected
    assert read_nonplanar(np.broadcast_to(np.uint8(7), (50, 60)), never) == []
    assert np.array_equal(wide, before)


@pytest.mark.parametrize("name", ["cloth", "a crease"])
def test_the_same_picture_is_read_the_same_way_twice(name: str) -> None:
    picture = noisy(drawn(VERSION, BENT[name]).picture, 10)
    first = read_nonplanar(picture, never)
    assert first
    assert first == read_nonplanar(picture.copy(), never)


def soon() -> Callable[[], bool]:
    """Time enough for some forty steps."""
    asked = count()
    return lambda: next(asked) > 40
