"""Attention: which frames are worth a decoder's time.

An empty scene is glanced at twice a second and costs almost nothing in between; whatever moves is
looked at in every frame until it has been still for a while, so that someone who comes to rest
with a difficult code gets all rungs of the ladder.
"""

from __future__ import annotations

from enum import IntEnum

import cv2
import msgspec
import numpy as np

from scanner.camera.port import Gray
from scanner.camera.regions import Region

_STRIDE = 8
_NOISE_FLOOR = 15
_NOISE_FACTOR = 4.0
_CEILING = 60
_NEARLY_ALL = 0.6
"""Movement in a larger share of the picture than this says nothing about where to look."""
_JUMP_MEMORY = 0.02
"""How fast it is learnt by how much sizes differ where nothing moves (flicker, noise)."""
_JUMP_FACTOR = 4.0
_LARGEST_JUMP = 0.015
"""A jump in size by this share counts, however much sizes vary: misses cost more than frames."""


class Interest(IntEnum):
    """What a frame is worth."""

    NONE = 0
    """Nothing has changed."""
    GLANCE = 1
    """A forced look at a still scene: what is cheap."""
    KEEN = 2
    """Something moves, or did lately: whatever the budget allows."""


class AttentionPolicy(msgspec.Struct, frozen=True, gc=False):
    """How eagerly a camera is watched. Times in nanoseconds of the monotonic clock."""

    forced_look_ns: int = 500_000_000
    """A look is due after this long, whatever moves: the gate may have missed something."""
    keen_look_ns: int = 6_000_000_000
    """A look at a still scene is a keen one after this long: what lies there may be difficult."""
    hold_ns: int = 1_500_000_000
    """How long attention stays after the last movement or reading."""
    idle_decode_ns: int = 66_000_000
    """While idle, compressed frames are decompressed no more often than this..."""
    size_jump: float = 0.0015
    """...unless their size in bytes jumps by this share, and by more than it usually varies: a
    changed scene compresses differently."""
    moved_share: float = 0.0008
    """Share of sampled pixels that must change for movement (a card at 2 m is about 0.3 %)."""


class Attention:
    """Decides for one camera, frame by frame. Pure but for its own memory; time is passed in."""

    def __init__(self, policy: AttentionPolicy | None = None) -> None:
        self._policy = policy or AttentionPolicy()
        self._reference: Gray | None = None
        self._attentive_until_ns = -1
        self._looked_ns: int | None = None
        self._decoded_ns: int | None = None
        self._keen_ns: int | None = None
        self._decoded_size = 0
        self._usual_jump = 0.0
        self._moving: Region | None = None

    @property
    def moving(self) -> Region | None:
        """Where something moved since attention rose; None if nowhere, or nearly everywhere."""
        return self._moving

    def worth_decoding(self, size_bytes: int, now_ns: int) -> bool:
        """Whether a compressed frame of `size_bytes` is worth decompressing at all."""
        idle = now_ns > self._attentive_until_ns
        jumped = self._size_jumped(size_bytes, learn=idle)
        due = self._decoded_ns is None or now_ns - self._decoded_ns >= self._policy.idle_decode_ns
        if idle and not due and not jumped:
            return False
        self._decoded_ns = now_ns
        self._decoded_size = size_bytes
        return True

    def worth_looking(self, gray: Gray, now_ns: int) -> Interest:
        """Return whether to run the decoder on this frame, and how far to go."""
        thumbnail = np.ascontiguousarray(gray[::_STRIDE, ::_STRIDE])
        reference, was_attentive = self._reference, now_ns <= self._attentive_until_ns
        if reference is None or reference.shape != thumbnail.shape:
            moved, self._moving = True, None
        else:
            changed = _changed(reference, thumbnail)
            moved = cv2.countNonZero(changed) > self._policy.moved_share * changed.size
            if moved:
                self._track_movement(changed, gray, anew=not was_attentive)
            elif not was_attentive:
                self._moving = None
        if moved:
            self._attentive_until_ns = now_ns + self._policy.hold_ns
        interest = self._interest(now_ns)
        if interest is not Interest.NONE:
            # Compared with the last frame that was looked at, not with the one before: slow
            # movement adds up until it counts.
            self._reference = thumbnail
            self._looked_ns = now_ns
        if interest is Interest.KEEN:
            self._keen_ns = now_ns
        return interest

    def saw_code(self, now_ns: int) -> None:
        """Tell that a code was read in this frame: keep watching while it is held up."""
        self._attentive_until_ns = max(self._attentive_until_ns, now_ns + self._policy.hold_ns)

    def _interest(self, now_ns: int) -> Interest:
        if now_ns <= self._attentive_until_ns:
            return Interest.KEEN
        if self._looked_ns is not None and now_ns - self._looked_ns < self._policy.forced_look_ns:
            return Interest.NONE
        keen_due = self._keen_ns is None or now_ns - self._keen_ns >= self._policy.keen_look_ns
        return Interest.KEEN if keen_due else Interest.GLANCE

    def _track_movement(self, changed: Gray, gray: Gray, *, anew: bool) -> None:
        left, top, width, height = cv2.boundingRect(changed)
        region = Region(
            max(0, (left - 1) * _STRIDE),
            max(0, (top - 1) * _STRIDE),
            min(gray.shape[1], (left + width + 1) * _STRIDE),
            min(gray.shape[0], (top + height + 1) * _STRIDE),
        )
        if not anew and self._moving is not None:
            region = region.joined(self._moving)
        elif not anew:  # it was nearly everywhere already
            return
        self._moving = region if region.pixels < _NEARLY_ALL * gray.size else None

    def _size_jumped(self, size_bytes: int, *, learn: bool) -> bool:
        """Return whether a frame's size differs from the last one's that the gate has seen."""
        seen = self._decoded_size
        jump = abs(size_bytes - seen)
        noise = min(_JUMP_FACTOR * self._usual_jump, _LARGEST_JUMP * seen)
        threshold = max(self._policy.size_jump * seen, noise)
        if learn:
            self._usual_jump += _JUMP_MEMORY * (min(jump, threshold) - self._usual_jump)
        return jump > threshold


def _changed(reference: Gray, thumbnail: Gray) -> Gray:
    difference = cv2.absdiff(reference, thumbnail)
    # A dark scene is noisy all over: what counts as change rises with the mean difference, up to
    # a ceiling, so that somebody who fills the frame still counts.
    noise = float(cv2.mean(difference)[0])
    threshold = min(_NOISE_FLOOR + _NOISE_FACTOR * noise, _CEILING)
    return cv2.threshold(difference, threshold, 255, cv2.THRESH_BINARY)[1].astype(
        np.uint8, copy=False
    )
