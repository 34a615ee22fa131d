"""A camera's two threads: readings come through, losses heal, nothing dies or hangs in silence."""

from __future__ import annotations

import itertools
import queue
import random
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import Reading
from scanner.camera.attention import AttentionPolicy
from scanner.camera.grabber import backoff
from scanner.camera.port import Camera, Encoding, Frame
from scanner.camera.source import CameraSource, CameraStatistics
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError
from tests.scanner.camera.pictures import canvas, gray_frame, mjpeg_frame, png_of_zeros, scene
from tests.scanner.camera.scripted import ScriptedCamera

EAGER = AttentionPolicy(forced_look_ns=0, idle_decode_ns=0)
LIMIT_S = 10


class Watched:
    """A source whose deliveries, changes and failures can be waited for."""

    def __init__(self, camera: Camera, **options: object) -> None:
        self.readings: queue.Queue[Reading] = queue.Queue()
        self.changes: queue.Queue[CameraStatistics] = queue.Queue()
        self.failures: queue.Queue[BaseException] = queue.Queue()
        self.delays: list[float] = []
        settings: dict[str, object] = {
            "changed": self.changes.put,
            "failed": self.failures.put,
            "delays": self.no_delays,
            "attention": EAGER,
            "deliver": self.readings.put,
            "monotonic_ns": time.monotonic_ns,
        }
        self.source = CameraSource(camera, "camera-1", **(settings | options))  # type: ignore[arg-type]

    def no_delays(self) -> Iterator[float]:
        for tries in itertools.count(1):
            self.delays.append(tries)
            yield 0.0

    def until(self, wanted: Callable[[CameraStatistics], bool]) -> CameraStatistics:
        while not wanted(statistics := self.changes.get(timeout=LIMIT_S)):
            pass
        return statistics


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
    assert watched.delays == [1, 2, 3, 1]  # slower while it stays away, quick after it worked


def test_a_missing_camera_is_no_failure_and_stops_at_once(watch: Callable[..., Watched]) -> None:
    camera = ScriptedCamera(*[CameraError("absent")] * 3)
    watched = watch(camera, delays=lambda: iter([0.0, 0.0, 3600.0]))
    watched.until(lambda seen: seen.reopens == 3)
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


def test_a_camera_that_falls_silent_counts_as_down(watch: Callable[..., Watched]) -> None:
    camera = ScriptedCamera([gray_frame(canvas(), captured_ns=0)], hold=True)
    watched = watch(camera, monotonic_ns=lambda: 6_000_000_000, stall_ns=5_000_000_000)
    watched.until(lambda seen: seen.up)
    watched.until(lambda seen: not seen.up)
    assert not watched.source.statistics().up
    camera.release.set()
    assert watched.source.join(LIMIT_S)


def test_still_frames_are_skipped_and_counted() -> None:
    policy = AttentionPolicy(hold_ns=-1)
    source = Watched(ScriptedCamera(), attention=policy, monotonic_ns=lambda: 0).source
    for _ in range(3):
        source._look(gray_frame(canvas()))
    assert (source.statistics().looks, source.statistics().skipped) == (1, 2)
    source._look(mjpeg_frame(canvas()))
    source._look(Frame(b"not decompressed, so not found bad", Encoding.MJPEG, 0, 0, 0, 0))
    assert (source.statistics().skipped, source.statistics().bad_frames) == (3, 1)


@settings(deadline=None)
@given(st.floats(0.01, 1), st.floats(1, 60), st.integers(0, 2**32 - 1))
def test_backoff_grows_to_its_ceiling_and_no_further(
    first_s: float, ceiling_s: float, seed: int
) -> None:
    delays = list(itertools.islice(backoff(random.Random(seed), first_s, ceiling_s), 20))
    assert all(0 < delay <= ceiling_s for delay in delays)
    assert delays[0] <= first_s
    assert delays[-1] >= ceiling_s / 2
