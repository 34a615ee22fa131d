"""The slow lane never makes anybody wait, does one thing at a time, and does not die in silence."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from scanner.camera.sighting import Sighting
from scanner.camera.slow_lane import ImmediateLane, SlowLane, ThreadLane
from scanner.camera.slow_reading import Found, Job
from tests.scanner.camera.test_tracker import seen

LIMIT_S = 10


class Scripted:
    """Reads what it is told to; each job can be held until it is released."""

    def __init__(self, *, held: bool = False, sightings: tuple[Sighting, ...] = ()) -> None:
        self.begun: queue.Queue[Job] = queue.Queue()
        self.until: list[int] = []
        self.go_on = threading.Semaphore(0 if held else 1_000)
        self.sightings = sightings
        self.closed = threading.Event()

    def open(self) -> None: ...

    def read(self, job: Job, until_ns: int) -> Found:
        self.begun.put(job)
        self.until.append(until_ns)
        assert self.go_on.acquire(timeout=LIMIT_S)
        return Found(job.captured_ns, self.sightings, faults=1, timed_out=not self.sightings)

    def close(self) -> None:
        self.closed.set()


def taken(lane: SlowLane, jobs: int) -> list[Found]:
    """Wait until so many jobs are done and return what came of them."""
    results: list[Found] = []
    ended = threading.Event()
    for _ in range(LIMIT_S * 1000):
        results += lane.take()
        if len(results) >= jobs:
            return results
        ended.wait(0.001)
    raise AssertionError("it did not come to that")


Make = Callable[[Scripted], SlowLane]
LANES: list[Make] = [
    lambda reader: ThreadLane(reader, lambda: 100, limit_ns=50),
    lambda reader: ImmediateLane(reader, lambda: 100, limit_ns=50),
]


@pytest.mark.parametrize("make", LANES, ids=["thread", "immediate"])
def test_a_job_comes_back_with_its_own_stamp(make: Make) -> None:
    reader = Scripted(sightings=(seen(1, 1),))
    lane = make(reader)
    lane.start(lambda error: pytest.fail(str(error)))
    lane.offer(Job(captured_ns=7))
    (found,) = taken(lane, 1)
    assert (found.captured_ns, found.sightings) == (7, reader.sightings)
    assert reader.until == [150]
    assert lane.take() == []
    assert lane.stop(LIMIT_S)
    assert reader.closed.is_set()
    statistics = lane.statistics()
    assert (statistics.jobs, statistics.reads, statistics.timeouts) == (1, 1, 0)
    assert statistics.faults == 1


@pytest.mark.parametrize("make", LANES, ids=["thread", "immediate"])
def test_a_lane_that_was_never_started_can_be_stopped(make: Make) -> None:
    reader = Scripted()
    assert make(reader).stop(LIMIT_S)
    assert reader.closed.is_set()


def test_the_newest_job_wins_and_one_is_in_flight() -> None:
    reader = Scripted(held=True)
    lane = ThreadLane(reader, lambda: 0)
    lane.start(lambda error: pytest.fail(str(error)))
    lane.offer(Job(1))
    assert reader.begun.get(timeout=LIMIT_S).captured_ns == 1
    for stamp in (2, 3, 4):
        lane.offer(Job(stamp))
    assert reader.begun.empty()
    assert lane.take() == []
    reader.go_on.release(2)
    assert [found.captured_ns for found in taken(lane, 2)] == [1, 4]
    assert lane.statistics().timeouts == 2
    assert lane.stop(LIMIT_S)


def test_stopping_leaves_the_waiting_job_undone() -> None:
    reader = Scripted(held=True)
    lane = ThreadLane(reader, lambda: 0)
    lane.start(lambda error: pytest.fail(str(error)))
    lane.offer(Job(1))
    reader.begun.get(timeout=LIMIT_S)
    lane.offer(Job(2))
    assert not lane.stop(0)
    reader.go_on.release(2)
    assert lane.stop(LIMIT_S)
    assert lane.statistics().jobs == 1


def test_a_thread_that_dies_says_of_what() -> None:
    class Broken(Scripted):
        def read(self, job: Job, until_ns: int) -> Found:
            raise MemoryError("no more")

    failures: queue.Queue[BaseException] = queue.Queue()
    lane = ThreadLane(Broken(), lambda: 0)
    lane.start(failures.put)
    lane.offer(Job(1))
    assert isinstance(failures.get(timeout=LIMIT_S), MemoryError)
    assert lane.stop(LIMIT_S)


def test_recorded_jobs_come_as_seldom_as_a_busy_lane_would_take_them() -> None:
    lane = ImmediateLane(Scripted(), lambda: 0, every_ns=10)
    for stamp in (0, 5, 9, 10, 19, 3, 13):
        lane.offer(Job(stamp))
    assert [found.captured_ns for found in lane.take()] == [0, 10, 3, 13]
