"""The synthetic camera: a gate in front of a lens, as motion JPEG."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraError, CameraExhaustedError, CameraLostError, RecordingError
from scanner.scenes.actor import Actor
from scanner.scenes.backdrop import Backdrop
from scanner.scenes.presentation import Presentation
from scanner.scenes.sprite import Picture


class SceneCamera:
    """A camera that sees `presentations` one after another, `pause_s` of empty room before each.

    Stands behind the Camera port. Frames are due at `fps`: each is drawn ahead, then awaited by
    `sleep`, then stamped, so that the cost of drawing is no latency. A reader that comes late
    loses frames, as with a real camera: `sequence` then has a gap. What is drawn depends only on
    the presentations, on `rng` and on the frame's number. The camera is exhausted once the
    presentations are. Opening it again begins with the presentation that was interrupted.
    """

    def __init__(
        self,
        presentations: Iterator[Presentation],
        *,
        rng: random.Random,
        monotonic_ns: Callable[[], int],
        sleep: Callable[[float], None],
        fps: float = 30.0,
        size: tuple[int, int] = (1280, 720),
        pause_s: float = 0.4,
        quality: int = 80,
    ) -> None:
        self._presentations = presentations
        self._rng = rng
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._fps = fps
        self._width, self._height = size
        self._pause_s = pause_s
        self._encoding = [
            cv2.IMWRITE_JPEG_QUALITY, quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]  # fmt: skip
        self._canvas: Picture = np.empty((0, 0, 3), np.uint8)
        self._backdrop: Backdrop | None = None
        self._actor: Actor | None = None
        self._begins_s = 0.0
        self._opened_ns = 0
        self._sequence = 0
        self._is_open = False
        self.shown = 0
        """How many presentations are over."""

    def open(self) -> None:
        """Draw the room and begin with a pause.

        :raises CameraError: if the size or the rate is out of range.
        """
        if not (320 <= self._width <= 3840 and 240 <= self._height <= 2160 and self._fps > 0):
            msg = f"no scene of {self._width} × {self._height} at {self._fps} frames a second"
            raise CameraError(msg, hint="use 320 × 240 to 3840 × 2160 pixels")
        if self._backdrop is None:
            noise = np.random.default_rng(self._rng.getrandbits(64))
            self._backdrop = Backdrop(self._width, self._height, noise)
            self._canvas = np.empty((self._height, self._width, 3), np.uint8)
        self._begins_s = self._pause_s
        self._sequence = 0
        self._opened_ns = self._monotonic_ns()
        self._is_open = True

    def read(self) -> Frame:
        """Return the next frame once it is due.

        :raises CameraExhaustedError: everybody has been seen.
        :raises CameraLostError: the camera is not open, or the next text fits no code; opened
            again it goes on with the one after.
        """
        if not self._is_open or self._backdrop is None:
            raise CameraLostError("the synthetic camera is not open")
        self._skip_missed()
        sequence = self._sequence
        at_s = sequence / self._fps
        self._backdrop.draw(self._canvas, at_s, sequence)
        person = self._person_at(at_s)
        if at_s >= self._begins_s:
            person.draw(self._canvas, at_s - self._begins_s)
        _, encoded = cv2.imencode(".jpg", self._canvas, self._encoding)
        self._await(sequence)
        self._sequence += 1
        return Frame(
            data=encoded.tobytes(),
            encoding=Encoding.MJPEG,
            width_px=self._width,
            height_px=self._height,
            captured_ns=self._monotonic_ns(),
            sequence=sequence,
        )

    def close(self) -> None:
        """End the scene. Closing a closed camera does nothing."""
        self._is_open = False

    def _person_at(self, at_s: float) -> Actor:
        """Return whoever comes, stands or leaves at `at_s`.

        The next person is painted as the one before leaves: it takes longer than a frame, and
        nobody misses a frame of an empty room.
        """
        if self._actor is not None and at_s >= self._begins_s + self._actor.presentation.lasts_s:
            self._actor = None
            self._begins_s = at_s + self._pause_s
            self.shown += 1
        if self._actor is None:
            following = next(self._presentations, None)
            if following is None:
                raise CameraExhaustedError("everybody of this scene has been seen")
            try:
                self._actor = Actor(following, self._width, self._height, self._rng)
            except RecordingError as error:
                msg = f"the synthetic camera cannot show a presentation: {error}"
                raise CameraLostError(msg, hint=error.hint) from error
        return self._actor

    def _due_ns(self, sequence: int) -> int:
        return self._opened_ns + int(sequence * 1e9 / self._fps)

    def _skip_missed(self) -> None:
        """Lose the frames whose time, and that of the frame after them, has passed."""
        late_ns = self._monotonic_ns() - self._due_ns(self._sequence + 1)
        if late_ns > 0:
            self._sequence += int(late_ns * self._fps / 1e9) + 1

    def _await(self, sequence: int) -> None:
        early_ns = self._due_ns(sequence) - self._monotonic_ns()
        if early_ns > 0:
            self._sleep(early_ns / 1e9)
