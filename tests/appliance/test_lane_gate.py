"""What a lane does about its gate: says why it stays shut, sounds its alarm, is out of order."""

from __future__ import annotations

import asyncio

import pytest

from admission.gate import Input, Obstacle
from admission.journal_record import FollowupKind
from admission.signal import ADMIT, ALARM, REFER, REFUSE
from admission.verdict import LaneState, Outcome, Reason
from appliance.gate_standing import GateStanding, standing_of
from appliance.obstacles import obstacle_of
from firmware_bridge.errors import BridgeRefused, BridgeTimeout
from tests.appliance.test_lane import CODE, Gate
from tests.worlds import a_reading


@pytest.fixture
async def gate() -> Gate:
    return Gate()


async def test_the_board_is_told_which_entry_admits_and_of_no_other(gate: Gate) -> None:
    await gate.lane.serve(a_reading(CODE))
    await gate.lane.serve(a_reading("hello"))
    assert gate.bridge.shown == [ADMIT, REFUSE]
    assert gate.bridge.entries == [1, 0]


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (Obstacle.STOPPED, Reason.GATE_STOPPED),
        (Obstacle.NOT_READY, Reason.GATE_NOT_READY),
        (Obstacle.BUSY, Reason.GATE_BUSY),
    ],
)
async def test_a_board_that_keeps_the_gate_shut_admits_nobody_and_says_why(
    gate: Gate, obstacle: Obstacle, reason: Reason
) -> None:
    gate.bridge.obstacle = obstacle
    verdict = await gate.lane.serve(a_reading(CODE))
    assert (verdict.outcome, verdict.reasons) == (Outcome.REFER, (reason,))
    assert gate.screen.published[-1][1] == verdict
    assert gate.bridge.shown == [REFER], "whoever waits is to see that they wait"
    assert [one.kind for one in gate.journal.followups] == [FollowupKind.NOT_ACTUATED]
    assert gate.journal.entries[0].outcome is Outcome.ADMIT
    assert gate.zone.count(gate.clock.now()).inside == 0
    gate.bridge.obstacle = None
    assert (await gate.lane.serve(a_reading(CODE))).outcome is Outcome.ADMIT


def test_other_troubles_are_faults() -> None:
    for error in (BridgeTimeout("late"), BridgeRefused("no", reason=4), RuntimeError()):
        assert obstacle_of(error) is Reason.FAULT


async def test_an_alarm_is_lit_and_told_on_the_screen(gate: Gate) -> None:
    assert await gate.lane.alarm()
    assert gate.bridge.shown == [ALARM]
    lane, verdict, holder = gate.screen.published[-1]
    assert (lane, verdict.reason, holder) == ("entrance", Reason.GATE_ALARM, "")


async def test_an_alarm_takes_nobodys_green_away(gate: Gate) -> None:
    await gate.lane.serve(a_reading(CODE))
    alarm = asyncio.create_task(gate.lane.alarm())
    await asyncio.sleep(0)
    gate.clock.advance(1.4)
    await asyncio.sleep(0)
    assert gate.bridge.shown == [ADMIT]
    alarm.cancel()
    gate.clock.advance(0.2)
    assert await gate.lane.alarm()
    assert gate.bridge.shown == [ADMIT, ALARM]


async def test_an_alarm_waits_for_who_is_being_served(gate: Gate) -> None:
    async with gate.lane._turn:
        alarm = asyncio.create_task(gate.lane.alarm())
        await asyncio.sleep(0)
        assert gate.bridge.shown == []
    assert await asyncio.wait_for(alarm, 5)


async def test_a_silent_board_lights_no_alarm(gate: Gate) -> None:
    gate.bridge.broken = True
    assert not await gate.lane.alarm()
    assert gate.observer.failures == ["actuate"]


class Board:
    """A bridge with contacts."""

    def __init__(self, fitted: set[Input], sensed: set[Input]) -> None:
        self.alive = True
        self.inputs = frozenset(fitted)
        self.sensed = frozenset(sensed)

    @property
    def board(self) -> Board:
        return self


ALL = set(Input)


@pytest.mark.parametrize(
    ("fitted", "sensed", "shut", "concern"),
    [
        (ALL, {Input.READY}, False, False),
        (ALL, set(), True, False),
        (ALL - {Input.READY}, set(), False, False),
        (ALL, {Input.READY, Input.STOP}, True, False),
        (ALL, {Input.READY, Input.FIRE}, False, True),
        (ALL, {Input.READY, Input.TAMPER}, False, True),
        (set(), {Input.TAMPER}, False, True),  # another board's, of several
    ],
)
def test_a_gate_is_shut_by_stop_and_without_ready_alone(
    fitted: set[Input], sensed: set[Input], shut: bool, concern: bool
) -> None:
    standing = standing_of(Board(fitted, sensed))
    assert bool(standing.obstacle) is shut
    assert bool(standing.concern) is concern


def test_of_a_board_that_is_silent_or_has_no_contacts_nothing_is_said() -> None:
    silent = Board(ALL, {Input.STOP})
    silent.alive = False
    assert standing_of(silent) == standing_of(object()) == GateStanding()


async def test_a_lane_whose_gate_cannot_open_is_out_of_order(gate: Gate) -> None:
    opens = True
    lane = gate.a_lane("beside", can_open=lambda: opens)
    assert lane.state is LaneState.OPEN
    opens = False
    assert lane.state is LaneState.OUT_OF_ORDER
