"""The ladder reads what can be read, within its budget, and never what is not there."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import MAX_TEXT_LENGTH
from scanner.camera.ladder import ROI_RUNG, WHOLE_LOOK_EVERY, Ladder, read_picture, read_texts
from scanner.camera.port import Gray
from scanner.camera.rungs import RUNGS, Cost, Rung, read_rung
from scanner.camera.sighting import Sighting
from tests.scanner.camera.pictures import canvas, code, place, scene
from tests.worlds import chot_data

EXPENSIVE = [rung for rung in RUNGS if rung.cost is Cost.EXPENSIVE]


class Costing:
    """A clock that only rungs move: each preparation costs `cost_ns`."""

    def __init__(self, cost_ns: int) -> None:
        self.now_ns = 0
        self.cost_ns = cost_ns
        self.tried: list[str] = []

    def rung(self, name: str, *, reads: bool = False) -> Rung:
        def prepare(gray: Gray) -> Gray:
            self.tried.append(name)
            self.now_ns += self.cost_ns
            return gray if reads else canvas()

        return Rung(name, prepare, RUNGS[1].binarizer, Cost.EXPENSIVE)

    def ladder(self, *rungs: Rung, budget_ns: int = 10) -> Ladder:
        return Ladder(lambda: self.now_ns, rungs=rungs, budget_ns=budget_ns)


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.name)
def test_every_rung_reads_and_says_where(rung: Rung) -> None:
    module_px = 4 if rung.name == "adaptive-15" else 5  # its window must hold a finder's centre
    picture = scene("HC1:A CODE", 200, 120, module_px)
    if rung.name.startswith("inverted"):
        picture = cv2.bitwise_not(picture)
    (sighting,) = read_rung(rung, picture)
    assert sighting.text == "HC1:A CODE"
    assert sighting.rung == rung.name
    left, top, side = 200 + 4 * module_px, 120 + 4 * module_px, 21 * module_px
    corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
    assert np.allclose(sighting.quad, corners, atol=8)


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.name)
@pytest.mark.parametrize("shape", [(1, 2000), (2000, 1), (20, 20), (21, 21), (63, 64), (1, 1)])
def test_no_rung_stumbles_over_a_sliver(rung: Rung, shape: tuple[int, int]) -> None:
    assert read_rung(rung, np.zeros(shape, np.uint8)) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_noise_holds_no_code(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (200, 300)).astype(np.uint8)
    assert read_picture(noise) == []


@given(st.text(min_size=1, max_size=120).filter(lambda text: text.isprintable()))
@settings(max_examples=30, deadline=None)
def test_texts_come_back_as_valid_unicode(text: str) -> None:
    (read,) = read_texts(code(text))
    read.encode()
    if text.isascii():
        assert read == text


def test_bytes_that_are_no_text_become_valid_unicode() -> None:
    (read,) = read_texts(code(b"\xed\xa0\x80\xff\xfe\x00binary".decode("latin-1")))
    read.encode()
    assert len(read) <= MAX_TEXT_LENGTH + 1


def test_a_picture_too_bright_for_the_cheap_rungs_is_read_by_another() -> None:
    picture = 245 + code("faint", 6) // 25
    (sighting,) = read_picture(picture)
    assert sighting.text == "faint"
    assert sighting.rung in {rung.name for rung in EXPENSIVE}


def test_several_codes_are_all_seen_largest_first() -> None:
    picture = place(canvas(1280, 720), code("near", 8), 700, 200)
    picture = place(picture, code("far", 4), 100, 100)
    assert read_texts(picture) == ["near", "far"]


def test_views_are_read_as_they_are() -> None:
    pixels = np.zeros((480, 640, 2), np.uint8)
    pixels[..., 0] = scene("a code")
    (sighting,) = Ladder(lambda: 0).look(pixels[..., 0])
    assert sighting.text == "a code"


def test_the_last_place_is_looked_at_first_and_the_whole_now_and_then() -> None:
    ladder = Ladder(lambda: 0)
    rungs = [
        ladder.look(scene("a code", 200 + step, 120))[0].rung
        for step in range(WHOLE_LOOK_EVERY + 3)
    ]
    assert rungs[0] != ROI_RUNG
    assert set(rungs[1:]) == {ROI_RUNG}


def test_a_code_that_left_is_not_seen_where_it_was() -> None:
    ladder = Ladder(lambda: 0)
    assert ladder.look(scene("a code"))
    assert ladder.look(canvas()) == []
    (sighting,) = ladder.look(scene("another", 20, 20))
    assert sighting.text == "another"


def test_a_second_code_is_found_while_the_first_stays() -> None:
    ladder = Ladder(lambda: 0)
    first = scene("first", 20, 20)
    ladder.look(first)
    both = place(first, code("second"), 400, 300)
    looks = [{s.text for s in ladder.look(both)} for _ in range(WHOLE_LOOK_EVERY + 1)]
    assert {"first", "second"} in looks


def test_expensive_rungs_take_turns_one_a_look() -> None:
    clock = Costing(cost_ns=1)
    ladder = clock.ladder(clock.rung("a"), clock.rung("b"), clock.rung("c"))
    for _ in range(4):
        ladder.look(canvas())
    assert clock.tried == ["a", "b", "c", "a"]


@settings(deadline=None)
@given(st.integers(1, 100), st.integers(1, 1000), st.integers(1, 60))
def test_expensive_rungs_keep_their_budget_on_average(budget: int, cost: int, looks: int) -> None:
    clock = Costing(cost)
    ladder = clock.ladder(clock.rung("a"), clock.rung("b"), budget_ns=budget)
    for _ in range(looks):
        ladder.look(canvas())
    assert clock.now_ns <= budget * looks + cost
    assert clock.tried[:1] == ["a"]
    if cost <= budget:
        assert len(clock.tried) == looks


def test_a_rung_that_helped_is_the_first_to_be_asked_again() -> None:
    clock = Costing(cost_ns=1)
    ladder = clock.ladder(clock.rung("a"), clock.rung("b", reads=True), clock.rung("c"))
    ladder.look(scene("x"))
    assert ladder.look(scene("x"))[0].rung == "b"
    ladder.look(canvas())
    assert clock.tried == ["a", "b", "b", "b"]  # where the code was, and in the whole picture


def test_the_area_of_a_quad() -> None:
    quad = ((0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0))
    (sighting,) = read_rung(RUNGS[3], scene("x"))
    assert Sighting("t", sighting.symbology, "r", quad).area_px == 12


@pytest.mark.data
def test_photographs_of_the_open_half_are_read_and_never_wrongly() -> None:
    """Every seventh of the open half (the whole: 403 of 430 readable, none wrong)."""
    corpus = chot_data("qr-photos")
    items = [
        (corpus / name / item["file"], item["texts"], item.get("unsure", []))
        for name in ("boofcv", "jsqr", "zxing")
        for item in json.loads((corpus / name / "manifest.json").read_text())["items"]
        if item["split"] == "open" and item["texts"]
    ][::7]
    read = 0
    for path, texts, unsure in items:
        got = read_texts(_capped(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)))
        read += any(text in texts for text in got)
        # Charsets of other texts are a matter of rendering, and each decoder's own.
        known = {" ".join(text.split()) for text in (*texts, *unsure)}
        assert {" ".join(text.split()) for text in got if text.isascii()} <= known, path
    assert read >= 0.9 * len(items)


@pytest.mark.data
def test_pictures_without_a_code_stay_without() -> None:
    """Every twentieth negative, by both lanes; `chot bench decode` reads them all."""
    corpus = chot_data("qr-photos", "negatives")
    items = json.loads((corpus / "manifest.json").read_text())["items"][::20]
    for item in items:
        gray = _capped(cv2.imread(str(corpus / item["file"]), cv2.IMREAD_GRAYSCALE))
        assert read_texts(gray) == [], item["file"]


def _capped(gray: Gray, longest_px: int = 1920) -> Gray:
    scale = longest_px / max(gray.shape)
    if scale >= 1:
        return gray
    return cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
