"""Protects: a board that runs for years does on every day what it did on the first.

The chip counts milliseconds in 32 bits, which wrap after 49.7 days and change their sign half-way:
nothing that was timed before may come alive again, or hang, weeks later.
"""

from __future__ import annotations

import pytest

from admission.gate import Input
from admission.signal import ADMIT, OUT_OF_ORDER, Output, Pulse, Signal, SignalName
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardState,
    GateEvent,
    Hello,
    InputEvent,
    NotAcknowledged,
    Refusal,
    Show,
)
from tests.firmware_bridge.firmware.twins import Twins

DAY_MS = 86_400_000
WRAP_MS = 1 << 32
JUMPS_MS = (
    1_000,
    20_000,
    DAY_MS,
    WRAP_MS // 2 - 1,  # the difference of two u32 is about to look negative
    WRAP_MS // 2 + 1,
    WRAP_MS - 1,
)
BUSY = BoardConfiguration(
    inputs=frozenset(Input),
    hold=True,
    window_ms=1_000,
    max_on_ms=(5_000, 5_000, 5_000, 300, 2_000, 2_000),
)
BOTH_WAYS = Signal(
    SignalName.ADMIT,
    (Pulse(Output.GATE, 500), Pulse(Output.GATE_B, 300), Pulse(Output.BUZZER, 900)),
)


def a_busy_minute(twins: Twins, nonce: int) -> None:
    """Use everything that is timed: cycles, edges, patterns, debounce, resends, the limit."""
    twins.touch(frozenset({Input.READY}))
    twins.pass_ms(300)
    twins.say(Hello(nonce), session=0)
    for number, signal in enumerate((ADMIT, BOTH_WAYS, BOTH_WAYS, OUT_OF_ORDER), start=1):
        twins.say(Show(signal, number), sequence=number)
        twins.hold_on(430)
        twins.touch(frozenset({Input.READY, Input.PASSAGE_A}))
        twins.hold_on(120)
        twins.touch(frozenset({Input.READY}))
    twins.hold_on(2_600)
    twins.touch(frozenset({Input.READY, Input.FIRE, Input.BUTTON}))
    twins.hold_on(500)
    twins.touch(frozenset())


@pytest.mark.parametrize("jump_ms", JUMPS_MS)
@pytest.mark.parametrize("starts_at_ms", [0, WRAP_MS - 5_000])
def test_weeks_of_quiet_leave_nothing_behind(starts_at_ms: int, jump_ms: int) -> None:
    twins = Twins(BUSY, chip_starts_at_ms=starts_at_ms)
    a_busy_minute(twins, 1)
    twins.rest()
    heard = len(twins.heard)
    twins.jump_ms(jump_ms)
    twins.pass_ms(12_000)
    assert len(twins.heard) == heard, "something came alive after weeks"
    assert twins.c.energised == frozenset()
    a_busy_minute(twins, 2)
    outcomes = {type(message) for message in twins.heard[heard:]}
    assert outcomes >= {Acknowledge, GateEvent, InputEvent}


@pytest.mark.parametrize("before_ms", range(0, 6_000, 251))
def test_the_wrap_may_fall_on_any_moment_of_a_busy_minute(before_ms: int) -> None:
    twins = Twins(BUSY, chip_starts_at_ms=WRAP_MS - 1 - before_ms)
    a_busy_minute(twins, 1)
    twins.rest()


def test_a_call_that_comes_far_too_late_ends_everything_at_once() -> None:
    """Not the twins' question: no chip whose watchdog lives gets there, but it must fall to off."""
    twins = Twins()
    twins.say(Hello(1), session=0)
    twins.say(Show(Signal(SignalName.ADMIT, (Pulse(Output.GATE, 5_000),))), sequence=1)
    assert twins.c.energised == {Output.GATE}
    twins.c.jump((twins.now_ms + 60_000) * 1_000_000)
    assert twins.c.energised == frozenset()
    assert not twins.c.has_host


def test_a_damaged_configuration_drives_no_pin() -> None:
    twins = Twins(state=BoardState.DAMAGED)
    twins.say(Hello(1), session=0)
    twins.say(Show(ADMIT, 1), sequence=1)
    assert twins.heard[-1] == NotAcknowledged(Refusal.NOT_CONFIGURED)
    twins.hold_on(1_000)
    assert (twins.c.driven, twins.c.pins, twins.c.energised) == (frozenset(),) * 3
