"""What a passage sensor tells: passed, or an ADMIT that nobody used is annulled."""

from __future__ import annotations

import asyncio

from admission.journal_record import Followup, FollowupKind
from admission.people import Token
from admission.reset import DailyReset
from admission.site import Direction
from admission.zone import Zone
from appliance.entry_log import EntryLog
from appliance.passage_watch import PassageWatch
from tests.cache.journal.entries import an_entry
from tests.doors import MemoryJournal
from tests.worlds import VIETNAM, ManualClock


class NotingJournal(MemoryJournal):
    def __init__(self) -> None:
        super().__init__()
        self.noted = asyncio.Event()

    def follow(self, followup: Followup) -> None:
        super().follow(followup)
        self.noted.set()


class Turnstile:
    """A watch of one lane, and a zone that has let people pass."""

    def __init__(self, *, fitted: bool = True, window_s: float = 60.0) -> None:
        self.journal, self.clock = NotingJournal(), ManualClock()
        self.zone = Zone(DailyReset(4 * 60, VIETNAM))
        log = EntryLog(self.journal, failed=lambda _: None)
        self.watch = PassageWatch(
            log, self.zone, self.clock, fitted=lambda: fitted, window_s=window_s
        )

    def admits(self, sequence: int) -> None:
        token: Token = sequence + 1_000
        self.zone.passed(token, Direction.IN, worker=False, now=self.clock.now(), sequence=sequence)
        self.watch.admitted(an_entry(sequence), token, sequence)

    @property
    def noted(self) -> list[tuple[FollowupKind, int]]:
        return [(one.kind, one.about) for one in self.journal.followups]

    @property
    def inside(self) -> int:
        return self.zone.count(self.clock.now()).inside


async def test_people_pass_in_the_order_in_which_they_were_admitted() -> None:
    turnstile = Turnstile()
    turnstile.admits(1)
    turnstile.clock.advance(2)
    turnstile.admits(2)
    turnstile.watch.sensed()
    turnstile.watch.sensed()
    turnstile.watch.sensed()  # nobody was admitted for this edge
    assert turnstile.noted == [(FollowupKind.PASSED, 1), (FollowupKind.PASSED, 2)]
    assert [one.after_ms for one in turnstile.journal.followups] == [2_000, 0]
    assert turnstile.inside == 2


async def test_who_does_not_pass_in_time_is_not_counted_inside() -> None:
    turnstile = Turnstile(window_s=0.0)
    turnstile.admits(1)
    await asyncio.wait_for(turnstile.journal.noted.wait(), 5)
    assert turnstile.noted == [(FollowupKind.NOT_PASSED, 1)]
    assert turnstile.inside == 0
    turnstile.watch.sensed()
    assert len(turnstile.noted) == 1


async def test_without_a_sensor_nothing_is_known_and_nothing_noted() -> None:
    turnstile = Turnstile(fitted=False)
    turnstile.admits(1)
    turnstile.watch.sensed()
    assert turnstile.noted == []
    assert turnstile.inside == 1
