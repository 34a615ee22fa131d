"""The Bridge port's contract, kept by every implementation, the fake of other tests included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from admission.gate import GateOutcome, Input, Side
from admission.signal import ADMIT, OUT_OF_ORDER, REFER, REFUSE, Output, Pulse, Signal, SignalName
from firmware_bridge.errors import BridgeError, BridgeRefused
from firmware_bridge.link.messages import GateEvent, InputEvent, Refusal
from tests.contracts import cable_rigs
from tests.contracts.bridge_rigs import (
    BOUND_S,
    HARDWARE,
    WITHOUT_HARDWARE,
    MakeRig,
    Rig,
    gpio,
    in_memory,
)

SIGNALS = [ADMIT, REFER, REFUSE, OUT_OF_ORDER]
SHORT = Signal(SignalName.TEST, (Pulse(Output.GREEN, 200), Pulse(Output.GATE, 100)))
LONG = Signal(SignalName.TEST, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000)))
OFF_S = 3.0
"""Far above what it takes, and far below the 5 s after which `LONG` ends by itself."""


def named(rig: MakeRig) -> str:
    return rig.__name__


TERMINALS = [gpio, cable_rigs.modbus]
LIGHTS = [cable_rigs.stack_light, pytest.param(cable_rigs.osdp, marks=pytest.mark.slow)]
"""Without a gate, so without contacts of a turnstile."""
SEVERAL = pytest.param(cable_rigs.several, marks=pytest.mark.slow)
GATES = [*HARDWARE, *(pytest.param(rig, marks=pytest.mark.slow) for rig in TERMINALS), SEVERAL]
"""Drivers can do no other here than any terminals of a local board."""


@pytest.fixture(params=[*GATES, *LIGHTS, *WITHOUT_HARDWARE], ids=named)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with request.param() as rig:
        yield rig


on_hardware = pytest.mark.parametrize("rig", GATES, indirect=True, ids=named)
on_contacts = pytest.mark.parametrize(
    "rig", [*HARDWARE, *TERMINALS, SEVERAL], indirect=True, ids=named
)
that_can_be_lost = pytest.mark.parametrize(
    "rig", [*GATES, *LIGHTS, in_memory], indirect=True, ids=named
)


async def test_a_reachable_bridge_is_alive(rig: Rig) -> None:
    assert rig.bridge.alive is True


async def test_signals_follow_each_other_in_order_each_once(rig: Rig) -> None:
    for signal in SIGNALS * 5:
        assert await asyncio.wait_for(rig.bridge.show(signal), BOUND_S) is None
    if rig.shown:
        assert rig.shown() == SIGNALS * 5


@on_contacts
async def test_what_is_shown_is_on_when_it_is_acknowledged_and_ends_by_itself(rig: Rig) -> None:
    assert rig.energised is not None
    await rig.bridge.show(SHORT)
    assert rig.energised() == {Output.GREEN, Output.GATE}
    assert await asyncio.to_thread(rig.dark_after_s) < BOUND_S


@that_can_be_lost
async def test_an_unreachable_bridge_raises_in_bounded_time(rig: Rig) -> None:
    assert rig.cut_off is not None
    rig.cut_off()
    with pytest.raises(BridgeError):
        await asyncio.wait_for(rig.bridge.show(ADMIT), BOUND_S)
    assert rig.bridge.alive is False


@on_contacts
async def test_what_was_energised_goes_off_when_the_host_is_cut_off(rig: Rig) -> None:
    assert rig.cut_off is not None
    await rig.bridge.show(LONG)
    rig.cut_off()
    assert await asyncio.to_thread(rig.dark_after_s) < OFF_S


@on_hardware
async def test_what_was_energised_goes_off_when_the_host_hangs(rig: Rig) -> None:
    await rig.bridge.show(LONG)
    assert rig.dark_after_s() < OFF_S


@on_contacts
async def test_a_passage_belongs_to_its_admission_and_a_second_one_to_nobody(rig: Rig) -> None:
    assert rig.touch is not None
    await rig.bridge.show(ADMIT, entry=77)
    for outcome in (GateOutcome.PASSED, GateOutcome.TAILGATED):
        rig.touch(Input.PASSAGE_A, True)
        event = await rig.next_event()
        assert isinstance(event, GateEvent)
        assert (event.outcome, event.side, event.entry) == (outcome, Side.A, 77)
        rig.touch(Input.PASSAGE_A, False)
        # Another contact, so that this one's bouncing is over.
        rig.touch(Input.BUTTON, outcome is GateOutcome.PASSED)
        assert isinstance(await rig.next_event(), InputEvent)


@on_hardware
async def test_an_admission_that_nobody_used_is_told(rig: Rig) -> None:
    await rig.bridge.show(ADMIT, entry=78)
    event = await rig.next_event()
    assert isinstance(event, GateEvent)
    assert (event.outcome, event.side, event.entry) == (GateOutcome.NOT_PASSED, Side.A, 78)


@on_hardware
async def test_a_passage_without_admission_is_forced(rig: Rig) -> None:
    assert rig.touch is not None
    rig.touch(Input.PASSAGE_B, True)
    event = await rig.next_event()
    assert isinstance(event, GateEvent)
    assert (event.outcome, event.side, event.entry) == (GateOutcome.FORCED, Side.B, 0)


@on_contacts
async def test_a_stop_drops_the_gate_and_refuses_the_next(rig: Rig) -> None:
    assert rig.touch is not None
    assert rig.energised is not None
    await rig.bridge.show(LONG)
    rig.touch(Input.STOP, True)
    event = await rig.next_event()
    assert isinstance(event, InputEvent)
    assert (event.input, event.value) == (Input.STOP, 1)
    assert rig.energised() == {Output.GREEN}
    with pytest.raises(BridgeRefused) as refused:
        await rig.bridge.show(ADMIT)
    assert refused.value.reason == Refusal.STOPPED
