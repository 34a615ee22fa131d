"""One camera as a source of readings: a capture thread, a decode thread, a mailbox between them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import msgspec

from admission.reading import Reading
from scanner.camera.attention import Attention, AttentionPolicy
from scanner.camera.grabber import Delays, Grabber, GrabStatistics, backoff
from scanner.camera.ladder import Ladder
from scanner.camera.luma import DEFAULT_LIMITS, PictureLimits, gray_of
from scanner.camera.mailbox import Mailbox
from scanner.camera.port import Camera, Encoding, Frame
from scanner.errors import PictureError

_COMPRESSED = (Encoding.MJPEG, Encoding.PICTURE)
_WATCH_S = 0.5


class CameraStatistics(msgspec.Struct, frozen=True, gc=False):
    """What one camera has done since it started. Counters only rise."""

    up: bool
    """Whether the camera is open and frames keep coming."""
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


class CameraSource:
    """Runs one camera and delivers a reading for each code in each frame that was looked at.

    A code held up yields one reading per frame: what counts as one presentation is decided by the
    lane (`admission.repeat`), which also sees other sources.

    :param name: the reading's `source`.
    :param deliver: called from the decode thread; must return soon and must not raise.
    :param monotonic_ns: the clock of `Reading.captured_ns` and of all intervals here.
    :param changed: called from a capture or decode thread when `up` or `last_error` changed.
    :param failed: called once per thread that died, with what killed it; readings have ended then
        and only a new `CameraSource` brings them back.
    :param delays: waiting times in seconds between tries to open the camera again.
    :param stall_ns: a camera that delivers nothing for this long counts as down, whatever it says.
    """

    def __init__(
        self,
        camera: Camera,
        name: str,
        deliver: Callable[[Reading], None],
        monotonic_ns: Callable[[], int],
        *,
        changed: Callable[[CameraStatistics], None] = lambda _: None,
        failed: Callable[[BaseException], None] = lambda _: None,
        delays: Delays | None = None,
        limits: PictureLimits = DEFAULT_LIMITS,
        attention: AttentionPolicy | None = None,
        stall_ns: int = 5_000_000_000,
    ) -> None:
        self.name = name
        self._deliver = deliver
        self._monotonic_ns = monotonic_ns
        self._changed = changed
        self._failed = failed
        self._limits = limits
        self._stall_ns = stall_ns
        self._attention = Attention(attention)
        self._ladder = Ladder(monotonic_ns)
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._grabber = Grabber(
            camera,
            self._mailbox,
            delays or (lambda: backoff(random.Random())),  # noqa: S311 - jitter, no secret
            self._grabber_changed,
        )
        self._threads = [
            threading.Thread(target=self._guard, args=(run,), name=f"{name}-{role}", daemon=True)
            for role, run in (("capture", self._grabber.run), ("decode", self._decode))
        ]
        self._stalled = False
        self._picture_error = ""
        self._skipped = self._looks = self._bad_frames = self._readings = 0

    def start(self) -> None:
        """Start both threads. A camera that cannot be opened is tried again, not an error here.

        :raises RuntimeError: it was started before.
        """
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End both threads and return whether both did within `timeout_s` together.

        A thread that did not is stuck in a device driver; it is a daemon and ends with the process.
        """
        self._grabber.stop()
        self._mailbox.close()
        deadline_ns = self._monotonic_ns() + int(timeout_s * 1e9)
        started = [thread for thread in self._threads if thread.ident is not None]
        for thread in started:
            thread.join(max(0.0, (deadline_ns - self._monotonic_ns()) / 1e9))
        return not any(thread.is_alive() for thread in started)

    def join(self, timeout_s: float) -> bool:
        """Wait until a finite source has been read to its end; return whether it was."""
        self._threads[1].join(timeout_s)
        return not self._threads[1].is_alive()

    def statistics(self) -> CameraStatistics:
        """Return the counters of this moment. Safe from any thread."""
        grabbed = self._grabber.statistics
        return CameraStatistics(
            up=grabbed.up and not self._stalled,
            exhausted=grabbed.exhausted,
            frames=grabbed.frames,
            dropped=self._mailbox.dropped,
            skipped=self._skipped,
            looks=self._looks,
            bad_frames=self._bad_frames,
            readings=self._readings,
            reopens=grabbed.reopens,
            last_error=(grabbed.up and self._picture_error) or grabbed.last_error,
        )

    def _guard(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - a thread's edge: its death is reported
            self._grabber.stop()
            self._mailbox.close()
            self._failed(error)

    def _grabber_changed(self, _: GrabStatistics) -> None:
        self._changed(self.statistics())

    def _decode(self) -> None:
        while True:
            frame = self._mailbox.take(_WATCH_S)
            if frame is not None:
                self._watch(stalled=False)
                self._look(frame)
            elif self._mailbox.closed:
                return
            else:
                silent_ns = self._monotonic_ns() - self._grabber.statistics.last_frame_ns
                self._watch(stalled=silent_ns > self._stall_ns)

    def _watch(self, *, stalled: bool) -> None:
        if stalled is not self._stalled and (self._grabber.statistics.up or not stalled):
            self._stalled = stalled
            self._changed(self.statistics())

    def _look(self, frame: Frame) -> None:
        now_ns = self._monotonic_ns()
        if frame.encoding in _COMPRESSED and not self._attention.worth_decoding(
            len(frame.data), now_ns
        ):
            self._skipped += 1
            return
        try:
            gray = gray_of(frame, self._limits)
        except PictureError as error:
            self._bad_frames += 1
            if str(error) != self._picture_error:
                self._picture_error = str(error)
                self._changed(self.statistics())
            return
        if not self._attention.worth_looking(gray, now_ns):
            self._skipped += 1
            return
        self._looks += 1
        for sighting in self._ladder.look(gray):
            self._attention.saw_code(now_ns)
            self._readings += 1
            self._deliver(
                Reading(
                    sighting.text,
                    sighting.symbology,
                    self.name,
                    frame.captured_ns,
                    sighting.rung,
                )
            )
