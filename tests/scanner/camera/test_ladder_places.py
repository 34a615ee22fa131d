"""Where the ladder looks: last places, candidates, what moved; and what it leaves out when idle."""

from __future__ import annotations

import numpy as np
import pytest

from scanner.camera.ladder import ROI_RUNG, WHOLE_LOOK_EVERY, Ladder
from scanner.camera.port import Gray
from scanner.camera.regions import Quad, Region
from scanner.camera.rungs import RUNGS, Cost, Rung
from tests.scanner.camera.pictures import canvas, code, place, scene

SPOT = ((200.0, 120.0), (316.0, 120.0), (316.0, 236.0), (200.0, 236.0))
FRAME_NS = 33_000_000


class Noted:
    """Rungs that note the shapes of what they are given."""

    def __init__(self) -> None:
        self.shapes: dict[str, list[tuple[int, ...]]] = {}

    def rung(self, name: str, cost: Cost, *, blind: bool = True) -> Rung:
        def prepare(gray: Gray) -> Gray:
            self.shapes.setdefault(name, []).append(gray.shape)
            return np.full_like(gray, 128) if blind else gray

        return Rung(name, prepare, RUNGS[1].binarizer, cost)


def locating(*quads: Quad) -> tuple[list[Gray], object]:
    asked: list[Gray] = []

    def locate(gray: Gray) -> list[Quad]:
        asked.append(gray)
        return list(quads)

    return asked, locate


def test_expensive_rungs_go_by_candidates_rather_than_the_whole_picture() -> None:
    noted = Noted()
    rungs = [noted.rung("cheap", Cost.CHEAP), noted.rung("dear", Cost.EXPENSIVE, blind=False)]
    ladder = Ladder(lambda: 0, rungs=rungs, locate=lambda _: [SPOT])
    (sighting,) = ladder.look(scene("in a crop"))
    assert sighting.text == "in a crop"
    assert np.allclose(sighting.quad[0], (216, 136), atol=3)
    assert ladder.candidates == ()
    (dear,) = noted.shapes["dear"]
    assert max(dear) < 200
    assert noted.shapes["cheap"] == [(480, 640), dear]


def test_candidates_that_were_not_read_are_told() -> None:
    ladder = Ladder(lambda: 0, locate=lambda _: [SPOT])
    assert ladder.look(canvas()) == []
    assert ladder.candidates == (SPOT,)
    ladder.look(scene("read"))
    assert ladder.candidates == ()


def test_without_candidates_they_go_by_what_moved() -> None:
    noted = Noted()
    ladder = Ladder(lambda: 0, rungs=[noted.rung("dear", Cost.EXPENSIVE)], locate=lambda _: [])
    ladder.look(canvas(), moved=Region(100, 100, 300, 250))
    ladder.look(canvas())
    assert noted.shapes["dear"] == [(150, 200), (480, 640)]


def test_a_glance_costs_neither_localiser_nor_expensive_rungs() -> None:
    noted, (asked, locate) = Noted(), locating(SPOT)
    rungs = [noted.rung("cheap", Cost.CHEAP), noted.rung("dear", Cost.EXPENSIVE)]
    ladder = Ladder(lambda: 0, rungs=rungs, locate=locate)  # type: ignore[arg-type]
    ladder.look(canvas(), keen=False)
    assert not asked
    assert set(noted.shapes) == {"cheap"}
    ladder.look(canvas())
    assert len(asked) == 1


def test_the_localiser_is_paid_for_out_of_the_budget() -> None:
    now = [0]

    def locate(_: Gray) -> list[Quad]:
        now[0] += 35
        return []

    ladder = Ladder(lambda: now[0], rungs=[], locate=locate, budget_ns=10)
    for _ in range(12):
        ladder.look(canvas())
    assert now[0] <= 12 * 10 + 35


def test_a_code_that_needs_a_rung_is_read_by_it_where_it_was() -> None:
    noted = Noted()
    inverted = next(rung for rung in RUNGS if rung.name == "inverted")
    ladder = Ladder(lambda: 0, rungs=[noted.rung("cheap", Cost.CHEAP), inverted])
    picture = 255 - scene("negative")
    rungs = [ladder.look(picture, at * FRAME_NS)[0].rung for at in range(5)]
    assert rungs == ["inverted"] * 5
    assert len(noted.shapes["cheap"]) == 1


def test_a_code_on_the_move_is_read_where_it_was_going() -> None:
    """It moves by its own width from frame to frame: beside where it was."""
    ladder = Ladder(lambda: 0)
    pictures = [place(canvas(1280, 720), code("moving", 3), 20 + 60 * at, 300) for at in range(12)]
    rungs = [ladder.look(each, at * FRAME_NS)[0].rung for at, each in enumerate(pictures)]
    assert rungs[3:9] == [ROI_RUNG] * 6


def test_of_two_codes_the_one_that_is_lost_is_looked_for_in_the_whole_picture() -> None:
    ladder = Ladder(lambda: 0)
    first = place(canvas(1280, 720), code("stays", 4), 100, 100)
    ladder.look(place(first, code("jumps", 4), 700, 100), 0)
    looks = [
        {s.text for s in ladder.look(place(first, code("jumps", 4), 900, 500), at * FRAME_NS)}
        for at in range(1, 3)
    ]
    assert {"stays", "jumps"} in looks


def test_the_whole_picture_is_read_again_now_and_then_by_one_rung_in_turn() -> None:
    noted = Noted()
    rungs = [noted.rung(name, Cost.CHEAP, blind=False) for name in ("a", "b")]
    ladder = Ladder(lambda: 0, rungs=rungs)
    for at in range(3 * (WHOLE_LOOK_EVERY + 1)):
        ladder.look(scene("held up"), at * FRAME_NS)
    assert len(noted.shapes["a"]) + len(noted.shapes["b"]) <= 4
    assert len(noted.shapes["b"]) >= 1


@pytest.mark.parametrize("shape", [(1, 4000), (4000, 1), (1, 1), (2, 2), (20, 20), (22, 9000)])
@pytest.mark.parametrize("level", [0, 255])
def test_odd_shapes_are_looked_at_without_a_fault(shape: tuple[int, int], level: int) -> None:
    ladder = Ladder(lambda: 0, locate=lambda _: [])
    assert ladder.look(np.full(shape, level, np.uint8)) == []
    assert ladder.faults == 0


def test_a_rung_that_fails_is_left_out_and_counted() -> None:
    def fails(gray: Gray) -> Gray:
        raise ValueError("hostile")

    rungs = [Rung("fails", fails, RUNGS[0].binarizer, Cost.CHEAP), *RUNGS]
    ladder = Ladder(lambda: 0, rungs=rungs)
    assert [sighting.text for sighting in ladder.look(scene("read"))] == ["read"]
    assert ladder.faults == 1
    assert "'fails'" in ladder.last_fault


def test_crops_are_read_by_as_many_rungs_as_the_budget_holds_and_on_from_there() -> None:
    now, tried = [0], list[str]()

    def rung(name: str) -> Rung:
        def prepare(gray: Gray) -> Gray:
            if gray.shape != (480, 640):
                now[0] += 4
                tried.append(name)
            return np.full_like(gray, 128)

        return Rung(name, prepare, RUNGS[1].binarizer, Cost.EXPENSIVE)

    rungs = [rung(name) for name in "abcde"]
    ladder = Ladder(lambda: now[0], rungs=rungs, locate=lambda _: [SPOT], budget_ns=10)
    ladder.look(canvas())
    assert tried == ["a", "b", "c"]
    ladder.look(canvas())
    assert tried == ["a", "b", "c", "d", "e"]


def test_candidates_are_looked_for_where_something_moved() -> None:
    asked, locate = locating(((20.0, 20.0), (136.0, 20.0), (136.0, 136.0), (20.0, 136.0)))
    inverted = [rung for rung in RUNGS if rung.name == "inverted"]
    ladder = Ladder(lambda: 0, rungs=inverted, locate=locate)  # type: ignore[arg-type]
    (sighting,) = ladder.look(255 - scene("moves"), moved=Region(180, 100, 360, 280))
    assert [gray.shape for gray in asked] == [(180, 180)]
    assert np.allclose(sighting.quad[0], (216, 136), atol=3)
