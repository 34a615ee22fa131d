"""A lane's gate under watch, and what a board may tell of it."""

from __future__ import annotations

import asyncio

import msgspec

from admission.gate import GateOutcome, Input, Side
from admission.journal_record import FollowupKind
from admission.passage import Event
from admission.people import Token
from admission.reset import DailyReset
from admission.site import Direction
from admission.zone import Zone
from appliance.admissions import Admissions
from appliance.entry_log import EntryLog
from appliance.event_pace import EventPace
from appliance.gate_watch import GateWatch
from firmware_bridge.link.messages import GateEvent, InputEvent
from tests.appliance.test_admissions import Nowhere
from tests.cache.journal.entries import an_entry
from tests.doors import MemoryJournal, MemoryObserver
from tests.worlds import VIETNAM, ManualClock, a_site


class Turnstile:
    """The watch of one lane, and a zone that has let people pass."""

    def __init__(self, *, direction: Direction = Direction.IN, side: Side = Side.A) -> None:
        self.journal, self.clock = MemoryJournal(), ManualClock()
        self.observer, self.alarms = MemoryObserver(), 0
        self.zone = Zone(DailyReset(4 * 60, VIETNAM))
        pace = EventPace()
        self.watch = GateWatch(
            "north",
            a_site(),
            log=EntryLog(self.journal, failed=lambda _: None),
            zone=self.zone,
            clock=self.clock,
            admissions=Admissions("north", Nowhere(), self.clock.now, pace),
            observer=self.observer,
            pace=pace,
            direction=direction,
            side=side,
            alarmed=self._alarmed,
        )

    def _alarmed(self) -> None:
        self.alarms += 1

    def admits(self, sequence: int) -> None:
        token: Token = sequence + 1_000
        self.zone.passed(token, Direction.IN, worker=False, now=self.clock.now(), sequence=sequence)
        entry = msgspec.structs.replace(
            an_entry(sequence), token=token, monotonic_ns=self.clock.monotonic_ns
        )
        self.watch.admitted(entry, sequence)

    def tells(
        self, outcome: GateOutcome, entry: int = 0, side: Side = Side.A, lost: int = 0
    ) -> None:
        self.watch.sensed(GateEvent(outcome, side, entry, 0, lost))

    def changes(self, source: Input, value: int, lost: int = 0) -> None:
        self.watch.sensed(InputEvent(source, value, 0, lost))

    async def settled(self) -> None:
        """End the watch once it has written everything down."""
        self.watch.close()
        await asyncio.wait_for(self.watch.run(), 5)

    @property
    def followed(self) -> list[tuple[FollowupKind, int]]:
        return [(one.kind, one.about) for one in self.journal.followups]

    @property
    def entries(self) -> list[tuple[Event, str]]:
        return [(one.event, one.note) for one in self.journal.entries]

    @property
    def told(self) -> list[str]:
        return [one.kind for one in self.observer.happenings]

    @property
    def inside(self) -> int:
        return self.zone.count(self.clock.now()).inside
