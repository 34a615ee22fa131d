"""From one camera's frames to readings, on whatever thread calls: attention, brightness, ladder."""

from __future__ import annotations

from collections.abc import Callable

from admission.reading import Reading
from scanner.camera.attention import Attention, AttentionPolicy
from scanner.camera.ladder import Ladder
from scanner.camera.look import Look
from scanner.camera.luma import DEFAULT_LIMITS, PictureLimits, gray_of
from scanner.camera.port import Encoding, Frame
from scanner.errors import PictureError

_COMPRESSED = (Encoding.MJPEG, Encoding.PICTURE)


class FrameReader:
    """Reads one camera's frames in their order. Not for use by two threads at once.

    A live camera and a replayed recording both go through here. Counters only rise and may be
    read from any thread.

    :param name: the readings' `source`.
    :param monotonic_ns: the clock that measures the ladder's expensive rungs. One that stands
        still makes what is read depend on the frames alone.
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
        looked: Callable[[Look], None] | None = None,
    ) -> None:
        self._name = name
        self._monotonic_ns = monotonic_ns
        self._looked = looked
        self._limits = limits
        self._attention = Attention(attention)
        self._ladder = Ladder(monotonic_ns)
        self.skipped = 0
        """Frames that were not decompressed or not looked at, as nothing had moved."""
        self.looks = 0
        self.bad_frames = 0
        self.readings = 0

    def read(self, frame: Frame, now_ns: int) -> list[Reading]:
        """Return a reading for each code in the frame; empty too if it is not worth a look.

        :param now_ns: the time that attention goes by.
        :raises PictureError: the frame is no picture; it is counted, and the next may be read.
        """
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
        if not self._attention.worth_looking(gray, now_ns):
            self.skipped += 1
            return []
        self.looks += 1
        began_ns = self._monotonic_ns()
        sightings = self._ladder.look(gray)
        if self._looked is not None:
            read_ns = self._monotonic_ns() - began_ns
            self._looked(Look(frame, gray, tuple(sightings), (), read_ns))
        if sightings:
            self._attention.saw_code(now_ns)
            self.readings += len(sightings)
        return [
            Reading(
                seen.text, seen.symbology, self._name, frame.captured_ns, seen.rung, seen.payload
            )
            for seen in sightings
        ]
