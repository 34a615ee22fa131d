"""Recordings without faces: all that is not a code is blurred for good.

Nothing tries to find faces: what is not known to be a code is made unrecognisable, so that a face
that no detector finds is blurred like any other. What is left of it is a grid of about twenty
gray cells across the picture, renewed twice a second: a head that fills the frame is a dozen
cells high, and no run of frames adds to what one of them says.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence

import cv2
import msgspec
import numpy as np

from scanner.camera.attention import AttentionPolicy
from scanner.camera.crops import Locate
from scanner.camera.likeness import likely_codes
from scanner.camera.look import Look
from scanner.camera.port import Encoding, Frame, Gray
from scanner.camera.reader import FrameReader
from scanner.camera.sighting import Quad
from scanner.camera.symbol.candidates import candidates
from scanner.errors import PictureError
from scanner.recording import Recorder
from scanner.stamps import Region, written

CELLS_ACROSS = 20
SMALLEST_CELL_PX = 32
GRAY_STEP = 16
RENEWED_EVERY_NS = 500_000_000
MARGIN = 0.125
"""Share of a code's side that is kept around it: decoders want some of its quiet zone."""
BLOCK_PX = 8
"""JPEG compresses blocks of this side each for itself (ITU-T T.81): what is kept ends with them."""
MAX_REGIONS = 16
QUALITY = 95
REACH_FRAMES = 8
STEP_NS = 3_000_000
_EVERY_FRAME = AttentionPolicy(forced_look_ns=0, idle_decode_ns=0, hold_ns=1 << 62)


def region_of(quad: Quad) -> Region:
    """Return the code's region: its quad with a margin, as a convex polygon."""
    corners = np.array(quad, np.float64)
    middle = corners.mean(axis=0)
    grown = middle + (corners - middle) * (1 + 2 * MARGIN)
    return _hull(np.clip(np.round(grown), 0, 16383).astype(np.int32))


def blurred(gray: Gray, ground: Gray, clear: Sequence[Region]) -> Gray:
    """Return `gray` within the regions, rounded up to whole blocks, and its `ground` elsewhere."""
    if not clear:
        return ground
    height, width = gray.shape
    kept = np.zeros((-(-height // BLOCK_PX) * BLOCK_PX, -(-width // BLOCK_PX) * BLOCK_PX), np.uint8)
    for region in clear:
        cv2.fillConvexPoly(kept, np.array(region, np.int32), 1)
    rows, columns = kept.shape[0] // BLOCK_PX, kept.shape[1] // BLOCK_PX
    blocks = kept.reshape(rows, BLOCK_PX, columns, BLOCK_PX).max(axis=(1, 3))
    mask = blocks.repeat(BLOCK_PX, axis=0).repeat(BLOCK_PX, axis=1)[:height, :width]
    return np.where(mask.astype(bool), gray, ground)


def ground_of(gray: Gray) -> Gray:
    """Return what a picture may keep outside its codes: cells of sixteen grays, drawn smooth."""
    height, width = gray.shape
    cell_px = max(SMALLEST_CELL_PX, max(height, width) / CELLS_ACROSS)
    size = (max(1, round(width / cell_px)), max(1, round(height / cell_px)))
    cells = cv2.resize(np.ascontiguousarray(gray), size, interpolation=cv2.INTER_AREA)
    coarse = cells // GRAY_STEP * GRAY_STEP + GRAY_STEP // 2
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).view(np.uint8)


class _Waiting(msgspec.Struct):
    frame: Frame
    gray: Gray | None
    """None if the frame is no picture."""
    seen: list[Region]


class PrivateRecorder:
    """Blurs frames and hands them to a recorder, a few frames late.

    A code that is lost for some frames and found again at about the same place was there in
    between: it is kept in those frames, too. Before it was first seen and after it was last seen
    everything is blurred: a face may have been there.

    :param reach_frames: up to how many frames a code may be lost and still be kept.
    :param locate: finds places that look like a code, of which those are kept that surely do.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        reach_frames: int = REACH_FRAMES,
        locate: Locate | None = candidates,
    ) -> None:
        self._recorder = recorder
        self._reach = reach_frames
        self._before: deque[list[Region]] = deque(maxlen=reach_frames)
        self._waiting: deque[_Waiting] = deque()
        self._ground: Gray | None = None
        self._ground_ns = 0
        self._look: Look | None = None
        self._taken = 0
        # By a clock of its own making: what is kept depends on the frames alone, not on the load.
        self._reader = FrameReader(
            "", _ticking().__next__, attention=_EVERY_FRAME, locate=locate, looked=self._looked
        )
        self.with_code = 0
        """Frames so far in which something was kept."""
        self.damaged = 0
        """Frames that are no picture: their bytes are not kept either."""

    def add(self, frame: Frame) -> bool:
        """Take one frame; return False once the recording is full.

        :raises RecordingError: the medium is full or fails.
        """
        self._waiting.append(self._regarded(frame))
        return len(self._waiting) <= self._reach or self._write_first()

    def finish(self) -> None:
        """Write the frames that waited for their successors.

        :raises RecordingError: the medium is full or fails.
        """
        while self._waiting and self._write_first():
            pass
        self._waiting.clear()

    def _looked(self, look: Look) -> None:
        self._look = look

    def _regarded(self, frame: Frame) -> _Waiting:
        self._look = None
        self._taken += 1
        try:
            self._reader.read(frame, self._taken)  # whatever its stamp says, it is looked at
        except PictureError:
            self.damaged += 1
            return _Waiting(frame, None, [])
        look: Look | None = self._look
        if look is None:
            msg = "a frame was not looked at although each is to be"
            raise AssertionError(msg)
        quads = [sighting.quad for sighting in look.sightings]
        quads += likely_codes(look.gray, look.candidates)
        return _Waiting(frame, look.gray, [region_of(quad) for quad in quads[:MAX_REGIONS]])

    def _write_first(self) -> bool:
        first = self._waiting.popleft()
        clear = [*first.seen, *self._bridged(first)][:MAX_REGIONS]
        self._before.append(first.seen)
        frame = msgspec.structs.replace(first.frame, label="")
        if first.gray is None:
            empty = msgspec.structs.replace(frame, data=b"", encoding=Encoding.MJPEG)
            return self._recorder.add(empty, "")
        self.with_code += bool(clear)
        height, width = first.gray.shape
        picture = blurred(first.gray, self._ground_at(frame.captured_ns, first.gray), clear)
        return self._recorder.add(
            msgspec.structs.replace(
                frame,
                data=_jpeg(picture),
                encoding=Encoding.MJPEG,
                width_px=width,
                height_px=height,
            ),
            written(clear),
        )

    def _bridged(self, first: _Waiting) -> list[Region]:
        """Return where a code was before and is again, and this frame did not show it."""
        after = [waiting.seen for waiting in list(self._waiting)[: self._reach]]
        found = []
        for back, earlier in enumerate(reversed(self._before), 1):
            for ahead, later in enumerate(after, 1):
                if back + ahead > self._reach + 1:
                    break
                found += [
                    _hull(np.array(one + other, np.int32))
                    for one in earlier
                    for other in later
                    if _meet(one, other) and not any(_meet(one, seen) for seen in first.seen)
                ]
            if found:
                return found
        return found

    def _ground_at(self, now_ns: int, gray: Gray) -> Gray:
        ground = self._ground
        if (
            ground is None
            or ground.shape != gray.shape
            or not 0 <= now_ns - self._ground_ns < RENEWED_EVERY_NS
        ):
            ground = self._ground = ground_of(gray)
            self._ground_ns = now_ns
        return ground


def _ticking() -> Iterator[int]:
    """Return a clock on which each step of the ladder takes milliseconds, as on a real one."""
    return itertools.count(0, STEP_NS)


def _meet(one: Region, other: Region) -> bool:
    area, _ = cv2.intersectConvexConvex(np.array(one, np.float32), np.array(other, np.float32))
    return area > 0


def _hull(points: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> Region:
    hull = cv2.convexHull(points).reshape(-1, 2)
    return tuple((int(x), int(y)) for x, y in hull)


def _jpeg(gray: Gray) -> bytes:
    _, encoded = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
