"""Attention: which frames are worth a decoder's time.

An empty scene is looked at twice a second and costs almost nothing in between; whatever moves is
looked at in every frame until it has been still for a while, so that someone who comes to rest
with a difficult code gets all rungs of the ladder.
"""

from __future__ import annotations

import cv2
import msgspec
import numpy as np

from scanner.camera.port import Gray

_STRIDE = 8
_NOISE_FLOOR = 15
_NOISE_FACTOR = 4.0
_CEILING = 60


class AttentionPolicy(msgspec.Struct, frozen=True, gc=False):
    """How eagerly a camera is watched. Times in nanoseconds of the monotonic clock."""

    forced_look_ns: int = 500_000_000
    """A look is due after this long, whatever moves: the gate may have missed something."""
    hold_ns: int = 1_500_000_000
    """How long attention stays after the last movement or reading."""
    idle_decode_ns: int = 66_000_000
    """While idle, compressed frames are decompressed no more often than this..."""
    size_jump: float = 0.015
    """...unless their size in bytes jumps by this share: a changed scene compresses differently."""
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
        self._usual_size = 0.0

    def worth_decoding(self, size_bytes: int, now_ns: int) -> bool:
        """Whether a compressed frame of `size_bytes` is worth decompressing at all."""
        usual, self._usual_size = self._usual_size, self._usual_size or float(size_bytes)
        self._usual_size += 0.1 * (size_bytes - self._usual_size)
        due = self._decoded_ns is None or now_ns - self._decoded_ns >= self._policy.idle_decode_ns
        jumped = abs(size_bytes - usual) > self._policy.size_jump * usual
        if now_ns <= self._attentive_until_ns or due or jumped:
            self._decoded_ns = now_ns
            return True
        return False

    def worth_looking(self, gray: Gray, now_ns: int) -> bool:
        """Whether to run the decoder on this frame: something moved, lately moved, or it is due."""
        thumbnail = np.ascontiguousarray(gray[::_STRIDE, ::_STRIDE])
        reference = self._reference
        if reference is None or reference.shape != thumbnail.shape:
            moved = True
        else:
            moved = _moved_share(reference, thumbnail) > self._policy.moved_share
        if moved:
            self._attentive_until_ns = now_ns + self._policy.hold_ns
        due = self._looked_ns is None or now_ns - self._looked_ns >= self._policy.forced_look_ns
        if now_ns > self._attentive_until_ns and not due:
            return False
        # Compared with the last frame that was looked at, not with the one before: slow movement
        # adds up until it counts.
        self._reference = thumbnail
        self._looked_ns = now_ns
        return True

    def saw_code(self, now_ns: int) -> None:
        """Tell that a code was read in this frame: keep watching while it is held up."""
        self._attentive_until_ns = now_ns + self._policy.hold_ns


def _moved_share(reference: Gray, thumbnail: Gray) -> float:
    difference = cv2.absdiff(reference, thumbnail)
    # A dark scene is noisy all over: what counts as change rises with the mean difference, up to
    # a ceiling, so that somebody who fills the frame still counts.
    noise = float(cv2.mean(difference)[0])
    threshold = min(_NOISE_FLOOR + _NOISE_FACTOR * noise, _CEILING)
    return float(np.count_nonzero(difference > threshold)) / difference.size
