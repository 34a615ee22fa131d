"""The people of one zone: who is inside by name, how many without one, and who passed when.

A container without a schedule and without a clock, for `admission.zone`. Bounded by `capacity`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import msgspec

from admission.site import Direction

MAX_PEOPLE = 200_000
_WAYS = tuple(Direction)  # iterating the class itself is slow, and done for everybody
Token = int
"""Pseudonym of whom a passage is of (`Passage.token`)."""


class Count(msgspec.Struct, frozen=True, gc=False):
    """How many people are inside, and how many of them are on the site's roster."""

    inside: int
    workers: int


class When(NamedTuple):
    """A moment of the monotonic clock; `wall_ns` where it has to be placed there yet."""

    at_ns: int
    wall_ns: int | None = None

    def placed(self, ahead_ns: int) -> When:
        """Return it on the monotonic clock, of which the wall clock is `ahead_ns` ahead."""
        if self.wall_ns is None:
            return self
        return When(min(self.at_ns, self.wall_ns - ahead_ns))


class Pass(msgspec.Struct, frozen=True, gc=False):
    """One passage: when (as in `When`), under which entry, and whether it changed who is inside."""

    at_ns: int
    wall_ns: int | None
    sequence: int
    moved: bool


class Person(msgspec.Struct, gc=False):
    """One person: on the roster, inside, and the last passages since the reset."""

    worker: bool = False
    inside: bool = False
    entered: Pass | None = None
    left: Pass | None = None

    def last(self, direction: Direction) -> Pass | None:
        """Return the last passage in this direction."""
        return self.entered if direction is Direction.IN else self.left

    def note(self, direction: Direction, one: Pass | None) -> None:
        """Take a passage for the last one in this direction."""
        if direction is Direction.IN:
            self.entered = one
        else:
            self.left = one


class People:
    """All of them. Of more than `capacity` the one who passed longest ago loses the name."""

    def __init__(self, capacity: int = MAX_PEOPLE) -> None:
        """Start with nobody.

        :raises ValueError: if `capacity` is not positive.
        """
        if capacity < 1:
            raise ValueError("capacity is at least 1")
        self._capacity = capacity
        self._people: OrderedDict[Token, Person] = OrderedDict()
        self._named = [0, 0]  # inside by name; others, workers
        self._unnamed = [0, 0]  # counted without a name; others, workers
        self._unnamed_since = When(0)
        self._latest_ns = 0  # no passage is later: at most too late, after moments were placed

    def __len__(self) -> int:
        """Return how many people are remembered."""
        return len(self._people)

    def get(self, token: Token) -> Person | None:
        """Return the person, None if nothing is remembered of them."""
        return self._people.get(token)

    @property
    def count(self) -> Count:
        """How many are inside, with and without a name."""
        workers = self._named[True] + self._unnamed[True]
        return Count(workers + self._named[False] + self._unnamed[False], workers)

    def passed(
        self, token: Token | None, direction: Direction, worker: bool, when: When, sequence: int
    ) -> None:
        """Count one passage; without a token nobody will be known again by it."""
        self._latest_ns = max(self._latest_ns, when.at_ns)
        if token is None:
            self._passed_without_name(direction, worker, when)
            return
        person = self._people.get(token)
        if person is None:
            person = self._people[token] = Person()
        else:
            self._people.move_to_end(token)
        was_inside = person.inside
        self._put(person, inside=direction is Direction.IN, worker=worker)
        moved = was_inside is not person.inside
        if direction is Direction.OUT and not was_inside:
            moved = self._one_without_name_less(worker)
        person.note(direction, Pass(*when, sequence, moved))
        if len(self._people) > self._capacity:
            self._forget_oldest()

    def take_back(self, token: Token, direction: Direction, sequence: int) -> None:
        """Undo the person's last passage in this direction, if it stands under this entry."""
        person = self._people.get(token)
        last = person.last(direction) if person else None
        if person is None or last is None or last.sequence != sequence:
            return
        person.note(direction, None)
        if last.moved:
            self._put(person, inside=direction is Direction.OUT, worker=person.worker)

    def correct(self, count: Count, when: When) -> None:
        """Make the count what it was seen to be.

        Whoever is too many by name is taken for gone, the longest without a passage first; whoever
        is missing is counted without a name.
        """
        targets = (count.inside - count.workers, count.workers)
        for person in self._people.values():
            if person.inside and self._named[person.worker] > targets[person.worker]:
                self._put(person, inside=False, worker=person.worker)
        self._unnamed = [target - named for target, named in zip(targets, self._named, strict=True)]
        self._unnamed_since = when

    def lose_names(self) -> None:
        """Count everybody who is inside without a name from now on, and know nobody again."""
        for person in self._people.values():
            self._lose_name(person)
        self._people.clear()

    def place(self, ahead_ns: int) -> None:
        """Place all on the monotonic clock, of which the wall clock is `ahead_ns` ahead."""
        for person in self._people.values():
            for direction in _WAYS:
                last = person.last(direction)
                if last is not None and last.wall_ns is not None:
                    when = When(last.at_ns, last.wall_ns).placed(ahead_ns)
                    person.note(direction, Pass(*when, last.sequence, last.moved))
        self._unnamed_since = self._unnamed_since.placed(ahead_ns)

    def forget_before(self, moment_ns: int) -> None:
        """Forget everything that happened before a moment of the monotonic clock.

        Somebody inside of whom no entrance is known (an officer turned them back) stays, unless
        nothing at all has happened since.
        """
        if self._latest_ns < moment_ns:  # the daily case, and the quick one
            self._people.clear()
            self._named = [0, 0]
        for token, person in list(self._people.items()):
            if person.entered is not None and person.entered.at_ns < moment_ns:
                self._put(person, inside=False, worker=person.worker)
                person.entered = None
            if person.left is not None and person.left.at_ns < moment_ns:
                person.left = None
            if not person.inside and person.entered is None and person.left is None:
                del self._people[token]
        if self._unnamed_since.at_ns < moment_ns:
            self._unnamed = [0, 0]

    def _put(self, person: Person, *, inside: bool, worker: bool) -> None:
        self._named[person.worker] -= person.inside
        person.inside, person.worker = inside, worker
        self._named[worker] += inside

    def _one_without_name_less(self, worker: bool) -> bool:
        for kind in (worker, False):
            if self._unnamed[kind]:
                self._unnamed[kind] -= 1
                return True
        return False

    def _passed_without_name(self, direction: Direction, worker: bool, when: When) -> None:
        if direction is Direction.OUT:
            self._one_without_name_less(worker)
            return
        self._unnamed[worker] += 1
        self._unnamed_since = max(self._unnamed_since, when, key=lambda one: one.at_ns)

    def _forget_oldest(self) -> None:
        _, person = self._people.popitem(last=False)
        self._lose_name(person)

    def _lose_name(self, person: Person) -> None:
        if not person.inside:
            return
        self._named[person.worker] -= 1
        self._unnamed[person.worker] += 1
        if person.entered is not None:
            entered = When(person.entered.at_ns, person.entered.wall_ns)
            self._unnamed_since = max(self._unnamed_since, entered, key=lambda when: when.at_ns)
