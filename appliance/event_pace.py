"""How often what happens at a gate is written down singly: no chattering contact fills a disk."""

from __future__ import annotations

BURST = 10
EVERY_NS = 10_000_000_000


class EventPace:
    """A bucket for each kind: `burst` at once, then one in `every_ns`. Stamps are monotonic."""

    def __init__(self, burst: int = BURST, every_ns: int = EVERY_NS) -> None:
        self._burst = burst
        self._every_ns = every_ns
        self._full_ns: dict[str, int] = {}

    def take(self, kind: str, now_ns: int) -> bool:
        """Return whether one more of this kind may be written down now, and count it if so.

        >>> pace = EventPace(burst=2, every_ns=10)
        >>> [pace.take("forced", now_ns) for now_ns in (0, 0, 0, 9, 10, 11)]
        [True, True, False, False, True, False]
        """
        full_ns = max(self._full_ns.get(kind, now_ns), now_ns)
        if full_ns - now_ns > (self._burst - 1) * self._every_ns:
            return False
        self._full_ns[kind] = full_ns + self._every_ns
        return True
