"""From one camera's frames to readings, on whatever thread calls: attention, brightness, ladder."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

from admission.reading import Reading
from scanner.camera.attention import Attention, AttentionPolicy, Interest
from scanner.camera.crops import Locate
from scanner.camera.ladder import Ladder
from scanner.camera.look import Look
from scanner.camera.luma import DEFAULT_LIMITS, PictureLimits, gray_of
from scanner.camera.port import Encoding, Frame, Gray
from scanner.camera.sighting import Sighting
from scanner.camera.slow_lane import SlowLane
from scanner.camera.slow_reading import job_of
from scanner.camera.symbol.candidates import candidates
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.errors import PictureError
from scanner.parts import Parts, PartsStatistics

_COMPRESSED = (Encoding.MJPEG, Encoding.PICTURE)
_BLIND_JOB_EVERY_NS = 1_000_000_000
"""Where nothing looks like a code, the slow lane is asked no more often than this."""
_REMEMBERED_TEXTS = 64


class FrameReader:
    """Reads one camera's frames in their order. Not for use by two threads at once.

    A live camera and a replayed recording both go through here. Counters only rise and may be
    read from any thread.

    :param name: the readings' `source`.
    :param monotonic_ns: the clock that measures the ladder's expensive rungs. One that stands
        still makes what is read depend on the frames alone.
    :param wanted: the symbologies that are reported.
    :param locate: finds places that look like a code, for the expensive rungs and the slow lane;
        None goes by movement alone.
    :param slow_lane: tries again what was not read inline; it belongs to the caller.
    :param looked: called with each look, before its readings are returned; frames that were not
        worth one are not told. Must return soon and must not raise.
    """

    def __init__(
        self,
        name: str,
        monotonic_ns: Callable[[], int],
        *,
        limits: PictureLimits = DEFAULT_LIMITS,
        attention: AttentionPolicy | None = None,
        wanted: Wanted = QR_ONLY,
        locate: Locate | None = candidates,
        slow_lane: SlowLane | None = None,
        looked: Callable[[Look], None] | None = None,
    ) -> None:
        self._name = name
        self._monotonic_ns = monotonic_ns
        self._looked = looked
        self._limits = limits
        self._attention = Attention(attention)
        self._ladder = Ladder(monotonic_ns, wanted=wanted, locate=locate)
        self._slow_lane = slow_lane
        self._blind_ns: int | None = None
        self._parts = Parts()
        self._read_ns: OrderedDict[str, int] = OrderedDict()
        self._by_rung: Counter[str] = Counter()
        self.skipped = 0
        """Frames that were not decompressed or not looked at, as nothing had moved."""
        self.looks = 0
        self.bad_frames = 0
        self.readings = 0

    @property
    def by_rung(self) -> dict[str, int]:
        """Codes and parts of codes read, by the rung that read them, as a copy."""
        return dict(self._by_rung)

    @property
    def parts(self) -> PartsStatistics:
        """What became of codes that come in parts."""
        return self._parts.statistics()

    @property
    def faults(self) -> int:
        """Rungs and localisers that failed on a frame, and were left out for it."""
        return self._ladder.faults

    @property
    def last_fault(self) -> str:
        """Which one failed last, and on what; empty if none ever did."""
        return self._ladder.last_fault

    def read(self, frame: Frame, now_ns: int) -> list[Reading]:
        """Return a reading for each code in the frame; empty too if it is not worth a look.

        What the slow lane has read by now of earlier frames comes after, with their stamps.

        :param now_ns: the time that attention goes by.
        :raises PictureError: the frame is no picture; it is counted, and the next may be read.
        """
        readings = self._look(frame, now_ns)
        readings += self._late(now_ns)
        self.readings += len(readings)
        return readings

    def _look(self, frame: Frame, now_ns: int) -> list[Reading]:
        if frame.encoding in _COMPRESSED and not self._attention.worth_decoding(
            len(frame.data), now_ns
        ):
            self.skipped += 1
            return []
        try:
            gray = gray_of(frame, self._limits)
        except PictureError:
            self.bad_frames += 1
            raise
        interest = self._attention.worth_looking(gray, now_ns)
        if interest is Interest.NONE:
            self.skipped += 1
            return []
        self.looks += 1
        keen = interest is Interest.KEEN
        began_ns = self._monotonic_ns()
        sightings = self._ladder.look(
            gray, frame.captured_ns, keen=keen, moved=self._attention.moving
        )
        if self._looked is not None:
            read_ns = self._monotonic_ns() - began_ns
            self._looked(Look(frame, gray, tuple(sightings), self._ladder.candidates, read_ns))
        if sightings:
            self._attention.saw_code(now_ns)
            for sighting in sightings:
                self._remember(sighting.text, frame.captured_ns)
        elif keen:
            self._ask_slow_lane(gray, frame.captured_ns)
        return self._readings(sightings, frame.captured_ns)

    def _ask_slow_lane(self, gray: Gray, captured_ns: int) -> None:
        if self._slow_lane is None:
            return
        candidates, moved = self._ladder.candidates, self._attention.moving
        if not candidates:
            blind_ns = self._blind_ns
            if blind_ns is not None and 0 <= captured_ns - blind_ns < _BLIND_JOB_EVERY_NS:
                return
            self._blind_ns = captured_ns
        self._slow_lane.offer(job_of(gray, captured_ns, candidates=candidates, moved=moved))

    def _late(self, now_ns: int) -> list[Reading]:
        readings: list[Reading] = []
        for found in self._slow_lane.take() if self._slow_lane is not None else ():
            news = [
                sighting
                for sighting in found.sightings
                if self._read_ns.get(sighting.text, found.captured_ns - 1) < found.captured_ns
            ]
            for sighting in news:
                self._ladder.follow(sighting, found.captured_ns)
                self._attention.saw_code(now_ns)
            readings += self._readings(news, found.captured_ns)
        return readings

    def _readings(self, sightings: Iterable[Sighting], captured_ns: int) -> list[Reading]:
        readings: dict[str, Reading] = {}
        for seen in sightings:
            self._by_rung[seen.rung] += 1
            whole = self._parts.add(seen.text, seen.payload, seen.part, captured_ns)
            if whole is not None:
                readings[whole.text] = Reading(
                    whole.text,
                    seen.symbology,
                    self._name,
                    captured_ns,
                    seen.rung,
                    whole.payload,
                )
        return list(readings.values())

    def _remember(self, text: str, captured_ns: int) -> None:
        self._read_ns[text] = captured_ns
        self._read_ns.move_to_end(text)
        if len(self._read_ns) > _REMEMBERED_TEXTS:
            self._read_ns.popitem(last=False)
