"""Where the last codes will be in the next picture."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from scanner.camera.port import Gray
from scanner.camera.regions import Region, around, centre_of, shifted
from scanner.camera.sighting import Sighting

MARGIN = 0.25
"""Share of a code's size that it may have moved beside its course, or grown."""
EXPIRY_NS = 400_000_000
MAX_MISSES = 6
"""A code that was not read for so long, or in so many looks, has left."""


class Tracked(msgspec.Struct, frozen=True, gc=False):
    """A code that was read lately, and how fast it moves in pixels per nanosecond."""

    sighting: Sighting
    seen_ns: int
    velocity: tuple[float, float] = (0.0, 0.0)
    misses: int = 0


class Tracker:
    """Follows the codes of one camera. Pure but for its memory; time is passed in."""

    def __init__(self) -> None:
        self._tracked: dict[str, Tracked] = {}

    def __len__(self) -> int:
        """Return how many codes are followed."""
        return len(self._tracked)

    def expected(self, gray: Gray, now_ns: int) -> list[tuple[Tracked, Region]]:
        """Return where to look for each code in this picture, the largest code first."""
        tracked = sorted(self._tracked.values(), key=lambda each: -each.sighting.area_px)
        return [(each, self._region(each, gray, now_ns)) for each in tracked]

    def saw(self, sightings: Iterable[Sighting], now_ns: int) -> None:
        """Take what was read in the picture at `now_ns`; forget what has left."""
        seen = {sighting.text: self._followed(sighting, now_ns) for sighting in sightings}
        missed = {
            text: msgspec.structs.replace(each, misses=each.misses + 1)
            for text, each in self._tracked.items()
            if text not in seen
            and abs(now_ns - each.seen_ns) <= EXPIRY_NS
            and each.misses + 1 < MAX_MISSES
        }
        self._tracked = seen | missed

    def follow(self, sighting: Sighting, seen_ns: int) -> None:
        """Take a code that was read late, unless it was seen since."""
        last = self._tracked.get(sighting.text)
        if last is None or last.seen_ns < seen_ns:
            self._tracked[sighting.text] = Tracked(sighting, seen_ns)

    def _followed(self, sighting: Sighting, now_ns: int) -> Tracked:
        last = self._tracked.get(sighting.text)
        elapsed_ns = now_ns - last.seen_ns if last is not None else 0
        if last is None or not 0 < elapsed_ns <= EXPIRY_NS:
            return Tracked(sighting, now_ns)
        (x, y), (last_x, last_y) = centre_of(sighting.quad), centre_of(last.sighting.quad)
        velocity = (x - last_x) / elapsed_ns, (y - last_y) / elapsed_ns
        return Tracked(sighting, now_ns, velocity)

    @staticmethod
    def _region(tracked: Tracked, gray: Gray, now_ns: int) -> Region:
        elapsed_ns = min(max(0, now_ns - tracked.seen_ns), EXPIRY_NS)
        right, down = (speed * elapsed_ns for speed in tracked.velocity)
        # Whoever stops instead of going on is found, too: the margin grows with the prediction.
        doubt_px = 1 + max(abs(right), abs(down)) / 2
        return around(shifted(tracked.sighting.quad, right, down), gray, MARGIN, doubt_px)
