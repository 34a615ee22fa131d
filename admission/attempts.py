"""Guessing at numbers: counted per lane, slowed, and told to an officer. Pure, no clock.

A number that somebody keys in is short, and so can be tried. Ten million codes of the kind sent by
SMS, among 9·10⁹, are one in 900; ten million backup numbers, among 9·10¹², one in 900,000. With
the default limits a lane looks up at most 60 wrong numbers in any 24 hours. Somebody who
tries all of them, with nobody coming to look, has found a code with a probability of

    1 - (1 - 1/900)⁶⁰     = 6.5 %     for SMS codes
    1 - (1 - 1/900,000)⁶⁰ = 0.0067 %  for backup numbers

and before the first alert, after five, with 0.55 % and 0.00056 %. Each lane counts for itself:
somebody who walks through ten lanes has ten times the tries, and ten alerts. A million SMS codes
instead of ten make it 0.66 %: a code that is no longer wanted should be withdrawn.

What counts as wrong is a number of one of these two kinds of which the replica knows nothing. A
wrong check digit does not: such a number is never looked up, so it tells nobody anything, and
people who mistype are not to be punished. Neither does it matter how the number came in: a
telephone shows QR codes with numbers in them faster than anybody types. Codes of other kinds are
never slowed, nor counted. A right number forgives nothing: otherwise a guesser would put an own
one in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from admission.credential import Credential, CredentialKind
from admission.logged_passage import LoggedPassage
from admission.passage import Event
from admission.verdict import Reason

GUESSABLE = frozenset({CredentialKind.TYPED_CODE, CredentialKind.BACKUP_NUMBER})
_SECOND_NS = 1_000_000_000
_DAY_NS = 86_400 * _SECOND_NS
_MAX_DOUBLINGS = 32


def guessable(credential: Credential) -> bool:
    """Return whether this is a number that can be tried: the kinds that are slowed."""
    return credential.kind in GUESSABLE


def is_wrong_number(passage: LoggedPassage) -> bool:
    """Return whether an entry tells of such a number that was looked up and found nowhere."""
    return (
        passage.kind in GUESSABLE
        and passage.event is Event.SCAN
        and Reason.NO_RECORD in passage.reasons
    )


class AttemptLimits(msgspec.Struct, frozen=True, gc=False):
    """When a lane stops taking numbers, and for how long.

    `wrong` wrong ones within `window_s` hold the lane off for `first_hold_s`, and each time again
    for twice as long, up to `longest_hold_s`; the doubling is taken back by one step for each
    `calm_s` in which the lane was not held off. `wrong_per_day` of them within any 24 hours hold it
    off until the oldest is a day old.

    :raises ValueError: if a limit is not positive, the holds contradict each other, or a day may
        have fewer than `wrong` or more than 10,000.
    """

    wrong: int = 5
    window_s: int = 120
    first_hold_s: int = 30
    longest_hold_s: int = 900
    calm_s: int = 3_600
    wrong_per_day: int = 60

    def __post_init__(self) -> None:
        positive = min(self.wrong, self.window_s, self.first_hold_s, self.calm_s) > 0
        ordered = self.first_hold_s <= self.longest_hold_s
        if not positive or not ordered or not self.wrong <= self.wrong_per_day <= 10_000:
            raise ValueError("these limits on wrong numbers contradict each other")


class Attempts:
    """The wrong numbers of one lane. Memory is bounded by `AttemptLimits.wrong_per_day`.

    Stamps are monotonic nanoseconds; one that goes back counts as the latest that was seen. After a
    restart `recalled` counts again what the journal tells of.
    """

    def __init__(self, limits: AttemptLimits | None = None) -> None:
        self._limits = limits or AttemptLimits()
        self._wrong_ns: deque[int] = deque(maxlen=self._limits.wrong_per_day)
        self._now_ns: int | None = None
        self._held_until_ns: int | None = None
        self._doublings = 0

    @classmethod
    def recalled(cls, stamps_ns: Iterable[int], limits: AttemptLimits | None = None) -> Attempts:
        """Return the lane as wrong numbers at these moments, ascending, have left it."""
        lane = cls(limits)
        for stamp_ns in stamps_ns:
            lane.wrong(stamp_ns)
        return lane

    def __len__(self) -> int:
        """Return how many wrong numbers are remembered."""
        return len(self._wrong_ns)

    def held_off(self, now_ns: int) -> bool:
        """Return whether the lane takes no numbers now (`Presence.held_off`)."""
        return self.held_for_ns(now_ns) > 0

    def held_for_ns(self, now_ns: int) -> int:
        """Return for how long from now on the lane takes no numbers, 0 if it does."""
        now_ns = self._latest(now_ns)
        until_ns = self._held_until_ns if self._held_until_ns is not None else now_ns
        if len(self._wrong_ns) == self._limits.wrong_per_day:
            until_ns = max(until_ns, self._wrong_ns[0] + _DAY_NS)
        return max(0, until_ns - now_ns)

    def wrong(self, now_ns: int) -> bool:
        """Count one number that was looked up and not found; return whether an alert is due.

        True is returned for the one number that makes the lane be held off, so once per hold. A
        number that comes while the lane is held off is not to be looked up, and is not counted.

        >>> lane = Attempts(AttemptLimits(wrong=2, first_hold_s=30))
        >>> lane.wrong(0), lane.wrong(1_000_000_000), lane.held_for_ns(1_000_000_000) / 1e9
        (False, True, 30.0)
        """
        now_ns = self._latest(now_ns)
        if self.held_off(now_ns):
            return False
        self._wrong_ns.append(now_ns)
        since_ns = now_ns - self._limits.window_s * _SECOND_NS
        if self._held_until_ns is not None:
            since_ns = max(since_ns, self._held_until_ns - 1)
        if sum(stamp_ns > since_ns for stamp_ns in self._wrong_ns) >= self._limits.wrong:
            self._hold(now_ns)
        return self.held_off(now_ns)

    def _hold(self, now_ns: int) -> None:
        limits = self._limits
        if self._held_until_ns is not None:
            calm = (now_ns - self._held_until_ns) // (limits.calm_s * _SECOND_NS)
            self._doublings = max(0, self._doublings - calm)
        hold_s = min(limits.longest_hold_s, limits.first_hold_s << self._doublings)
        self._held_until_ns = now_ns + hold_s * _SECOND_NS
        self._doublings = min(self._doublings + 1, _MAX_DOUBLINGS)

    def _latest(self, now_ns: int) -> int:
        self._now_ns = now_ns if self._now_ns is None else max(now_ns, self._now_ns)
        return self._now_ns
