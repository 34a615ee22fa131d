"""Whether somebody passed: what a turnstile's sensor says of each gate that was opened."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from admission.journal_record import FollowupKind
from admission.passage import Passage
from admission.people import Token
from admission.ports import Clock
from admission.site import Direction
from admission.zone import Zone
from appliance.entry_log import EntryLog


class _Opened(msgspec.Struct, frozen=True):
    token: Token | None
    direction: Direction
    sequence: int
    at_ns: int
    window: asyncio.TimerHandle


class PassageWatch:
    """Waits, after each ADMIT of one lane, for the edge of its passage sensor.

    Somebody passed: that is noted. Nobody did within the window: that is noted, and the zone takes
    the passage back. People pass in the order in which they were admitted.

    :param fitted: whether the board has a sensor for this lane's direction; without one nothing is
        known, and nothing is noted.
    :param window_s: how long a turnstile stays unlocked for one passage.
    """

    def __init__(
        self,
        log: EntryLog,
        zone: Zone,
        clock: Clock,
        *,
        fitted: Callable[[], bool],
        window_s: float,
    ) -> None:
        self._log = log
        self._zone = zone
        self._clock = clock
        self._fitted = fitted
        self._window_s = window_s
        self._opened: deque[_Opened] = deque()

    def admitted(self, entry: Passage, token: Token | None, sequence: int) -> None:
        """Take note of a gate that has been opened for this entry."""
        if not self._fitted():
            return
        window = asyncio.get_running_loop().call_later(self._window_s, self._missed, sequence)
        now_ns = self._clock.now().monotonic_ns
        self._opened.append(_Opened(token, entry.direction, sequence, now_ns, window))

    def sensed(self) -> None:
        """Take note of one edge of the sensor. One that nobody was admitted for is not ours."""
        if self._opened:
            opened = self._opened.popleft()
            opened.window.cancel()
            self._note(FollowupKind.PASSED, opened)

    def _missed(self, sequence: int) -> None:
        for opened in [one for one in self._opened if one.sequence == sequence]:
            self._opened.remove(opened)
            self._note(FollowupKind.NOT_PASSED, opened)
            self._zone.turned_back(
                opened.token, opened.direction, opened.sequence, self._clock.now()
            )

    def _note(self, kind: FollowupKind, opened: _Opened) -> None:
        after_ns = self._clock.now().monotonic_ns - opened.at_ns
        self._log.follow(kind, opened.sequence, after_ns)
