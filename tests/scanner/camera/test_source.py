"""A camera's two threads: readings come through, losses heal, nothing dies or hangs in silence."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec import field

from admission.backoff import Backoff
from admission.reading import Reading
from scanner.camera.attention import AttentionPolicy
from scanner.camera.port import Camera, Encoding, Frame
from scanner.camera.source import CameraSource, CameraStatistics
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError
from tests.scanner.camera.pictures import canvas, gray_frame, mjpeg_frame, png_of_zeros, scene
from tests.scanner.camera.scripted import ScriptedCamera

EAGER = AttentionPolicy(forced_look_ns=0, idle_decode_ns=0)
LIMIT_S = 10


class NoPause(Backoff, frozen=True):
    """Waits for nothing, and tells after how many failures in a row it was asked."""

    asked: list[int] = field(default_factory=list)

    def delay_s(self, failures: int, draw: float) -> float:
        self.asked.append(failures)
        return 0.0


class Watched:
    """A source whose deliveries, changes and failures can be waited for."""

    def __init__(self, camera: Camera, **options: object) -> None:
        self.readings: queue.Queue[Reading] = queue.Queue()
        self.changes: queue.Queue[CameraStatistics] = queue.Queue()
        self.failures: queue.Queue[BaseException] = queue.Queue()
        self.pauses = NoPause(0.0, 0.0)
        settings: dict[str, object] = {
            "changed": self.changes.put,
            "failed": self.failures.put,
            "backoff": self.pauses,
            "draw": lambda: 0.0,
            "attention": EAGER,
            "deliver": self.readings.put,
            "monotonic_ns": time.monotonic_ns,
        }
        self.source = CameraSource(camera, "camera-1", **(settings | options))  # type: ignore[arg-type]

    def until(self, wanted: Callable[[CameraStatistics], bool]) -> CameraStatistics:
        while not wanted(statistics := self.changes.get(timeout=LIMIT_S)):
            pass
        return statistics

    def until_captured(self, frames: int) -> None:
        self._turn_until(lambda: self.source.statistics().frames >= frames)

    def until_looked_at(self, looks: int) -> None:
        self._turn_until(lambda: self.source.statistics().looks >= looks)
        self._turn_until(lambda: self.source._look_began_ns is None)

    def _turn_until(self, wanted: Callable[[], bool]) -> None:
        ends_s = time.monotonic() + LIMIT_S
        while not wanted():
            assert time.monotonic() < ends_s, "it did not come to that"
            time.sleep(0)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    started: list[Watched] = []

    def start(camera: Camera, **options: object) -> Watched:
        watched = Watched(camera, **options)
        watched.source.start()
        started.append(watched)
        return watched

    yield start
    for watched in started:
        watched.source.stop(LIMIT_S)


def test_a_code_becomes_a_reading_with_its_capture_time(watch: Callable[..., Watched]) -> None:
    camera = ScriptedCamera([mjpeg_frame(scene("DCVN1"), captured_ns=42)])
    watched = watch(camera)
    reading = watched.readings.get(timeout=LIMIT_S)
    assert (reading.text, reading.source, reading.captured_ns) == ("DCVN1", "camera-1", 42)
    assert reading.rung
    assert watched.source.join(LIMIT_S)
    statistics = watched.source.statistics()
    assert statistics.exhausted
    assert not statistics.up
    assert camera.closed


def test_the_same_code_in_two_frames_is_two_readings(watch: Callable[..., Watched]) -> None:
    """One verdict per presentation is the lane's to decide, which sees all sources."""
    camera = Handed()
    watched = watch(camera)
    for _ in range(2):
        camera.frames.put(gray_frame(scene("twice")))
        assert watched.readings.get(timeout=LIMIT_S).text == "twice"
    camera.frames.put(None)


class Handed:
    """A camera whose frames the test hands over one by one; None ends it."""

    def __init__(self) -> None:
        self.frames: queue.Queue[Frame | None] = queue.Queue()

    def open(self) -> None: ...

    def read(self) -> Frame:
        frame = self.frames.get(timeout=LIMIT_S)
        if frame is None:
            raise CameraExhaustedError("no more")
        return frame

    def close(self) -> None: ...


def test_a_lost_camera_is_opened_again_and_reads_on(watch: Callable[..., Watched]) -> None:
    lost = CameraLostError("unplugged")
    camera = ScriptedCamera(
        [gray_frame(canvas()), lost],
        CameraError("not there yet"),
        CameraError("not there yet"),
        [gray_frame(canvas()), lost],
        [gray_frame(scene("back again"))],
    )
    watched = watch(camera)
    assert watched.readings.get(timeout=LIMIT_S).text == "back again"
    assert watched.source.join(LIMIT_S)
    statistics = watched.source.statistics()
    assert (statistics.reopens, statistics.frames, camera.opened) == (4, 3, 5)
    assert statistics.last_error == "unplugged"
    down = watched.until(lambda seen: bool(seen.last_error))
    assert not down.up
    assert watched.until(lambda seen: seen.up).frames == 2
    assert watched.pauses.asked == [1, 2, 3, 1]  # slower while it stays away, quick after it worked


def test_a_missing_camera_is_no_failure_and_stops_at_once(watch: Callable[..., Watched]) -> None:
    watched = watch(ScriptedCamera(CameraError("absent")), backoff=Backoff(3600.0, 3600.0))
    watched.until(lambda seen: seen.reopens == 1)
    assert watched.source.stop(LIMIT_S)
    assert watched.failures.empty()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9" * 100, png_of_zeros(10_000, 10_000), bytes(1000)],
    ids=["empty", "start only", "markers only", "huge", "zeros"],
)
def test_a_hostile_frame_is_counted_and_the_next_one_read(
    watch: Callable[..., Watched], data: bytes
) -> None:
    camera = Handed()
    watched = watch(camera)
    camera.frames.put(Frame(data, Encoding.MJPEG, 0, 0, 0, 0))
    watched.until(lambda seen: seen.bad_frames == 1 and bool(seen.last_error))
    camera.frames.put(mjpeg_frame(scene("still reading")))
    assert watched.readings.get(timeout=LIMIT_S).text == "still reading"
    camera.frames.put(None)


def test_a_dying_capture_thread_is_reported(watch: Callable[..., Watched]) -> None:
    watched = watch(ScriptedCamera([gray_frame(canvas()), ZeroDivisionError("a fault of ours")]))
    assert isinstance(watched.failures.get(timeout=LIMIT_S), ZeroDivisionError)
    assert watched.source.join(LIMIT_S)
    assert not watched.source.statistics().up


def test_a_dying_decode_thread_is_reported_and_ends_the_capture(
    watch: Callable[..., Watched],
) -> None:
    def deliver(_: Reading) -> None:
        msg = "the lane's inbox broke"
        raise RuntimeError(msg)

    camera = ScriptedCamera([gray_frame(scene("x"))] * 3)
    watched = watch(camera, deliver=deliver)
    assert "inbox" in str(watched.failures.get(timeout=LIMIT_S))
    assert watched.source.stop(LIMIT_S)
    assert camera.closed


def test_stopping_is_bounded_though_the_driver_hangs() -> None:
    camera = ScriptedCamera([gray_frame(canvas())], hold=True)
    watched = Watched(camera)
    watched.source.start()
    assert camera.held.wait(LIMIT_S)
    assert not watched.source.stop(0.05)
    camera.release.set()
    assert watched.source.stop(LIMIT_S)


def test_stopping_before_starting_is_allowed() -> None:
    assert Watched(ScriptedCamera()).source.stop(0)


class Hand:
    """A clock that the test turns on."""

    now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns


def test_a_camera_that_falls_silent_counts_as_down(watch: Callable[..., Watched]) -> None:
    clock = Hand()
    camera = ScriptedCamera([gray_frame(canvas(), captured_ns=0)], hold=True)
    watched = watch(camera, monotonic_ns=clock, stall_ns=5_000_000_000)
    watched.until(lambda seen: seen.up)
    assert camera.held.wait(LIMIT_S)
    watched.until_looked_at(1)
    clock.now_ns += 5_000_000_000
    assert watched.source.statistics().up
    clock.now_ns += 1
    silent = watched.source.statistics()
    assert (silent.up, silent.hung, silent.last_error) == (False, False, "no frame comes any more")
    camera.release.set()
    assert watched.source.join(LIMIT_S)


def test_a_decoder_that_hangs_is_told_by_whoever_asks(watch: Callable[..., Watched]) -> None:
    """The hung thread cannot tell, and frames that keep coming must not hide it."""
    clock, camera = Hand(), Handed()
    looking, go_on = threading.Event(), threading.Event()

    def deliver(_: Reading) -> None:
        looking.set()
        assert go_on.wait(LIMIT_S)

    watched = watch(camera, deliver=deliver, monotonic_ns=clock, stall_ns=5_000_000_000)
    camera.frames.put(gray_frame(scene("hangs")))
    assert looking.wait(LIMIT_S)
    clock.now_ns += 5_000_000_001
    camera.frames.put(gray_frame(canvas()))
    camera.frames.put(gray_frame(canvas()))
    camera.frames.put(None)
    watched.until_captured(3)
    hung = watched.source.statistics()
    assert (hung.up, hung.hung, hung.last_error) == (False, True, "the decoder hangs")
    go_on.set()
    assert watched.source.join(LIMIT_S)
    assert not watched.source.statistics().hung


def test_still_frames_are_skipped_and_counted() -> None:
    policy = AttentionPolicy(hold_ns=-1)
    source = Watched(ScriptedCamera(), attention=policy, monotonic_ns=lambda: 0).source
    for _ in range(3):
        source._look(gray_frame(canvas()))
    assert (source.statistics().looks, source.statistics().skipped) == (1, 2)
    source._look(mjpeg_frame(canvas()))
    source._look(Frame(b"not decompressed, so not found bad", Encoding.MJPEG, 0, 0, 0, 0))
    assert (source.statistics().skipped, source.statistics().bad_frames) == (3, 1)
