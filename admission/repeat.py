"""One verdict per presentation; one passage per code that counts once. Bounded, no clock."""

from __future__ import annotations

from collections import OrderedDict
from heapq import heappop, heappush

DEFAULT_REARM_NS = 2_000_000_000
CAPACITY = 64
"""Codes of one lane that are remembered at once."""
USED_CAPACITY = 16_384
"""Used codes of one appliance that are remembered at once: at two a second and two minutes of
validity, some 240 are still valid."""


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


class UsedOnce:
    """Tells the first use of a code that counts once (`Credential.once`) from a replay.

    One per appliance, over all lanes. A use stays known for as long as the code is valid, and
    longer while there is room: nothing is forgotten for a clock that jumped ahead. Of more than
    `capacity` codes, the one whose validity ends first is forgotten. Only codes whose proof holds
    are to be recorded, so that nobody can flood it with codes of their own making.
    """

    def __init__(self, capacity: int = USED_CAPACITY) -> None:
        """Start with nothing used.

        :raises ValueError: if `capacity` is not positive.
        """
        if capacity < 1:
            raise ValueError("capacity is at least 1")
        self._capacity = capacity
        self._expires_ns: dict[bytes, int] = {}
        self._by_expiry: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        """Return how many uses are remembered."""
        return len(self._expires_ns)

    def use(self, token: bytes, expires_ns: int) -> bool:
        """Record one use; return whether it is the first.

        :param token: `Credential.once`, not empty.
        :param expires_ns: when the code's validity ends (`Proof.expires_ns`).

        >>> used = UsedOnce()
        >>> used.use(b"A", 60), used.use(b"A", 60), used.give_back(b"A"), used.use(b"A", 60)
        (True, False, None, True)
        """
        if token in self._expires_ns:
            return False
        self._expires_ns[token] = expires_ns
        heappush(self._by_expiry, (expires_ns, token))
        while len(self._expires_ns) > self._capacity:
            self._forget_first()
        if len(self._by_expiry) > 2 * self._capacity:  # what was given back leaves its place here
            self._by_expiry = sorted((at, each) for each, at in self._expires_ns.items())
        return True

    def knows(self, token: bytes) -> bool:
        """Return whether a use of this code is remembered."""
        return token in self._expires_ns

    def give_back(self, token: bytes) -> None:
        """Undo a use that let nobody pass, so that its holder may show the code again."""
        self._expires_ns.pop(token, None)

    def _forget_first(self) -> None:
        expires_ns, token = heappop(self._by_expiry)
        if self._expires_ns.get(token) == expires_ns:
            del self._expires_ns[token]
