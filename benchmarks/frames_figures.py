"""What streams of frames come to: from costs and appearances to the figures that are printed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Literal

import msgspec

from appliance.percentile import percentile
from benchmarks.machine import Machine
from benchmarks.timing import Rounds, Spent

Size = Literal["1080p", "720p"]


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """Frames of one size, empty or with a code of one height. Milliseconds a frame.

    Without `wall` in its name a time is what one core was busy for. Of an empty case, `luma_ms` is
    without JPEG decoding, `stream_ms` with it as far as the reader decodes at all.
    """

    code_share: float
    """The code's height as a share of the frame's; 0 is empty."""
    stream_ms: float
    stream_wall_ms: float
    jpeg_decoding_ms: float = 0.0
    """Decoding one frame's brightness and nothing else: no reader of this stream costs less, but
    for the frames that it skips."""
    luma_ms: float = 0.0
    luma_wall_ms: float = 0.0
    look_ms: float = 0.0
    """One look of a fresh ladder at an empty frame: what it costs while something moves."""
    slow_job_ms: float = 0.0
    """One job of the slow lane on an empty frame: it costs another core, at most once a second."""
    zxing_default_ms: float = 0.0
    zxing_qr_ms: float = 0.0
    appearances: int = 0
    read_in_first: float = 0.0
    """Share of the appearances that were read in the first frame that shows the code wholly."""
    zxing_qr_in_first: float = 0.0
    """Share that zxing-cpp reads in that frame, asked for QR codes alone."""
    read_frames_p99: int = 0
    """Frames until read: 1 is the first that shows the code wholly. One more than the limit stands
    for never."""
    unread: int = 0
    wrong: int = 0
    first_ms: float = 0.0
    """The first frame's cost."""
    elsewhere_ms: float = 0.0
    """What other threads spent meanwhile: the slow lane on its own core."""

    @classmethod
    def empty(
        cls,
        *,
        luma: Rounds,
        stream: Rounds,
        decoding: Rounds,
        look: Rounds,
        slow: Rounds,
        zxing_default: Rounds,
        zxing_qr: Rounds,
    ) -> Case:
        """Return the case of empty frames."""
        return cls(
            0.0,
            stream.cpu_ms,
            stream.wall_ms,
            decoding.cpu_ms,
            luma.cpu_ms,
            luma.wall_ms,
            look.cpu_ms,
            slow.cpu_ms,
            zxing_default.cpu_ms,
            zxing_qr.cpu_ms,
        )


class CaseTally:
    """Counts the appearances of codes of one height.

    :param limit: frames after which a code counts as never read.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._read_after: list[int] = []
        self._by_peer = 0
        self.spent = Spent()
        """On the frames that show a code wholly."""
        self.first_ms: list[float] = []
        self.wrong = 0

    def seen(self, read_after: int | None, *, by_peer: bool = False) -> None:
        """Count one appearance, read in the frame `read_after` (1 is the first) or never.

        :param by_peer: whether zxing-cpp, asked for QR codes, reads the first frame.
        """
        self._by_peer += by_peer
        self._read_after.append(self._limit + 1 if read_after is None else read_after)

    def case(self, share: float) -> Case:
        """Return the figures of what was counted.

        :raises ValueError: nothing was.
        """
        count = len(self._read_after)
        return Case(
            share,
            round(statistics.fmean(self.spent.cpu_ms), 3),
            round(statistics.fmean(self.spent.wall_ms), 3),
            appearances=count,
            read_in_first=round(sum(after == 1 for after in self._read_after) / count, 4),
            zxing_qr_in_first=round(self._by_peer / count, 4),
            read_frames_p99=int(percentile(self._read_after, 99)),
            unread=sum(after > self._limit for after in self._read_after),
            wrong=self.wrong,
            first_ms=round(statistics.fmean(self.first_ms), 3),
            elsewhere_ms=round(statistics.fmean(self.spent.elsewhere_ms), 3),
        )


class FramesFigures(msgspec.Struct, frozen=True):
    """What `chot bench frames --json` prints. Milliseconds that one core is busy for."""

    empty_1080p_ms: float
    """A frame of an empty scene, brightness already decoded, forced looks included."""
    empty_1080p_with_jpeg_ms: float
    zxing_default_ratio: float
    """What zxing-cpp with its defaults costs on the same empty frames, over `empty_1080p_ms`."""
    fps_per_core_720p: float
    """720p frames a second that one core keeps up with, in the dearest of the cases."""
    first_read_frames_p99: int
    """Frames until read for 99 % of the smallest codes at 1080p: 1 is the first that shows it."""
    machine: Machine
    scenes: int
    cases_1080p: tuple[Case, ...]
    cases_720p: tuple[Case, ...]

    @classmethod
    def of(
        cls, cases: Mapping[Size, tuple[Case, ...]], scenes: int, machine: Machine
    ) -> FramesFigures:
        """Return the figures of both sizes' cases: the empty one first, then codes by height."""
        empty, smallest, *_ = cases["1080p"]
        return cls(
            empty_1080p_ms=empty.luma_ms,
            empty_1080p_with_jpeg_ms=empty.stream_ms,
            zxing_default_ratio=round(empty.zxing_default_ms / empty.luma_ms, 1),
            fps_per_core_720p=round(1000 / max(case.stream_ms for case in cases["720p"]), 1),
            first_read_frames_p99=smallest.read_frames_p99,
            machine=machine,
            scenes=scenes,
            cases_1080p=cases["1080p"],
            cases_720p=cases["720p"],
        )
