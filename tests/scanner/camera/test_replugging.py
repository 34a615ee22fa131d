"""What is heard of a camera's cable reaches its capture thread: at once, and without a time-out."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from scanner.camera.grabber import Grabber, GrabStatistics
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Camera, Frame
from scanner.errors import CameraLostError
from tests.scanner.camera.pictures import canvas, gray_frame

LIMIT_S = 10


class LongPauses:
    """A backoff whose pauses nobody waits out; it tells after how many failures each was asked."""

    def __init__(self) -> None:
        self.asked: queue.Queue[int] = queue.Queue()

    def delay_s(self, failures: int, _draw: float) -> float:
        self.asked.put(failures)
        return 3600.0


class Cable:
    """What the camera on its end finds: a queue of steps for all openings together."""

    def __init__(self) -> None:
        self.steps: queue.Queue[str] = queue.Queue()
        self.openings: queue.Queue[int] = queue.Queue()
        self.reading: queue.Queue[int] = queue.Queue()
        self.cameras = 0
        self.release = threading.Event()


class Plugged:
    """A camera that does what the cable's next step says, and can be renewed."""

    def __init__(self, cable: Cable) -> None:
        cable.cameras += 1
        self._cable = cable

    def renewed(self) -> Camera:
        return Plugged(self._cable)

    def open(self) -> None:
        self._cable.openings.put(self._cable.cameras)
        if self._cable.steps.get(timeout=LIMIT_S) == "absent":
            raise CameraLostError("it is not there")

    def read(self) -> Frame:
        self._cable.reading.put(self._cable.cameras)
        match self._cable.steps.get(timeout=LIMIT_S):
            case "hang":
                assert self._cable.release.wait(LIMIT_S)
            case "lost":
                raise CameraLostError("no frame")
        return gray_frame(canvas(), 1)

    def close(self) -> None: ...


class Bench:
    def __init__(self) -> None:
        self.cable = Cable()
        self.pauses = LongPauses()
        self.changes: queue.Queue[GrabStatistics] = queue.Queue()
        self.mailbox: Mailbox[Frame] = Mailbox()
        self.grabber = Grabber(
            Plugged(self.cable),
            self.mailbox,
            monotonic_ns=lambda: 0,
            backoff=self.pauses,  # type: ignore[arg-type]
            draw=lambda: 0.0,
            changed=self.changes.put,
        )
        self.thread = threading.Thread(target=self.grabber.run, name="capture")
        self.thread.start()

    def do(self, *steps: str) -> None:
        for step in steps:
            self.cable.steps.put(step)

    def opened(self) -> int:
        return self.cable.openings.get(timeout=LIMIT_S)

    def read(self) -> int:
        return self.cable.reading.get(timeout=LIMIT_S)

    def paused_after(self) -> int:
        return self.pauses.asked.get(timeout=LIMIT_S)

    def changed(self) -> GrabStatistics:
        return self.changes.get(timeout=LIMIT_S)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("scanner.camera.grabber._WATCH_S", 0.005)
    bench = Bench()
    yield bench
    bench.grabber.stop()
    bench.cable.release.set()
    bench.do("absent", "absent", "absent")
    bench.thread.join(LIMIT_S)
    assert not bench.thread.is_alive()


def test_an_announced_camera_is_opened_at_once_and_its_pauses_begin_anew(bench: Bench) -> None:
    bench.do("absent")
    bench.opened()
    assert bench.paused_after() == 1
    # The node is there before its permissions are: quick tries again, not one in ten seconds.
    for _ in range(3):
        bench.do("absent")
        bench.grabber.plugged()
        bench.opened()
        assert bench.paused_after() == 1
    with pytest.raises(queue.Empty):  # one announcement, one pause: no busy loop
        bench.cable.openings.get(timeout=0.05)


def test_an_announcement_while_a_try_fails_is_not_forgotten(bench: Bench) -> None:
    bench.opened()
    bench.grabber.plugged()
    bench.do("absent", "open", "frame")
    assert bench.paused_after() == 1
    bench.opened()
    while not bench.changed().up:
        pass


def test_a_camera_that_delivered_is_tried_again_quickly(bench: Bench) -> None:
    for _ in range(3):
        bench.opened()
        bench.do("open", "frame", "lost")
        assert bench.paused_after() == 1
        bench.grabber.plugged()


def test_an_unplugged_camera_is_down_at_once_and_its_old_frames_are_not_taken(
    bench: Bench,
) -> None:
    bench.opened()
    bench.do("open", "frame")
    assert bench.changed().up
    assert (bench.read(), bench.read()) == (1, 1)
    assert bench.mailbox.take(LIMIT_S) is not None
    bench.grabber.unplugged()
    assert not bench.grabber.statistics.up, "before its driver has said anything"
    assert "unplugged" in bench.grabber.statistics.last_error
    bench.do("frame")  # as OpenCV may: the last frame, again and again
    assert "unplugged" in bench.changed().last_error
    assert bench.mailbox.take(0) is None
    assert bench.paused_after() == 1
    assert bench.grabber.statistics.frames == 1


def test_one_that_is_back_does_not_wait_for_the_driver_of_the_old_one(bench: Bench) -> None:
    bench.opened()
    bench.do("open", "frame", "hang")
    assert bench.changed().up
    assert (bench.read(), bench.read()) == (1, 1)
    bench.grabber.unplugged()
    bench.grabber.plugged()
    bench.do("open", "frame")
    assert bench.opened() == 2
    while not bench.changed().up:
        pass


def test_unplugging_what_is_not_open_does_nothing(bench: Bench) -> None:
    bench.do("absent")
    bench.opened()
    assert bench.paused_after() == 1
    bench.grabber.unplugged()
    assert bench.grabber.statistics.last_error == "it is not there"
