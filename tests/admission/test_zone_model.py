"""Protects the count of people inside, beside a naive model and whatever the clocks do."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from admission.instant import ClockTrust
from admission.journal_record import Followup, FollowupKind
from admission.logged_passage import logged
from admission.passage import Event, Passage
from admission.people import Count
from admission.site import Direction
from admission.verdict import Outcome
from admission.zone import Zone, count_note
from tests.admission.zones import IN, OUT, RESET, entry, rebuilt, recalled
from tests.worlds import ManualClock

NOBODYS = (0, 0, IN, False)


class ZoneMachine(RuleBasedStateMachine):
    """A zone beside a naive model: lists of everything since the reset, counted anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.zone = Zone(RESET)
        self.journal: list[Passage | Followup] = []
        self.key = 0
        self.inside: dict[int, bool] = {}
        self.unnamed = [0, 0]
        self.named_from = 0
        self.passage: tuple[int, int, Direction, bool] | None = None
        self.first = False
        self.keeps_key = False
        self.last: dict[tuple[int, Direction], int] = {}  # by a stopwatch that nobody sets

    @initialize(keeps_key=st.booleans())
    def the_site_says_how_long_it_remembers(self, keeps_key: bool) -> None:
        self.keeps_key = keeps_key

    @rule(token=st.integers(1, 5), direction=st.sampled_from(Direction))
    def passes(self, token: int, direction: Direction) -> None:
        now, keyed = self.clock.now(), token + self.key
        self.journal.append(entry(now, token=keyed, direction=direction, worker=token == 1))
        self.zone.reserve(keyed, direction, worker=token == 1)
        self.zone.passed(keyed, direction, worker=token == 1, now=now, sequence=len(self.journal))
        self.zone.release(keyed, direction, worker=token == 1)
        moved = (token in self.inside) is (direction is OUT)
        if direction is IN:
            self.inside[token] = token == 1
        elif not self.inside.pop(token, None) and not moved:
            kind = token == 1 and self.unnamed[True] > 0
            moved = self.unnamed[kind] > 0
            self.unnamed[kind] -= moved
        # Of somebody who was known before, or who left unknown, a restart knows more than is told.
        self.first = (token, direction) not in self.last and direction is IN
        self.passage = (len(self.journal), token, direction, moved)
        self.last[token, direction] = now.wall_ns

    @precondition(lambda self: self.passage is not None)
    @rule()
    def an_officer_turns_the_last_one_back(self) -> None:
        now, (about, token, direction, _) = self.clock.now(), self.passage or NOBODYS
        self.journal.append(
            entry(
                now,
                token=token + self.key,
                direction=direction,
                event=Event.OVERRIDE,
                about=about,
                outcome=Outcome.REFUSE,
            )
        )
        self._taken_back()

    @precondition(lambda self: self.passage is not None and self.first)
    @rule()
    def the_last_one_did_not_pass(self) -> None:
        about = (self.passage or NOBODYS)[0]
        self.journal.append(Followup(FollowupKind.NOT_PASSED, about))
        self._taken_back()

    def _taken_back(self) -> None:
        now, (about, token, direction, moved) = self.clock.now(), self.passage or NOBODYS
        self.zone.turned_back(token + self.key, direction, about, now)
        if moved and direction is IN:
            del self.inside[token]
        elif moved:
            self.inside[token] = token == 1
        del self.last[token, direction]
        self.passage = None

    @rule(extra=st.integers(0, 5))
    def people_came_in_unseen(self, extra: int) -> None:
        now = self.clock.now()
        count = Count(len(self.inside) + extra, sum(self.inside.values()))
        self.journal.append(
            entry(now, event=Event.COUNT, note=count_note(count.inside, count.workers))
        )
        self.zone.set_inside(count.inside, count.workers, now)
        self.unnamed = [extra, 0]
        self.passage = None

    @rule(seconds=st.integers(1, 20_000))
    def time_goes_on(self, seconds: int) -> None:
        before = RESET.latest(self.clock.now())
        self.clock.advance(seconds)
        if RESET.latest(self.clock.now()) != before:
            self.inside.clear()
            self.last.clear()
            self.unnamed = [0, 0]
            self.passage = None

    @rule()
    def the_daemon_restarts(self) -> None:
        self._rebuild()

    @rule()
    def the_power_fails(self) -> None:
        self.clock.boot_id += "'"
        self.clock.monotonic_ns = 10**9
        if not self.keeps_key:
            self._lose_names()
        self._rebuild()

    def _lose_names(self) -> None:
        self.key += 10
        self.named_from = len(self.journal) + 1
        for worker in self.inside.values():
            self.unnamed[worker] += 1
        self.inside.clear()
        self.last.clear()
        self.passage = None

    def _rebuild(self) -> None:
        records = [one if isinstance(one, Followup) else logged(one) for one in self.journal]
        self.zone = recalled(records, self.clock.now(), named_from=self.named_from)

    @invariant()
    def agrees(self) -> None:
        now = self.clock.now()
        count = self.zone.count(now)
        assert count.inside == len(self.inside) + sum(self.unnamed)
        assert count.workers == sum(self.inside.values()) + self.unnamed[True]
        for token in range(1, 6):
            for direction in Direction:
                ago_ns = self.zone.presence_of(token + self.key, direction, now).passed_ago_ns
                at_ns = self.last.get((token, direction))
                assert ago_ns == (None if at_ns is None else now.wall_ns - at_ns)


ZoneMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestZoneAgreesWithANaiveModel = ZoneMachine.TestCase


STEPS = st.lists(
    st.tuples(
        st.integers(0, 6), st.sampled_from(Direction), st.booleans(), st.integers(-(10**6), 10**6)
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(STEPS, st.sampled_from(ClockTrust))
def test_whatever_the_wall_clock_does_no_count_and_no_age_is_negative(
    steps: list[tuple[int, Direction, bool, int]], trust: ClockTrust
) -> None:
    clock, journal = ManualClock(), []
    zone = Zone(RESET, capacity=4)
    for token, direction, worker, step_s in steps:
        clock.wall_ns += step_s * 10**9
        clock.advance(1)
        clock.trust = trust if worker else ClockTrust.SYNCHRONISED
        journal.append(entry(clock.now(), token=token, direction=direction, worker=worker))
        zone.passed(token, direction, worker=worker, now=clock.now())
        again = rebuilt(journal, msgspec.structs.replace(clock.now(), boot_id="other"), capacity=4)
        for one in (zone, again):
            presence = one.presence_of(token, direction, clock.now())
            assert 0 <= presence.workers_inside <= presence.inside <= len(journal)
            assert presence.passed_ago_ns is None or presence.passed_ago_ns >= 0
            assert len(one) <= 4
