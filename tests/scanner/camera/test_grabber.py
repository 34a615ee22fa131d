"""The watchdog: a driver that never returns costs one thread, not the camera."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from admission.backoff import Backoff
from scanner.camera.grabber import HUNG_MAX, Grabber, GrabStatistics
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Camera, Frame
from scanner.errors import CameraExhaustedError, CameraLostError
from tests.scanner.camera.pictures import canvas, gray_frame

LIMIT_S = 10


class Hand:
    """A clock that the test turns on."""

    now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns


class Plug:
    """What all cameras of one name have in common: who was opened, and who still hangs."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = list(hanging)
        """The call in which each camera in turn hangs; after them none does."""
        self.held: queue.Queue[str] = queue.Queue()
        self.release = threading.Event()
        self.made = 0
        self.opened = 0
        self.closed = 0


class Hanging:
    """A camera whose driver may hang; renewed, it is the next one on the same plug."""

    def __init__(self, plug: Plug) -> None:
        self._plug = plug
        self._number = plug.made
        plug.made += 1
        self._hangs_in = plug.hanging.pop(0) if plug.hanging else ""
        self.reads = 0

    def _pass(self, call: str) -> None:
        if self._hangs_in == call:
            self._plug.held.put(call)
            assert self._plug.release.wait(LIMIT_S)

    def renewed(self) -> Camera:
        return Hanging(self._plug)

    def open(self) -> None:
        self._plug.opened += 1
        self._pass("open")

    def read(self) -> Frame:
        self.reads += 1
        if self.reads > 1:
            self._pass("read")
        if self.reads > 1 and not self._hangs_in:
            raise CameraExhaustedError("over")
        return gray_frame(canvas(level=self._number), self.reads)

    def close(self) -> None:
        self._plug.closed += 1
        self._pass("close")


class NotRenewable:
    """The same, of which there is one only."""

    def __init__(self, plug: Plug) -> None:
        inner = Hanging(plug)
        self.open, self.read, self.close = inner.open, inner.read, inner.close


class Run:
    """A grabber in its thread."""

    def __init__(self, camera: Camera, clock: Callable[[], int]) -> None:
        self.changes: queue.Queue[GrabStatistics] = queue.Queue()
        self.mailbox: Mailbox[Frame] = Mailbox()
        self.grabber = Grabber(
            camera,
            self.mailbox,
            monotonic_ns=clock,
            backoff=Backoff(0.0, 0.0),
            draw=lambda: 0.0,
            changed=self.changes.put,
            read_limit_ns=5_000_000_000,
            open_limit_ns=20_000_000_000,
        )
        self.thread = threading.Thread(target=self.grabber.run, name="camera-capture")
        self.thread.start()

    def until(self, wanted: Callable[[GrabStatistics], bool]) -> GrabStatistics:
        while not wanted(statistics := self.changes.get(timeout=LIMIT_S)):
            pass
        return statistics


@pytest.fixture(autouse=True)
def _watch_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.camera.grabber._WATCH_S", 0.005)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def run(clock: Hand) -> Iterator[Callable[[Plug, type], Run]]:
    started: list[tuple[Plug, Run]] = []

    def start(plug: Plug, kind: type = Hanging) -> Run:
        started.append((plug, Run(kind(plug), clock)))
        return started[-1][1]

    yield start
    for plug, each in started:
        each.grabber.stop()
        plug.release.set()
        each.thread.join(LIMIT_S)
        assert not each.thread.is_alive()


@pytest.mark.parametrize(("call", "within_ns"), [("open", 20_000_000_000), ("read", 5_000_000_000)])
def test_a_driver_that_hangs_is_given_up_and_the_camera_opened_anew(
    run: Callable[..., Run], clock: Hand, call: str, within_ns: int
) -> None:
    plug = Plug(call)
    watched = run(plug)
    assert plug.held.get(timeout=LIMIT_S) == call
    clock.now_ns += within_ns + 1
    lost = watched.until(lambda seen: bool(seen.last_error))
    assert (lost.up, lost.reopens) == (False, 1)
    assert call in lost.last_error
    assert watched.until(lambda seen: seen.exhausted).frames == (2 if call == "read" else 1)
    frame = watched.mailbox.take(LIMIT_S)
    assert frame is not None
    assert frame.data[0, 0] == 1, "not from the second camera"
    assert plug.closed == 1, "the hung one cannot have been closed"


def test_within_the_limit_nothing_is_given_up(run: Callable[..., Run], clock: Hand) -> None:
    plug = Plug("open")
    watched = run(plug)
    plug.held.get(timeout=LIMIT_S)
    clock.now_ns += 19_000_000_000
    plug.release.set()
    watched.until(lambda seen: seen.up)
    assert plug.opened == 1


def test_what_a_camera_given_up_delivers_later_is_not_taken(
    run: Callable[..., Run], clock: Hand
) -> None:
    plug = Plug("read", "open")
    watched = run(plug)
    assert plug.held.get(timeout=LIMIT_S) == "read"
    clock.now_ns += 5_000_000_001
    assert plug.held.get(timeout=LIMIT_S) == "open"
    assert watched.mailbox.take(0) is not None, "the control: it delivered before it hung"
    watched.grabber.stop()
    plug.release.set()
    watched.thread.join(LIMIT_S)
    assert watched.mailbox.take(0) is None
    assert watched.grabber.statistics.frames == 1
    assert plug.closed == 2, "each closes its own camera once its driver returns"


def test_a_camera_of_which_there_is_one_only_is_waited_for(
    run: Callable[..., Run], clock: Hand
) -> None:
    plug = Plug("read")
    watched = run(plug, NotRenewable)
    plug.held.get(timeout=LIMIT_S)
    clock.now_ns += 3_600_000_000_000
    plug.release.set()
    watched.until(lambda seen: seen.frames == 1)
    assert watched.grabber.statistics.reopens == 0


def test_so_many_may_hang_and_no_more_until_one_returns(
    run: Callable[..., Run], clock: Hand
) -> None:
    plug = Plug(*["read"] * HUNG_MAX)
    watched = run(plug)
    for number in range(HUNG_MAX):
        plug.held.get(timeout=LIMIT_S)
        clock.now_ns += 5_000_000_001
        watched.until(lambda seen, at=number + 1: seen.reopens == at)
    assert not watched.thread.join(0.05)
    assert plug.opened == HUNG_MAX
    plug.release.set()
    assert watched.until(lambda seen: seen.exhausted).reopens == HUNG_MAX


def test_one_camera_hangs_while_another_delivers(run: Callable[..., Run], clock: Hand) -> None:
    stuck, sound = Plug("open"), Plug()
    first, second = run(stuck), run(sound)
    stuck.held.get(timeout=LIMIT_S)
    assert second.until(lambda seen: seen.exhausted).frames == 1
    assert first.grabber.statistics.frames == 0


def test_a_camera_that_cannot_even_be_closed_is_a_fault_that_is_told(
    clock: Hand,
) -> None:
    class Broken(Hanging):
        def close(self) -> None:
            raise ZeroDivisionError("a fault of ours")

    grabber = Grabber(
        Broken(Plug()),
        Mailbox(),
        monotonic_ns=clock,
        backoff=Backoff(0.0, 0.0),
        draw=lambda: 0.0,
        changed=lambda _: None,
    )
    with pytest.raises(ZeroDivisionError):
        grabber.run()


def test_a_loss_is_told_though_the_driver_takes_long_to_close(
    run: Callable[..., Run], clock: Hand
) -> None:
    class Unplugged(Hanging):
        def read(self) -> Frame:
            if self.reads:
                raise CameraLostError("unplugged")
            return super().read()

    plug = Plug("close")
    watched = run(plug, Unplugged)
    watched.until(lambda seen: seen.up)
    lost = watched.until(lambda seen: not seen.up)
    assert (lost.last_error, lost.reopens) == ("unplugged", 0)
    assert plug.held.get(timeout=LIMIT_S) == "close"
    clock.now_ns += 5_000_000_001
    assert "close" in watched.until(lambda seen: seen.reopens == 1).last_error


def test_a_lost_camera_is_no_hung_one(run: Callable[..., Run], clock: Hand) -> None:
    class Lost(Hanging):
        def open(self) -> None:
            super().open()
            if self._plug.opened == 1:
                raise CameraLostError("unplugged")

    plug = Plug()
    watched = run(plug, Lost)
    assert watched.until(lambda seen: seen.exhausted).reopens == 1
    assert (plug.made, plug.opened) == (1, 2)
