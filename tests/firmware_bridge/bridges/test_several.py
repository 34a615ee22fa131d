"""Several bridges are one: all of them have to be there before a gate opens for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from admission.gate import Input
from admission.signal import ADMIT, GATES, REFER, REFUSE, Output, Signal
from firmware_bridge.bridges.several import (
    AliveListener,
    EventListener,
    MemberPlan,
    SeveralBridge,
)
from firmware_bridge.errors import (
    BridgeError,
    BridgeRefused,
    BridgeSuperseded,
    BridgeTimeout,
    BridgeUnavailable,
)
from firmware_bridge.link.messages import HelloReply, InputEvent, Refusal

LAMPS = frozenset({Output.GREEN, Output.AMBER, Output.RED, Output.BUZZER})
GATE = frozenset({Output.GATE})


class FakeBoard:
    """A member that acknowledges when it is let, and keeps what it was told."""

    def __init__(self) -> None:
        self.last_error: BridgeError | None = None
        self.board: HelloReply | None = None
        self.sensed: frozenset[Input] = frozenset()
        self.told: list[tuple[Signal, int]] = []
        self.fails: BridgeError | None = None
        self.held: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.running = asyncio.Event()
        self.crash: asyncio.Future[None] | None = None
        self._alive = True
        self.on_event: EventListener | None = None
        self.on_alive: AliveListener = lambda _: None

    @property
    def alive(self) -> bool:
        return self._alive

    def plan(self, name: str, outputs: frozenset[Output]) -> MemberPlan:
        def opened(on_event: EventListener | None, on_alive: AliveListener) -> FakeBoard:
            self.on_event, self.on_alive = on_event, on_alive
            return self

        return MemberPlan(name, outputs, opened)

    def set_alive(self, alive: bool, error: BridgeError | None = None) -> None:
        self._alive = alive
        self.last_error = error
        self.on_alive(alive)

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        self.told.append((signal, entry))
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        if self.fails is not None:
            raise self.fails

    async def run(self) -> None:
        self.running.set()
        self.crash = asyncio.get_running_loop().create_future()
        await self.crash


def outputs_of(signal: Signal) -> set[Output]:
    return {pulse.output for pulse in signal.pulses}


class Lane:
    def __init__(self, on_alive: Callable[[bool], None] | None = None) -> None:
        self.gate, self.light, self.reader = FakeBoard(), FakeBoard(), FakeBoard()
        self.events: list[object] = []
        self.bridge = SeveralBridge(
            [
                self.light.plan("light", LAMPS),
                self.gate.plan("gate board", GATE),
                self.reader.plan("reader", frozenset({Output.GREEN, Output.RED})),
            ],
            on_event=self.events.append,
            on_alive=on_alive,
        )


@pytest.fixture
async def lane() -> Lane:
    return Lane()


async def test_each_member_gets_the_pulses_it_has_outputs_for(lane: Lane) -> None:
    await lane.bridge.show(ADMIT, entry=17)
    assert [outputs_of(signal) for signal, _ in lane.light.told] == [outputs_of(ADMIT) - GATES]
    assert [outputs_of(signal) for signal, _ in lane.gate.told] == [{Output.GATE}]
    assert [outputs_of(signal) for signal, _ in lane.reader.told] == [{Output.GREEN}]
    assert all(signal.name is ADMIT.name for signal, _ in lane.reader.told)


async def test_only_the_gates_member_hears_whose_admission_it_is(lane: Lane) -> None:
    await lane.bridge.show(ADMIT, entry=17)
    assert [entry for _, entry in lane.gate.told] == [17]
    assert {entry for _, entry in lane.light.told + lane.reader.told} == {0}


async def test_a_member_without_a_lamp_in_the_signal_ends_what_it_showed(lane: Lane) -> None:
    await lane.bridge.show(ADMIT)
    await lane.bridge.show(REFER)  # amber: the reader has none
    assert outputs_of(lane.reader.told[-1][0]) == set()
    assert len(lane.reader.told) == 2


async def test_no_signal_without_a_gate_disturbs_the_gate(lane: Lane) -> None:
    await lane.bridge.show(ADMIT)
    await lane.bridge.show(REFUSE)
    assert len(lane.gate.told) == 1


@pytest.mark.parametrize("dead", ["light", "reader", "gate"])
async def test_no_gate_opens_and_no_lamp_admits_while_a_member_is_known_dead(
    lane: Lane, dead: str
) -> None:
    getattr(lane, dead).set_alive(False, BridgeUnavailable("cable", hint="plug it in"))
    with pytest.raises(BridgeUnavailable, match="cable") as raised:
        await lane.bridge.show(ADMIT, entry=1)
    assert raised.value.hint == "plug it in"
    assert lane.gate.told == lane.light.told == lane.reader.told == []
    assert lane.bridge.alive is False


async def test_those_that_live_still_say_what_opens_nothing(lane: Lane) -> None:
    lane.reader.set_alive(False)
    lane.reader.fails = BridgeUnavailable("silent")
    with pytest.raises(BridgeUnavailable, match="reader: silent"):
        await lane.bridge.show(REFUSE)
    assert [signal.name for signal, _ in lane.light.told] == [REFUSE.name]


async def test_the_gate_is_opened_last(lane: Lane) -> None:
    lane.reader.held = asyncio.Event()
    admitting = asyncio.create_task(lane.bridge.show(ADMIT, entry=1))
    await lane.reader.asked.wait()
    await lane.light.asked.wait()
    assert lane.gate.told == []
    lane.reader.held.set()
    await admitting
    assert [entry for _, entry in lane.gate.told] == [1]


async def test_a_lamp_that_fails_leaves_the_gate_shut(lane: Lane) -> None:
    lane.light.fails = BridgeTimeout("no acknowledgement")
    with pytest.raises(BridgeTimeout, match="light: no acknowledgement"):
        await lane.bridge.show(ADMIT, entry=1)
    assert lane.gate.told == []


async def test_a_gate_that_declines_leaves_no_green_lamp_lit(lane: Lane) -> None:
    lane.gate.fails = BridgeRefused(
        "the board declined the signal: busy", hint="wait", reason=Refusal.BUSY
    )
    with pytest.raises(BridgeRefused, match="gate board: the board declined") as raised:
        await lane.bridge.show(ADMIT)
    assert (raised.value.hint, raised.value.reason) == ("wait", Refusal.BUSY)
    for board in (lane.light, lane.reader):
        assert outputs_of(board.told[-1][0]) == set()


async def test_a_gate_that_declines_does_not_take_back_a_newer_signal(lane: Lane) -> None:
    lane.gate.fails = BridgeTimeout("no acknowledgement")
    lane.gate.held = asyncio.Event()
    admitting = asyncio.create_task(lane.bridge.show(ADMIT))
    await lane.gate.asked.wait()
    await lane.bridge.show(REFUSE)
    lane.gate.held.set()
    with pytest.raises(BridgeTimeout):
        await admitting
    assert outputs_of(lane.light.told[-1][0]) == outputs_of(REFUSE)


async def test_all_have_ended_before_the_first_error_is_raised(lane: Lane) -> None:
    lane.light.fails = BridgeTimeout("no acknowledgement")
    lane.reader.held = asyncio.Event()
    showing = asyncio.create_task(lane.bridge.show(REFUSE))
    await lane.reader.asked.wait()
    assert not showing.done()
    lane.reader.held.set()
    with pytest.raises(BridgeTimeout, match="light: no acknowledgement"):
        await showing


async def test_a_real_failure_counts_for_more_than_a_newer_signal(lane: Lane) -> None:
    lane.light.fails = BridgeSuperseded("newer")
    with pytest.raises(BridgeSuperseded):
        await lane.bridge.show(REFUSE)
    lane.reader.fails = BridgeTimeout("no acknowledgement")
    with pytest.raises(BridgeTimeout):
        await lane.bridge.show(REFUSE)


async def test_an_older_admission_opens_no_gate_after_a_newer_signal(lane: Lane) -> None:
    lane.light.held = asyncio.Event()
    admitting = asyncio.create_task(lane.bridge.show(ADMIT, entry=1))
    await lane.light.asked.wait()
    refusing = asyncio.create_task(lane.bridge.show(REFUSE))
    await asyncio.sleep(0)
    lane.light.held.set()
    await refusing
    with pytest.raises(BridgeSuperseded):
        await admitting
    assert lane.gate.told == []


async def test_alive_is_told_when_all_are_and_when_that_ceases() -> None:
    news: list[bool] = []
    lane = Lane(news.append)
    for board in (lane.gate, lane.light, lane.reader):
        board.set_alive(False)
    lane.gate.set_alive(True)
    lane.light.set_alive(True)
    assert news == []
    lane.reader.set_alive(True)
    lane.gate.set_alive(False, BridgeUnavailable("the board has fallen silent"))
    lane.light.set_alive(False)
    assert news == [True, False]
    assert "light" in str(lane.bridge.last_error)
    lane.light.set_alive(True)
    assert str(lane.bridge.last_error) == "gate board: the board has fallen silent"


async def test_events_of_all_members_come_to_one_place_and_inputs_are_put_together(
    lane: Lane,
) -> None:
    event = InputEvent(Input.FIRE, 1, 5)
    for board in (lane.gate, lane.reader):
        assert board.on_event is not None
        board.on_event(event)
    assert lane.events == [event, event]
    lane.gate.sensed = frozenset({Input.FIRE})
    lane.reader.sensed = frozenset({Input.TAMPER})
    assert lane.bridge.sensed == {Input.FIRE, Input.TAMPER}


async def test_all_members_run_and_end_together(lane: Lane) -> None:
    running = asyncio.create_task(lane.bridge.run())
    for board in (lane.gate, lane.light, lane.reader):
        await board.running.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_a_listener_raises_ends_all_and_is_raised_as_it_is(lane: Lane) -> None:
    running = asyncio.create_task(lane.bridge.run())
    for board in (lane.gate, lane.light, lane.reader):
        await board.running.wait()
    assert lane.light.crash is not None
    lane.light.crash.set_exception(ZeroDivisionError("a listener's"))
    with pytest.raises(ZeroDivisionError):
        await running


def test_a_gate_belongs_to_one_member() -> None:
    plans = [FakeBoard().plan("a", GATE), FakeBoard().plan("b", GATE | LAMPS)]
    with pytest.raises(ValueError, match="gate is wired to two"):
        SeveralBridge(plans)


def test_names_tell_members_apart() -> None:
    plans = [FakeBoard().plan("a", GATE), FakeBoard().plan("a", LAMPS)]
    with pytest.raises(ValueError, match="name of its own"):
        SeveralBridge(plans)
