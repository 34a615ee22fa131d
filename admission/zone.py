"""The zone behind the lanes of one appliance: who is inside, and who passed when. No clock.

What is counted, and to which side it errs:

- A person counts once, however often they enter. The person is known by the entry's token alone
  (`Passage.token`). Whom none tells of, or one of a key that is gone, is counted without a name.
- Somebody who leaves and is not known inside takes one of those off who are counted without a name
  (an officer corrected the count), and nothing if there are none: the count is never negative.
- Somebody who has been admitted and has not passed yet is counted already (`reserve`), so that two
  lanes do not give the last place away twice, nor let one code pass twice at once.
- Of more than `capacity` people the one who passed longest ago is forgotten: still counted inside,
  without a name. The count can only be too high by that; anti-passback forgets that one person.

Ages are differences of the monotonic clock. What a former boot wrote down is placed on it by the
wall clock, once, as soon as somebody vouches for the date; until then, and for entries without a
trusted date for ever, it counts as having happened at the start. A step of the wall clock thereby
changes no age: nothing that was let go comes back, and no age is negative.
"""

from __future__ import annotations

from collections.abc import Iterable

from admission.instant import ClockTrust, Instant
from admission.journal_record import Followup, FollowupKind
from admission.logged_passage import LoggedPassage, ZonePassage
from admission.passage import Event, Passage
from admission.people import MAX_PEOPLE, Count, People, Token, When
from admission.presence import Presence
from admission.reset import DailyReset
from admission.site import Direction
from admission.verdict import Outcome

Seen = LoggedPassage | ZonePassage
"""A passage, as far as it was read back."""
ANNULS = frozenset({FollowupKind.NOT_ACTUATED, FollowupKind.NOT_PASSED, FollowupKind.WITHHELD})
"""What followed on an ADMIT by which nobody passed."""


def token_of(entry: Passage | Seen) -> Token | None:
    """Return whom an entry is of, None for a code that is nobody's."""
    return entry.token


def count_note(inside: int, workers: int) -> str:
    """Return the note of an entry by which an officer corrects the count (`Event.COUNT`).

    >>> counted(count_note(12, 3))
    Count(inside=12, workers=3)
    """
    return f"{inside} {workers}"


def counted(note: str) -> Count | None:
    """Return the count that a note states, None for any other text."""
    words = note.split(" ")
    if len(words) != 2 or not all(w.isascii() and w.isdecimal() and len(w) <= 6 for w in words):
        return None
    inside, workers = int(words[0]), int(words[1])
    return Count(inside, workers) if workers <= inside <= MAX_PEOPLE else None


class Zone:
    """Who is inside, and who passed when: one per appliance, shared by its lanes.

    All instants are of one boot; what came before it is told by `rebuilt`.
    """

    def __init__(self, reset: DailyReset, capacity: int = MAX_PEOPLE) -> None:
        """Start with nobody inside.

        :param reset: when the zone forgets everything, every day; not while the clock is undated.
        :raises ValueError: if `capacity` is not positive.
        """
        self._reset = reset
        self._people = People(capacity)
        self._reserved: list[tuple[Token | None, Direction, bool]] = []
        self._ordinal: int | None = None
        self._settled_ns = (0, 0)  # from that reset up to the next one, no other is due

    @classmethod
    def rebuilt(
        cls,
        records: Iterable[tuple[int, Seen | Followup]],
        reset: DailyReset,
        *,
        site: str,
        now: Instant,
        named_from: int = 0,
        capacity: int = MAX_PEOPLE,
    ) -> Zone:
        """Return the zone that these records tell of: sequence and record, ascending.

        An ADMIT counts as passed unless something says that nobody did (`ANNULS`): the count may be
        too high by that, not too low. Records of another site, or from before the last reset, do
        not count.

        :param named_from: records before this sequence hold tokens of a key that is gone, those of
            each boot of another one: who is inside by them is counted without a name.
        """
        zone = cls(reset, capacity)
        latest = reset.latest(now)
        since_ns = None if latest is None else _moment_ns(latest.wall_ns, now)
        told = list(records)
        annulled = {
            one.about for _, one in told if isinstance(one, Followup) and one.kind in ANNULS
        }
        boot: str | None = None  # of the records before, where they hold tokens of another key
        for sequence, record in told:
            if isinstance(record, Followup) or record.site != site:
                continue
            if boot is not None and (sequence >= named_from or record.boot_id != boot):
                zone._people.lose_names()
            boot = record.boot_id if sequence < named_from else None
            if sequence in annulled and record.outcome is Outcome.ADMIT:
                continue
            when = _moment_of(record, now)
            if since_ns is None or when.at_ns >= since_ns:
                zone._recall(sequence, record, when)
        if boot is not None:
            zone._people.lose_names()
        zone._settle(now)
        return zone

    def __len__(self) -> int:
        """Return how many people are remembered."""
        return len(self._people)

    def count(self, now: Instant) -> Count:
        """Return how many are inside, those who were admitted a moment ago included."""
        self._settle(now)
        if not self._reserved:
            return self._people.count
        coming = [(token, worker) for token, way, worker in self._reserved if way is Direction.IN]
        known = {token: worker for token, worker in coming if token is not None}
        new = [worker for token, worker in known.items() if not self._is_inside(token)]
        new += [worker for token, worker in coming if token is None]
        settled = self._people.count
        return Count(settled.inside + len(new), settled.workers + sum(new))

    def presence_of(
        self,
        token: Token | None,
        direction: Direction,
        now: Instant,
        *,
        used: bool = False,
        held_off: bool = False,
    ) -> Presence:
        """Return the zone as this person finds it at a lane of this direction.

        :param token: None for a code that is nobody's.
        """
        count = self.count(now)
        ago_ns: int | None = None
        person = None if token is None else self._people.get(token)
        last = person.last(direction) if person else None
        if last is not None:
            ago_ns = max(0, now.monotonic_ns - last.at_ns)
        for other, way, _ in self._reserved:
            if token is not None and other == token and way is direction:
                ago_ns = 0
        return Presence(direction, count.inside, count.workers, ago_ns, used, held_off)

    def reserve(self, token: Token | None, direction: Direction, *, worker: bool) -> None:
        """Count somebody who has been admitted, until `release`."""
        self._reserved.append((token, direction, worker))

    def release(self, token: Token | None, direction: Direction, *, worker: bool) -> None:
        """End what `reserve` began, whether or not the person passed."""
        self._reserved.remove((token, direction, worker))

    def passed(
        self,
        token: Token | None,
        direction: Direction,
        *,
        worker: bool,
        now: Instant,
        sequence: int = 0,
    ) -> None:
        """Count somebody who was let pass: the entry is durable and the light acknowledged.

        :param sequence: of that entry, by which `turned_back` may name it; 0 = not to be named.
        """
        self._settle(now)
        self._people.passed(token, direction, worker, When(now.monotonic_ns), sequence)

    def turned_back(
        self, token: Token | None, direction: Direction, about: int, now: Instant
    ) -> None:
        """Take a passage back whose person an officer stopped behind the light.

        :param about: sequence of the entry that let them pass; of a later passage, nothing changes.
        """
        self._settle(now)
        if token is not None:
            self._people.take_back(token, direction, about)

    def lose_names(self, now: Instant) -> None:
        """Count everybody who is inside without a name: tokens from here on are of another key."""
        self._settle(now)
        self._people.lose_names()

    def set_inside(self, inside: int, workers: int, now: Instant) -> None:
        """Correct the count to what an officer has seen.

        Whoever is too many among the known is taken for gone, the longest inside first; whoever is
        missing is counted without a name.

        :raises ValueError: if these are no counts, or more workers than people.
        """
        if not 0 <= workers <= inside <= MAX_PEOPLE:
            msg = f"{workers} workers of {inside} people is no count"
            raise ValueError(msg)
        self._settle(now)
        self._people.correct(Count(inside, workers), When(now.monotonic_ns))

    def _is_inside(self, token: Token) -> bool:
        person = self._people.get(token)
        return person is not None and person.inside

    def _recall(self, sequence: int, entry: Seen, when: When) -> None:
        people, token = self._people, token_of(entry)
        if entry.event is Event.COUNT:
            count = counted(entry.note)
            if count is not None:
                people.correct(count, when)
        elif entry.outcome is Outcome.ADMIT and (
            entry.event is Event.SCAN or entry.event is Event.OVERRIDE
        ):
            people.passed(token, entry.direction, entry.worker, when, sequence)
        elif entry.event is Event.OVERRIDE and entry.about is not None and token is not None:
            people.take_back(token, entry.direction, entry.about)

    def _settle(self, now: Instant) -> None:
        """Forget what a reset that is due has ended.

        A clock that is set back a little does not bring the same reset about twice; one that was
        far ahead does not put off those to come.
        """
        since_ns, until_ns = self._settled_ns
        if since_ns <= now.wall_ns < until_ns and now.dated:
            return  # asked at every code, while it changes once a day
        latest = self._reset.latest(now)
        if latest is None or self._ordinal == latest.ordinal:
            return
        if self._ordinal is None:
            self._people.place(now.wall_ns - now.monotonic_ns)
        if self._ordinal is None or latest.ordinal > self._ordinal:
            self._people.forget_before(_moment_ns(latest.wall_ns, now))
        elif latest.ordinal == self._ordinal - 1:
            return
        self._ordinal = latest.ordinal
        self._settled_ns = (latest.wall_ns, self._reset.next_ns(latest))


def _moment_ns(wall_ns: int, now: Instant) -> int:
    """Return a moment of the wall clock on the monotonic clock, as both stand now."""
    return now.monotonic_ns - (now.wall_ns - wall_ns)


def _moment_of(entry: Seen, now: Instant) -> When:
    """Return the entry's moment: on this boot's clock, by the dates of both, or at the start.

    Of a former boot it is never later than now: an age is never negative.
    """
    if entry.boot_id == now.boot_id:
        return When(min(entry.monotonic_ns, now.monotonic_ns))
    if entry.clock_trust is ClockTrust.UNKNOWN:
        return When(now.monotonic_ns)
    if not now.dated:
        return When(now.monotonic_ns, entry.wall_ns)
    return When(min(now.monotonic_ns, _moment_ns(entry.wall_ns, now)))
