"""One verdict per presentation, however many frames the code stays in view."""

from __future__ import annotations

from collections import OrderedDict

DEFAULT_REARM_NS = 2_000_000_000
CAPACITY = 64
"""Codes of one lane that are remembered at once."""


class Presentations:
    """Tells a code's new presentation from another sighting of it. One per lane; no clock.

    A presentation begins with the first sighting and lasts as long as sightings of the same code
    follow one another by at most `rearm_ns`; after a longer gap the code counts as held up anew.
    Several codes in view are independent of each other.

    Stamps are monotonic, and still a driver may hand frames on out of order or start its stamps
    again: a sighting up to `rearm_ns` before the last one belongs to the same presentation, one
    further back is a new one. A person is thereby never ignored for longer than `rearm_ns` after
    the code has left.

    Memory is bounded: of more than `capacity` codes the one that was sighted longest ago is
    forgotten, and counts as new when it is seen again. A flood can cause verdicts to be repeated,
    never to be left out.
    """

    def __init__(self, rearm_ns: int = DEFAULT_REARM_NS, capacity: int = CAPACITY) -> None:
        """Start with nothing in view.

        :raises ValueError: if `rearm_ns` is negative or `capacity` is not positive.
        """
        if rearm_ns < 0 or capacity < 1:
            raise ValueError("rearm_ns is at least 0 and capacity at least 1")
        self._rearm_ns = rearm_ns
        self._capacity = capacity
        self._last_ns: OrderedDict[str | bytes, int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many codes are remembered."""
        return len(self._last_ns)

    def begins_presentation(self, code: str | bytes, captured_ns: int) -> bool:
        """Record one sighting; return whether it begins a presentation.

        :param code: the text that was read, or its digest. It is kept until it is forgotten.
        :param captured_ns: monotonic stamp of the frame (`Reading.captured_ns`).

        >>> held = Presentations(rearm_ns=10)
        >>> [held.begins_presentation("A", at) for at in (0, 5, 15, 26)]
        [True, False, False, True]
        """
        last_ns = self._last_ns.pop(code, None)
        if last_ns is None or abs(captured_ns - last_ns) > self._rearm_ns:
            self._last_ns[code] = captured_ns
            if len(self._last_ns) > self._capacity:
                self._last_ns.popitem(last=False)
            return True
        self._last_ns[code] = max(last_ns, captured_ns)
        return False
