"""One camera as a source of readings: a capture thread, a decode thread, a mailbox between them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from admission.backoff import Backoff
from admission.reading import Reading
from scanner.camera.attention import AttentionPolicy
from scanner.camera.grabber import Grabber, GrabStatistics
from scanner.camera.look import Look
from scanner.camera.luma import DEFAULT_LIMITS, PictureLimits
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Camera, Frame
from scanner.camera.reader import FrameReader
from scanner.camera.slow_lane import SlowLane, SlowLaneStatistics
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.errors import PictureError
from scanner.parts import PartsStatistics

_REOPENING = Backoff(0.25, 10.0)
_TAKE_S = 60.0


class CameraStatistics(msgspec.Struct, frozen=True, gc=False):
    """What one camera has done since it started. Counters only rise."""

    up: bool
    """Whether the camera is open, frames keep coming and somebody looks at them."""
    hung: bool
    """Whether one frame has kept the decode thread too long: no camera's fault, and only a new
    process is sure to mend it."""
    exhausted: bool
    frames: int
    """Frames captured..."""
    dropped: int
    """...of which the decode thread never saw these, being busy with another,"""
    skipped: int
    """and these were not decompressed or not looked at, as nothing had moved."""
    looks: int
    bad_frames: int
    readings: int
    reopens: int
    last_error: str
    by_rung: dict[str, int] = {}
    """Codes and parts of codes read, by the rung that read them."""
    slow_lane: SlowLaneStatistics = SlowLaneStatistics()
    parts: PartsStatistics = PartsStatistics()
    faults: int = 0
    """Rungs and readers that failed on a frame and were left out for it, in either lane."""
    last_fault: str = ""
    """Which one failed last in the inline lane."""


class CameraSource:
    """Runs one camera and delivers a reading for each code in each frame that was looked at.

    A code held up yields one reading per frame: what counts as one presentation is decided by the
    lane (`admission.repeat`), which also sees other sources.

    :param name: the reading's `source`.
    :param deliver: called from the decode thread; must return soon and must not raise.
    :param monotonic_ns: the clock of `Reading.captured_ns` and of all intervals here.
    :param changed: called from a capture or decode thread when the camera came, was lost, or
        `last_error` changed. Silence has no thread to call from: only `statistics` tells of it.
    :param failed: called once per thread that died, with what killed it; readings have ended then
        and only a new `CameraSource` brings them back.
    :param draw: gives a random number in [0, 1) for each pause of `backoff`.
    :param backoff: the pauses between tries to open the camera again.
    :param stall_ns: a camera that delivers nothing for this long counts as down, whatever it says;
        so does one while a single frame has been looked at for longer.
    :param looked: called from the decode thread with each look, as `FrameReader` says.
    :param wanted: the symbologies that are reported.
    :param slow_lane: tries again what was not read inline; it is started and stopped from here.
    """

    def __init__(
        self,
        camera: Camera,
        name: str,
        deliver: Callable[[Reading], None],
        monotonic_ns: Callable[[], int],
        *,
        draw: Callable[[], float],
        changed: Callable[[CameraStatistics], None] = lambda _: None,
        failed: Callable[[BaseException], None] = lambda _: None,
        backoff: Backoff = _REOPENING,
        limits: PictureLimits = DEFAULT_LIMITS,
        attention: AttentionPolicy | None = None,
        stall_ns: int = 5_000_000_000,
        looked: Callable[[Look], None] | None = None,
        wanted: Wanted = QR_ONLY,
        slow_lane: SlowLane | None = None,
    ) -> None:
        self.name = name
        self._deliver = deliver
        self._monotonic_ns = monotonic_ns
        self._changed = changed
        self._failed = failed
        self._stall_ns = stall_ns
        self._slow_lane = slow_lane
        self._reader = FrameReader(
            name,
            monotonic_ns,
            limits=limits,
            attention=attention,
            wanted=wanted,
            slow_lane=slow_lane,
            looked=looked,
        )
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._grabber = Grabber(
            camera,
            self._mailbox,
            monotonic_ns=monotonic_ns,
            backoff=backoff,
            draw=draw,
            changed=self._grabber_changed,
        )
        self._threads = [
            threading.Thread(target=self._guard, args=(run,), name=f"{name}-{role}", daemon=True)
            for role, run in (("capture", self._grabber.run), ("decode", self._decode))
        ]
        self._picture_error = ""
        self._look_began_ns: int | None = None

    def start(self) -> None:
        """Start all threads. A camera that cannot be opened is tried again, not an error here.

        :raises RuntimeError: it was started before.
        """
        if self._slow_lane is not None:
            self._slow_lane.start(self._end)
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End all threads and return whether all did within `timeout_s` together.

        A thread that did not is stuck in a device driver; it is a daemon and ends with the process.
        """
        self._grabber.stop()
        self._mailbox.close()
        deadline_ns = self._monotonic_ns() + int(timeout_s * 1e9)
        started = [thread for thread in self._threads if thread.ident is not None]
        for thread in started:
            thread.join(self._left_s(deadline_ns))
        ended = not any(thread.is_alive() for thread in started)
        if self._slow_lane is not None:
            ended = self._slow_lane.stop(self._left_s(deadline_ns)) and ended
        return ended

    def plugged(self) -> None:
        """Try to open the camera at once, if it is not open: it was announced. From any thread."""
        self._grabber.plugged()

    def unplugged(self) -> None:
        """Count the camera as lost at once: it was said to be gone. From any thread."""
        self._grabber.unplugged()

    def join(self, timeout_s: float) -> bool:
        """Wait until a finite source has been read to its end; return whether it was."""
        self._threads[1].join(timeout_s)
        return not self._threads[1].is_alive()

    def statistics(self) -> CameraStatistics:
        """Return the counters of this moment. Safe from any thread, and true whichever hangs."""
        grabbed, began_ns = self._grabber.statistics, self._look_began_ns
        beside = self._slow_lane.statistics() if self._slow_lane else SlowLaneStatistics()
        now_ns = self._monotonic_ns()
        silent = grabbed.up and now_ns - grabbed.last_frame_ns > self._stall_ns
        hung = began_ns is not None and now_ns - began_ns > self._stall_ns
        return CameraStatistics(
            up=grabbed.up and not silent and not hung,
            hung=hung,
            exhausted=grabbed.exhausted,
            frames=grabbed.frames,
            dropped=self._mailbox.dropped,
            skipped=self._reader.skipped,
            looks=self._reader.looks,
            bad_frames=self._reader.bad_frames,
            readings=self._reader.readings,
            reopens=grabbed.reopens,
            last_error=(hung and "the decoder hangs")
            or (silent and "no frame comes any more")
            or (grabbed.up and self._picture_error)
            or grabbed.last_error,
            by_rung=self._reader.by_rung,
            slow_lane=beside,
            parts=self._reader.parts,
            faults=self._reader.faults + beside.faults,
            last_fault=self._reader.last_fault,
        )

    def _left_s(self, deadline_ns: int) -> float:
        return max(0.0, (deadline_ns - self._monotonic_ns()) / 1e9)

    def _guard(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - a thread's edge: its death is reported
            self._end(error)

    def _end(self, error: BaseException) -> None:
        self._grabber.stop()
        self._mailbox.close()
        self._failed(error)

    def _grabber_changed(self, _: GrabStatistics) -> None:
        self._changed(self.statistics())

    def _decode(self) -> None:
        while True:
            frame = self._mailbox.take(_TAKE_S)
            if frame is not None:
                self._look(frame)
            elif self._mailbox.closed:
                return

    def _look(self, frame: Frame) -> None:
        now_ns = self._look_began_ns = self._monotonic_ns()
        try:
            for reading in self._reader.read(frame, now_ns):
                self._deliver(reading)
        except PictureError as error:
            if str(error) != self._picture_error:
                self._picture_error = str(error)
                self._changed(self.statistics())
        finally:
            self._look_began_ns = None
