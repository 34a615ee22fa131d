"""A lane at a whole board, over a cable: what happens at the gate stands in the journal."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from admission.gate import MAX_QUEUED, Input
from admission.journal_record import Followup, FollowupKind, PassageRecord
from admission.passage import Event
from admission.signal import SignalName
from admission.site import Direction
from admission.verdict import LaneState, Outcome, Reason
from appliance.admissions import Admissions, JournalLookBack
from appliance.entry_log import EntryLog
from appliance.event_pace import EventPace
from appliance.gate_standing import standing_of
from appliance.gate_watch import GateWatch
from appliance.journal_entry import record_of
from appliance.lane import Lane
from cache.journal.file_journal import FileJournal
from cache.journal.verification import entries_of
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from tests.appliance.test_lane import CODE, Gate
from tests.worlds import a_reading

WINDOW_S = 0.5
CONFIGURATION = BoardConfiguration(
    inputs=frozenset(Input) - {Input.READY},
    window_ms=int(WINDOW_S * 1000),
    debounce_ms=1,
)
PAST_WINDOW_S = WINDOW_S + 0.1
Noted = tuple[str, int | str]


class BoardClock:
    """The board's time, which can skip what nothing happens in."""

    def __init__(self) -> None:
        self._skipped_ns = 0

    def __call__(self) -> int:
        return time.monotonic_ns() + self._skipped_ns

    def skip(self, seconds: float) -> None:
        self._skipped_ns += int(seconds * 1e9)


Place = tuple[SimulatedBoard, BoardClock]


class Gatehouse:
    """One lane, its board on a cable, and a journal on the disk."""

    def __init__(self, folder: Path, place: Place, journal: FileJournal) -> None:
        self.board, self.time = place
        self.gate, self.answers = Gate(), asyncio.Event()
        observer, clock, pace = self.gate.observer, self.gate.clock, EventPace()
        log = EntryLog(journal, failed=partial(observer.failed, "entrance", "journal"))
        self.watch = GateWatch(
            "entrance",
            self.gate.site,
            log=log,
            zone=self.gate.zone,
            clock=clock,
            admissions=Admissions(
                "entrance", JournalLookBack(folder, journal.last_sequence), clock.now, pace
            ),
            observer=observer,
            pace=pace,
            direction=Direction.IN,
        )
        self.bridge = McuBridge(
            self.board.path,
            monotonic_ns=time.monotonic_ns,
            nonce=lambda bits: int.from_bytes(os.urandom(8), "big") % (1 << bits),
            on_event=self.watch.sensed,
            on_alive=lambda alive: self.answers.set() if alive else self.answers.clear(),
        )
        self.lane: Lane = self.gate.a_lane(
            "entrance",
            log=log,
            bridge=self.bridge,
            watch=self.watch,
            can_open=lambda: not standing_of(self.bridge).obstacle,
        )

    async def admits(self) -> int:
        """Let somebody in; return the sequence of the entry."""
        verdict = await self.lane.serve(a_reading(CODE))
        assert verdict.outcome is Outcome.ADMIT, verdict
        sequence = self.gate.observer.scans[-1].sequence
        assert sequence is not None
        return sequence

    def goes_through(self, sensor: Input = Input.PASSAGE_A) -> None:
        """Break the passage sensor's beam, and leave it."""
        for value in (1, 0):
            self.board.sense(sensor, value)
            self.pause(0.01)

    def changes(self, source: Input, value: int) -> None:
        """Change a contact for good."""
        self.board.sense(source, value)
        self.pause(0.01)

    def pause(self, seconds: float) -> None:
        """Let the board's time pass."""
        self.time.skip(seconds)
        self.board.sense(Input.BUTTON, 0)  # it looks at its clock

    async def told(self, *kinds: str) -> None:
        """Wait until the board has told just this."""
        observer = self.gate.observer
        async with asyncio.timeout(10):
            while [one.kind for one in observer.happenings] != list(kinds):
                observer.news.clear()
                await observer.news.wait()

    async def lit(self, name: SignalName) -> bool:
        """Wait until the board shows it."""
        shows = partial(self.board.wait_until, lambda: self.lights(name) > 0, 10)
        return await asyncio.to_thread(shows)

    def lights(self, name: SignalName) -> int:
        return sum(one.signal.name is name for one in self.board.shown)

    @property
    def inside(self) -> int:
        return self.gate.zone.count(self.gate.clock.now()).inside


def noted(folder: Path) -> list[Noted]:
    """Return what stands in the journal besides scans and lights: words, and about what."""
    found: list[Noted] = []
    for frame in entries_of(folder, 1_000):
        match record_of(frame):
            case PassageRecord() as record if record.passage.event is not Event.SCAN:
                found.append((record.passage.event.value, record.passage.note))
            case Followup() as followup if followup.kind is not FollowupKind.ACTUATED:
                found.append((followup.kind.name.lower(), followup.about))
    return found


@pytest.fixture
def place() -> Iterator[Place]:
    clock = BoardClock()
    with SimulatedBoard(clock, configuration=CONFIGURATION) as board:
        yield board, clock


@asynccontextmanager
async def at_work(folder: Path, place: Place) -> AsyncIterator[Gatehouse]:
    """A daemon's part of it, from a start to a regular end."""
    journal = await FileJournal.open(
        folder, monotonic_ns=time.monotonic_ns, random_bytes=os.urandom
    )
    house = Gatehouse(folder, place, journal)
    bridge = asyncio.create_task(house.bridge.run())
    lane = asyncio.create_task(house.lane.run())
    try:
        await asyncio.wait_for(house.answers.wait(), 10)
        yield house
        house.gate.inbox.close()
        await asyncio.wait_for(lane, 5)
    finally:
        lane.cancel()
        bridge.cancel()
        await asyncio.wait([lane, bridge])
        await journal.flush()
        await journal.close()


async def test_who_goes_through_is_noted_and_who_follows_behind_too(
    tmp_path: Path, place: Place
) -> None:
    async with at_work(tmp_path, place) as house:
        sequence = await house.admits()
        house.goes_through()
        house.goes_through()
        await house.told("passed", "tailgated")
        assert house.inside == 1
    assert noted(tmp_path) == [("passed", sequence), ("tailgated", sequence)]


async def test_who_does_not_go_through_is_annulled(tmp_path: Path, place: Place) -> None:
    async with at_work(tmp_path, place) as house:
        sequence = await house.admits()
        assert house.inside == 1
        house.pause(PAST_WINDOW_S)
        await house.told("not_passed")
        assert house.inside == 0
    assert noted(tmp_path) == [("not_passed", sequence)]


async def test_a_forced_gate_is_entered_and_lights_the_alarm(tmp_path: Path, place: Place) -> None:
    async with at_work(tmp_path, place) as house:
        house.goes_through()
        house.goes_through(Input.PASSAGE_B)
        await house.told("forced", "forced")
        assert await house.lit(SignalName.ALARM)
        ways = [one.entry.direction for one in house.gate.observer.happenings if one.entry]
        assert ways == [Direction.IN, Direction.OUT]
        assert house.lights(SignalName.ALARM) == 1
        assert house.gate.screen.published[-1][1].reason is Reason.GATE_ALARM
    assert noted(tmp_path) == [("forced", ""), ("forced", "")]


async def test_in_a_fire_nobody_is_annulled_and_the_lane_goes_on(
    tmp_path: Path, place: Place
) -> None:
    async with at_work(tmp_path, place) as house:
        await house.admits()
        house.changes(Input.FIRE, 1)
        await house.told("fire")
        assert standing_of(house.bridge).concern == "the fire alarm is on"
        assert house.lane.state is LaneState.OPEN
        house.goes_through()
        house.pause(PAST_WINDOW_S)
        house.changes(Input.FIRE, 0)
        await house.told("fire", "fire")
        assert house.inside == 1
    assert noted(tmp_path) == [("fire", "began"), ("fire", "ended")]


async def test_an_opened_housing_is_entered_and_shows_in_health(
    tmp_path: Path, place: Place
) -> None:
    async with at_work(tmp_path, place) as house:
        house.changes(Input.TAMPER, 1)
        await house.told("tamper")
        assert standing_of(house.bridge).tamper
        assert await house.lit(SignalName.ALARM)
        house.changes(Input.TAMPER, 0)
        await house.told("tamper", "tamper")
    assert noted(tmp_path) == [("tamper", "opened"), ("tamper", "closed")]


async def test_a_stop_shuts_the_lane_and_people_are_told_why(tmp_path: Path, place: Place) -> None:
    async with at_work(tmp_path, place) as house:
        house.changes(Input.STOP, 1)
        await house.told("stop")
        assert house.lane.state is LaneState.OUT_OF_ORDER
        verdict = await house.lane.serve(a_reading(CODE))
        assert verdict.reasons == (Reason.GATE_STOPPED,)
        declined = house.gate.observer.scans[-1].sequence
        assert house.inside == 0
        house.changes(Input.STOP, 0)
        await house.told("stop", "stop")
        assert house.lane.state is LaneState.OPEN
        sequence = await house.admits()
        house.goes_through()
        await house.told("stop", "stop", "passed")
    assert sorted(noted(tmp_path), key=str) == [
        ("not_actuated", declined),
        ("passed", sequence),
        ("stop", "pressed"),
        ("stop", "released"),
    ]


async def test_more_than_can_wait_at_the_gate_are_not_admitted(
    tmp_path: Path, place: Place
) -> None:
    async with at_work(tmp_path, place) as house:
        for _ in range(1 + MAX_QUEUED):
            await house.admits()
            house.gate.clock.advance(3_600)  # beyond anti-passback, below the reset
        verdict = await house.lane.serve(a_reading(CODE))
        assert (verdict.outcome, verdict.reasons) == (Outcome.REFER, (Reason.GATE_BUSY,))
        last = house.gate.observer.scans[-1]
        assert last.judged.outcome is Outcome.ADMIT
    assert ("not_actuated", last.sequence) in noted(tmp_path)


@pytest.mark.parametrize("passes", [True, False])
async def test_what_happened_while_the_daemon_was_down_is_noted_at_its_next_start(
    tmp_path: Path, place: Place, passes: bool
) -> None:
    async with at_work(tmp_path, place) as house:
        sequence = await house.admits()
    if passes:
        house.goes_through()
    house.pause(PAST_WINDOW_S)
    async with at_work(tmp_path, place) as house:
        await house.told("passed" if passes else "not_passed")
    assert noted(tmp_path) == [("passed" if passes else "not_passed", sequence)]
