"""A worker reads as its reader would; whatever becomes of it, the lane goes on with another."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from admission.backoff import Backoff
from scanner.camera.slow_lane import ReadsJobs, ThreadLane
from scanner.camera.slow_process import WorkerProcess, serve
from scanner.camera.slow_reading import Found, Job, SlowReader, job_of
from tests.scanner.camera.pictures import canvas, code, place, scene
from tests.scanner.camera.test_slow_lane import taken
from tests.scanner.camera.test_slow_reading import HERE, square

LIMIT_NS = 20_000_000_000
WORKER = """
import sys, time
from scanner.camera.slow_process import serve
from scanner.camera.slow_reading import SlowReader
serve(sys.stdin.buffer, sys.stdout.buffer, SlowReader(time.monotonic_ns))
"""
HANGS_OR_DIES = """
import os, sys, time
sys.stdout.buffer.write(bytes(4)); sys.stdout.buffer.flush()
{}
"""


def worker(script: str = WORKER, pause_s: float = 0.0) -> WorkerProcess:
    return WorkerProcess(
        [sys.executable, "-c", script],
        time.monotonic_ns,
        environment=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        draw=lambda: 1.0,
        backoff=Backoff(pause_s, pause_s),
    )


def until() -> int:
    return time.monotonic_ns() + LIMIT_NS


@pytest.fixture(scope="module", params=["here", "process"])
def reader(request: pytest.FixtureRequest) -> Iterator[ReadsJobs]:
    made: ReadsJobs = SlowReader(time.monotonic_ns) if request.param == "here" else worker()
    made.open()
    yield made
    made.close()


def test_both_read_crops_with_places_in_the_picture(reader: ReadsJobs) -> None:
    picture = place(scene("near"), code("xa", 3), 450, 50)
    job = job_of(picture, 42, candidates=[square(450, 50, 87), HERE])
    found = reader.read(job, until())
    assert found.captured_ns == 42
    assert [sighting.text for sighting in found.sightings] == ["near", "xa"]
    assert np.allclose(found.sightings[0].quad[0], (216, 136), atol=3)
    assert found.sightings[0].payload == b"near"


def test_both_read_whole_pictures(reader: ReadsJobs) -> None:
    found = reader.read(job_of(scene("whole")), until())
    assert [sighting.text for sighting in found.sightings] == ["whole"]


def test_both_read_nothing_where_there_is_nothing(reader: ReadsJobs) -> None:
    assert reader.read(job_of(canvas(), 7), until()) == Found(7)
    assert reader.read(Job(8), until()) == Found(8)


def test_both_say_that_time_ran_out(reader: ReadsJobs) -> None:
    assert reader.read(job_of(canvas(), 7), time.monotonic_ns()).timed_out


def test_a_worker_that_was_killed_is_replaced() -> None:
    asked = worker()
    asked.open()
    process = asked._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert asked.read(job_of(scene("lost"), 1), until()).faults == 1
    found = asked.read(job_of(scene("found"), 2), until())
    assert [sighting.text for sighting in found.sightings] == ["found"]
    asked.close()


def test_a_worker_that_dies_of_each_job_is_replaced_after_a_pause() -> None:
    asked = worker(HANGS_OR_DIES.format("sys.stdin.buffer.read(1); os._exit(1)"), pause_s=3600)
    assert asked.read(job_of(canvas(), 1), until()).faults == 1
    again = asked.read(job_of(canvas(), 2), until())
    assert (again.faults, again.timed_out) == (0, True)
    assert asked._process is None
    asked.close()


def test_a_worker_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.camera.slow_process.GRACE_NS", 0)
    asked = worker(HANGS_OR_DIES.format("time.sleep(3600)"))
    asked.open()
    process = asked._process
    assert process is not None
    found = asked.read(job_of(canvas(1920, 1080), 1), time.monotonic_ns() + 50_000_000)
    assert (found.faults, found.timed_out) == (1, True)
    assert process.returncode == -signal.SIGKILL
    asked.close()


def test_a_worker_that_does_not_start_is_a_fault_and_not_the_end() -> None:
    asked = WorkerProcess(["/nonexistent"], lambda: 0, environment={}, draw=lambda: 0.0)
    asked.open()
    assert asked.read(job_of(canvas()), 10).timed_out
    asked.close()


def test_a_worker_ends_when_the_appliance_does() -> None:
    asked = worker()
    asked.open()
    process = asked._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    asked.close()


def test_a_lane_whose_worker_is_at_work_can_be_stopped_at_once() -> None:
    lane = ThreadLane(worker(HANGS_OR_DIES.format("time.sleep(3600)")), time.monotonic_ns)
    lane.start(lambda error: pytest.fail(str(error)))
    lane.offer(job_of(canvas(), 1))
    assert lane.stop(10)
    assert lane.statistics().faults == 0


def test_a_lane_reads_through_a_worker() -> None:
    lane = ThreadLane(worker(), time.monotonic_ns, limit_ns=LIMIT_NS)
    lane.start(lambda error: pytest.fail(str(error)))
    lane.offer(job_of(scene("beside"), 9))
    (found,) = taken(lane, 1)
    assert (found.captured_ns, found.sightings[0].text) == (9, "beside")
    assert lane.stop(10)


@pytest.mark.parametrize(
    "request_",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x01\x00",
        b"\x00\x00\x00\x05hello",
    ],
)
def test_a_malformed_request_ends_the_worker(request_: bytes) -> None:
    with pytest.raises(ValueError, match=r"oversized|Expected|malformed|truncated|trailing"):
        serve(io.BytesIO(request_), io.BytesIO(), SlowReader(lambda: 0))
