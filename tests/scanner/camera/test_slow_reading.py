"""What the slow lane tries on a job: all of it, within its time, and no failure ends it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from admission.reading import Symbology
from scanner.camera.crops import MAX_CANDIDATES, cut
from scanner.camera.port import Gray
from scanner.camera.regions import Quad, Region
from scanner.camera.sighting import Sighting
from scanner.camera.slow_reading import Job, SlowReader, job_of
from tests.scanner.camera.pictures import canvas, code, place, scene

FOREVER = 1 << 62


def square(left: float, top: float, side: float) -> Quad:
    return ((left, top), (left + side, top), (left + side, top + side), (left, top + side))


HERE = square(200, 120, 116)


def deep(text: str = "deep", symbology: Symbology = Symbology.QR_CODE) -> Sighting:
    return Sighting(text, symbology, "deep", square(1, 2, 30))


def test_a_candidate_is_read_where_it_lies_in_the_picture() -> None:
    (sighting,) = (
        SlowReader(lambda: 0).read(job_of(scene("here"), 7, candidates=[HERE]), 1).sightings
    )
    assert sighting.text == "here"
    assert np.allclose(sighting.quad[0], (216, 136), atol=3)


def test_candidates_alone_are_cut_out() -> None:
    job = job_of(scene("here"), 7, candidates=[HERE])
    assert job.captured_ns == 7
    assert job.picture is None
    (crop,) = job.crops
    assert crop.gray.shape[0] < 200
    assert crop.gray.flags.c_contiguous


def test_without_candidates_what_moved_is_searched() -> None:
    reader = SlowReader(lambda: 0, locate=lambda gray: [])
    job = job_of(scene("here"), moved=Region(180, 100, 360, 280))
    assert job.picture is not None
    assert job.picture.gray.shape == (180, 180)
    (sighting,) = reader.read(job, 1).sightings
    assert np.allclose(sighting.quad[0], (216, 136), atol=3)


def test_places_are_searched_for_inside_what_moved() -> None:
    moved = cut(scene("here"), Region(100, 100, 400, 300))
    reader = SlowReader(lambda: 0, locate=lambda gray: [square(100, 20, 116)])
    (sighting,) = reader.read(Job(0, picture=moved), 1).sightings
    assert np.allclose(sighting.quad[0], (216, 136), atol=3)


def test_several_candidates_are_all_read_the_largest_first() -> None:
    picture = place(scene("near"), code("far", 3), 450, 50)
    job = job_of(picture, candidates=[square(450, 50, 87), HERE])
    read = SlowReader(lambda: 0).read(job, 1).sightings
    assert [sighting.text for sighting in read] == ["near", "far"]


def test_a_deep_reader_gets_what_no_rung_read() -> None:
    got: list[tuple[Gray, int]] = []

    def reads(gray: Gray, until_ns: int) -> Sequence[Sighting]:
        got.append((gray, until_ns))
        return [deep()]

    reader = SlowReader(lambda: 0, deep=[reads])
    (sighting,) = reader.read(job_of(canvas(), candidates=[square(100, 100, 80)]), 5).sightings
    assert (sighting.text, sighting.rung) == ("deep", "deep")
    ((crop, until_ns),) = got
    assert until_ns == 5
    left = 100 - (crop.shape[1] - 80) // 2
    assert np.allclose(sighting.quad[0], (left + 1, left + 2), atol=1.1)
    reader.read(job_of(scene("a rung reads this"), candidates=[HERE]), 5)
    assert len(got) == 1


def test_a_deep_reader_reports_only_what_is_wanted() -> None:
    reader = SlowReader(lambda: 0, deep=[lambda *_: [deep(symbology=Symbology.AZTEC)]])
    assert reader.read(job_of(canvas(), candidates=[HERE]), 1).sightings == ()


def test_a_reader_that_stumbles_is_counted_and_the_next_is_asked() -> None:
    def stumbles(gray: Gray, until_ns: int) -> Sequence[Sighting]:
        raise IndexError("hostile")

    reader = SlowReader(lambda: 0, deep=[stumbles, lambda *_: [deep()]])
    found = reader.read(job_of(canvas(), candidates=[HERE]), 1)
    assert found.faults == 1
    assert found.sightings


def test_a_localiser_that_stumbles_is_counted_and_the_picture_is_read() -> None:
    def stumbles(gray: Gray) -> list[Quad]:
        raise ZeroDivisionError

    found = SlowReader(lambda: 0, locate=stumbles).read(job_of(scene("still here")), 1)
    assert found.faults == 1
    assert [sighting.text for sighting in found.sightings] == ["still here"]


def test_time_that_runs_out_ends_the_job_and_is_told() -> None:
    ticks = iter(range(1000))
    asked: list[int] = []

    def reads(gray: Gray, until_ns: int) -> Sequence[Sighting]:
        asked.append(until_ns)
        return []

    found = SlowReader(lambda: next(ticks), deep=[reads]).read(
        job_of(canvas(), candidates=[HERE]), 5
    )
    assert found.timed_out
    assert next(ticks) < 10
    assert all(until_ns <= 5 for until_ns in asked)


def test_a_job_done_in_time_is_not_told_as_late() -> None:
    assert not SlowReader(lambda: 0).read(job_of(canvas()), FOREVER).timed_out


def test_a_wall_of_places_is_bounded() -> None:
    wall = [square(10.0 + 40 * n, 10, 30) for n in range(100)]
    assert len(job_of(canvas(4096, 200), candidates=wall).crops) == MAX_CANDIDATES


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (1, 1), (20, 20)])
def test_slivers_are_read_as_nothing(shape: tuple[int, int]) -> None:
    found = SlowReader(lambda: 0).read(job_of(np.zeros(shape, np.uint8)), FOREVER)
    assert (found.sightings, found.faults) == ((), 0)
