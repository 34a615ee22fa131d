"""A camera and the slow lane beside it begin, deliver and end together."""

from __future__ import annotations

import queue
import time
from contextlib import suppress

from scanner.camera.slow_lane import ThreadLane
from scanner.camera.slow_reading import Found, Job
from tests.scanner.camera.pictures import canvas, gray_frame
from tests.scanner.camera.test_slow_lane import Scripted
from tests.scanner.camera.test_source import LIMIT_S, Handed, Watched
from tests.scanner.camera.test_tracker import seen


def test_what_is_read_beside_comes_with_a_later_frame_and_is_counted() -> None:
    reader = Scripted(sightings=(seen(10, 10, text="late"),))
    lane = ThreadLane(reader, time.monotonic_ns)
    camera = Handed()
    watched = Watched(camera, slow_lane=lane)
    watched.source.start()
    reading, frames = None, 0
    while reading is None:
        assert frames < 200
        camera.frames.put(gray_frame(canvas(), captured_ns=frames))
        frames += 1
        with suppress(queue.Empty):
            reading = watched.readings.get(timeout=0.05)
    assert (reading.text, reading.captured_ns) == ("late", 0)
    camera.frames.put(None)
    assert watched.source.stop(LIMIT_S)
    assert watched.source.statistics().slow_lane.jobs == 1
    assert watched.source.statistics().by_rung == {"full": 1}
    assert watched.source.statistics().faults == 1
    assert reader.closed.is_set()
    assert not lane._thread.is_alive()


def test_a_lane_that_dies_is_told_as_the_end_of_the_camera() -> None:
    class Broken(Scripted):
        def read(self, job: Job, until_ns: int) -> Found:
            raise MemoryError("no more")

    camera = Handed()
    watched = Watched(camera, slow_lane=ThreadLane(Broken(), time.monotonic_ns))
    watched.source.start()
    camera.frames.put(gray_frame(canvas()))
    assert isinstance(watched.failures.get(timeout=LIMIT_S), MemoryError)
    camera.frames.put(None)
    assert watched.source.stop(LIMIT_S)
