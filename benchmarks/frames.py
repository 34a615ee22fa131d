"""Streams of motion JPEG through the frame reader: what frames cost, and when codes are read.

The frames are rendered (`scenery`, `appearance`) and their stamps are those of a camera at 30
frames a second; how fast they are really fed changes nothing but the clock that measures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import cv2
import msgspec
import numpy as np
import zxingcpp

from benchmarks.appearance import Appearance, appearance
from benchmarks.frames_figures import Case, CaseTally, FramesFigures, Size
from benchmarks.machine import this_machine
from benchmarks.scenery import KINDS, Random, Sensor, gray_of_jpeg, scenery
from benchmarks.timing import Rounds
from scanner.camera.attention import AttentionPolicy
from scanner.camera.ladder import SLOW_LIMIT_NS, Ladder, read_slowly
from scanner.camera.port import Encoding, Frame, Gray
from scanner.camera.reader import FrameReader
from scanner.camera.symbol.candidates import candidates
from scanner.scenes.sprite import Picture

SIZES: dict[Size, tuple[int, int]] = {"1080p": (1080, 1920), "720p": (720, 1280)}
SHARES = (0.15, 0.30, 0.60)
"""Heights of the codes, as shares of the frame's."""
_QR_CODE = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
FRAME_NS = 33_333_333
LEAP_NS = 2_000_000_000
"""After this long without movement nobody is attentive any more."""
IDLE_FRAMES = AttentionPolicy().keen_look_ns // FRAME_NS
"""Frames of one empty stream: a whole period of looks, one of them keen."""
EMPTY_FRAMES = 4
"""Different frames of one empty scene, in turn: the same room under other noise."""
HELD_FRAMES = 8
LIMIT_FRAMES = 30
"""A code that was not read in this many frames counts as never read."""


class Plan(msgspec.Struct, frozen=True):
    """How much is measured.

    In each scene codes of the smallest size appear `smallest` times, those of each other size
    `larger` times. The first `empty` scenes are measured without codes too, each `rounds` times.
    """

    scenes: int = 40
    empty: int = 8
    smallest: int = 5
    larger: int = 1
    rounds: int = 3


QUICK = Plan(scenes=1, smallest=1, larger=1, rounds=1)


def measure(plan: Plan, *, progress: Callable[[int], None]) -> FramesFigures:
    """Return the figures of both sizes of frames.

    :param progress: called with the number of scenes done, of `2 * plan.scenes`.
    """
    cv2.setNumThreads(1)
    streams = {size: _Stream(size, plan) for size in SIZES}
    done = 0
    for number in range(plan.scenes):
        for stream in streams.values():
            stream.scene(number)
            done += 1
            progress(done)
    return FramesFigures.of(
        {size: stream.cases() for size, stream in streams.items()}, plan.scenes, this_machine()
    )


class _Stream:
    """All that is measured at one size of frames."""

    def __init__(self, size: Size, plan: Plan) -> None:
        self._size: Size = size
        self._height, self._width = SIZES[size]
        self._plan = plan
        self._luma, self._jpeg, self._decoding = (Rounds(plan.rounds) for _ in range(3))
        self._look, self._slow = (Rounds(plan.rounds) for _ in range(2))
        self._zxing, self._zxing_qr = (Rounds(plan.rounds) for _ in range(2))
        self._tallies = {share: CaseTally(LIMIT_FRAMES) for share in SHARES}

    def scene(self, number: int) -> None:
        """Measure one scene: empty, then with codes of every size."""
        random = np.random.default_rng((number, self._height))
        kind = list(KINDS)[number % len(KINDS)]
        backdrop = scenery(kind, self._height, self._width, random)
        sensor = Sensor(self._height, self._width, random)
        empty = [sensor.jpeg(backdrop) for _ in range(EMPTY_FRAMES)]
        for turn in range(self._plan.rounds if number < self._plan.empty else 0):
            self._measure_empty(empty, turn)
        for share in SHARES:
            self._measure_codes(share, backdrop, empty, sensor, random)

    def cases(self) -> tuple[Case, ...]:
        """Return what was measured: the empty case first, then codes by their size."""
        empty = Case.empty(
            luma=self._luma,
            stream=self._jpeg,
            decoding=self._decoding,
            look=self._look,
            slow=self._slow,
            zxing_default=self._zxing,
            zxing_qr=self._zxing_qr,
        )
        return (empty, *(self._tallies[share].case(share) for share in SHARES))

    def _measure_empty(self, empty: list[bytes], turn: int) -> None:
        luma = [gray_of_jpeg(frame) for frame in empty]
        for spent, frames in (
            (self._luma[turn], [self._frame(gray) for gray in luma]),
            (self._jpeg[turn], [self._frame(jpeg) for jpeg in empty]),
        ):
            reader, clock = _reader(), _Stamps()
            reader.read(frames[0], clock.now_ns)
            clock.leap()
            for number in range(IDLE_FRAMES):
                frame, now_ns = frames[number % len(frames)], clock.next()
                spent.on(partial(reader.read, frame, now_ns))
        for jpeg, gray in zip(empty, luma, strict=True):
            self._decoding[turn].on(partial(gray_of_jpeg, jpeg))
            ladder = Ladder(time.perf_counter_ns, locate=candidates)
            self._look[turn].on(partial(ladder.look, gray))
        until_ns = time.perf_counter_ns() + SLOW_LIMIT_NS
        self._slow[turn].on(partial(read_slowly, luma[0], until_ns, time.perf_counter_ns))
        self._zxing[turn].on(partial(zxingcpp.read_barcodes, luma[0]))
        self._zxing_qr[turn].on(partial(zxingcpp.read_barcodes, luma[0], formats=_QR_CODE))

    def _measure_codes(
        self, share: float, backdrop: Picture, empty: list[bytes], sensor: Sensor, random: Random
    ) -> None:
        reader, clock = _reader(), _Stamps()
        reader.read(self._frame(empty[0]), clock.now_ns)
        for _ in range(self._plan.smallest if share == min(SHARES) else self._plan.larger):
            text = f"https://chot.example/{random.bytes(30).hex()}"
            shown = appearance(backdrop, share, text, sensor, random)
            clock.leap()
            for number in range(int(random.integers(8, 16))):  # any phase of what idle skips
                reader.read(self._frame(empty[number % len(empty)]), clock.next())
            self._show(shown, reader, clock, self._tallies[share])

    def _show(
        self, shown: Appearance, reader: FrameReader, clock: _Stamps, tally: CaseTally
    ) -> None:
        for jpeg in shown.arriving:
            reader.read(self._frame(jpeg), clock.next())
        read_after: int | None = None
        for number in range(LIMIT_FRAMES):
            if number >= HELD_FRAMES and read_after is not None:
                break
            frame, now_ns = self._frame(shown.whole_frame(number)), clock.next()
            readings = tally.spent.on(partial(reader.read, frame, now_ns))
            tally.wrong += sum(reading.text != shown.text for reading in readings)
            if read_after is None and any(reading.text == shown.text for reading in readings):
                read_after = number + 1
            if number == 0:
                tally.first_ms.append(tally.spent.cpu_ms[-1])
        peer = zxingcpp.read_barcodes(gray_of_jpeg(shown.whole[0]), formats=_QR_CODE)
        tally.seen(read_after, by_peer=any(code.text == shown.text for code in peer))

    def _frame(self, data: bytes | Gray) -> Frame:
        encoding = Encoding.MJPEG if isinstance(data, bytes) else Encoding.GRAY
        return Frame(data, encoding, self._width, self._height, 0, 0)


class _Stamps:
    """The stamps of a camera's frames."""

    def __init__(self) -> None:
        self.now_ns = 0

    def next(self) -> int:
        self.now_ns += FRAME_NS
        return self.now_ns

    def leap(self) -> None:
        self.now_ns += LEAP_NS


def _reader() -> FrameReader:
    return FrameReader("bench", time.perf_counter_ns)
