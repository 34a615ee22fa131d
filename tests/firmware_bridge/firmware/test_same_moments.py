"""Protects: both boards agree on the moments that chance seldom finds, and as the protocol says."""

from __future__ import annotations

import pytest

from admission.gate import GateOutcome, Input
from admission.signal import Output, Pulse, Signal, SignalName
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.event_queue import MAX_WAITING, MAX_WAITING_INPUTS
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardState,
    GateEvent,
    Hello,
    InputEvent,
    Kind,
    Message,
    NotAcknowledged,
    Refusal,
    Show,
)
from tests.firmware_bridge.firmware.twins import Twins

READY_GATE = BoardConfiguration(
    inputs=frozenset(Input), window_ms=1_000, settle_ms=200, debounce_ms=5
)
ENTRY = Signal(SignalName.ADMIT, (Pulse(Output.GATE, 100),))
READY = frozenset({Input.READY})
PULSE = (Output.GREEN, 1_000, 500, 2)


def an_admission(entry: int = 9) -> Twins:
    """A gate with READY, and somebody just admitted."""
    twins = Twins(READY_GATE)
    twins.touch(READY)
    twins.pass_ms(300)
    twins.say(Hello(1), session=0)
    twins.say(Show(ENTRY, entry), sequence=1)
    return twins


def outcomes(twins: Twins) -> list[tuple[GateOutcome, int]]:
    """What was told of the gate, once each."""
    told = {e.board_ms: e for e in twins.heard if isinstance(e, GateEvent)}
    return [(event.outcome, event.entry) for event in told.values()]


def test_a_passage_just_before_the_windows_end_is_confirmed_after_it() -> None:
    twins = an_admission()
    twins.hold_on(900)
    twins.touch(READY | {Input.PASSAGE_A})
    twins.hold_on(50)
    twins.touch(READY)
    twins.hold_on(500)
    assert outcomes(twins) == [(GateOutcome.PASSED, 9)]


@pytest.mark.parametrize("spoiler", [READY | {Input.FIRE}, frozenset[Input]()])
def test_a_passage_is_not_counted_if_the_turnstile_fails_behind_it(
    spoiler: frozenset[Input],
) -> None:
    """By a fire, or by READY that falls: its contacts then look like a passage."""
    twins = an_admission()
    twins.hold_on(300)
    twins.touch(READY | {Input.PASSAGE_A})
    twins.hold_on(50)
    twins.touch(spoiler | {Input.PASSAGE_A})
    twins.hold_on(60)
    twins.touch(READY)
    twins.hold_on(1_500)
    assert (GateOutcome.PASSED, 9) not in outcomes(twins)


def test_whoever_waits_when_ready_goes_off_is_annulled_and_no_gate_opens() -> None:
    twins = an_admission()
    twins.say(Show(ENTRY, 10), sequence=2)
    twins.say(Show(ENTRY, 11), sequence=3)
    twins.hold_on(300)
    twins.touch(frozenset())
    for _ in range(40):
        twins.hold_on(100)
        assert Output.GATE not in twins.c.energised
    told = [(e.outcome, e.entry) for e in twins.heard if isinstance(e, GateEvent)]
    assert list(dict.fromkeys(told)) == [(GateOutcome.NOT_PASSED, entry) for entry in (10, 11, 9)]


def test_a_gate_is_not_unlocked_for_longer_than_passages_count() -> None:
    watched = BoardConfiguration(inputs=frozenset({Input.PASSAGE_A}), window_ms=500)
    twins = Twins(watched)
    twins.touch(frozenset())
    twins.say(Hello(1), session=0)
    both = (Pulse(Output.GATE, 5_000), Pulse(Output.GATE_B, 5_000))
    twins.say(Show(Signal(SignalName.ADMIT, both), 9), sequence=1)
    twins.hold_on(499)
    assert twins.c.energised == {Output.GATE, Output.GATE_B}
    twins.hold_on(1)
    assert twins.c.energised == {Output.GATE_B}, "no sensor there: its pulse is as asked"
    assert outcomes(twins) == [(GateOutcome.NOT_PASSED, 9)]


@pytest.mark.parametrize("stored", [BoardState(0), BoardState.STORED])
@pytest.mark.parametrize("fail_safe", [False, True])
def test_what_a_new_board_drives_is_agreed_on(stored: BoardState, fail_safe: bool) -> None:
    wired = BoardConfiguration(active_low=frozenset({Output.GATE}), fail_safe=fail_safe)
    twins = Twins(wired, state=stored)
    twins.say(Hello(1), session=0)
    twins.hold_on(300)
    twins.say(Show(ENTRY, 1), sequence=1)
    twins.hold_on(300)
    twins.pass_ms(1_100)
    assert not twins.c.has_host


def test_a_greeting_is_no_host_to_either() -> None:
    twins = Twins(BoardConfiguration(safe_blink=True, fail_safe=True))
    for number in range(60):
        twins.say(Hello(number // 9), session=0)
        twins.pass_ms(70)
        assert not twins.c.has_host
    twins.say(Show(ENTRY, 1), sequence=0)
    assert twins.heard[-1] == NotAcknowledged(Refusal.STALE)


@pytest.mark.parametrize("gates", range(6))
@pytest.mark.parametrize("edges", [MAX_WAITING_INPUTS - 1, MAX_WAITING_INPUTS, 9, 11])
def test_what_finds_no_room_is_counted_and_gates_keep_theirs(edges: int, gates: int) -> None:
    twins = Twins(BoardConfiguration(inputs=frozenset(Input) - READY, debounce_ms=1))
    twins.touch(frozenset())
    for number in range(edges):
        twins.touch(frozenset({Input.BUTTON} if number % 2 == 0 else ()))
        twins.pass_ms(5)
    for _ in range(gates):
        twins.touch(frozenset({Input.PASSAGE_B}))
        twins.pass_ms(5)
        twins.touch(frozenset())
        twins.pass_ms(5)
    twins.say(Hello(1), session=0)
    for _ in range(MAX_WAITING + 2):
        twins.confirm()
    twins.touch(frozenset({Input.TAMPER}))
    twins.pass_ms(20)
    told = [e for e in twins.heard if isinstance(e, InputEvent | GateEvent)]
    kept = [e for e in told if not (isinstance(e, InputEvent) and e.input is Input.TAMPER)]
    assert len(kept) + sum(event.lost for event in told) >= edges
    assert len([e for e in kept if isinstance(e, InputEvent)]) <= MAX_WAITING_INPUTS + 2


@pytest.mark.parametrize(
    ("pulses", "accepted"),
    [
        ([PULSE], True),
        ([(Output.GREEN, 1, 0, 1)], True),
        ([(Output.GREEN, 0, 0, 1)], False),
        ([(Output.GREEN, 5_000, 0, 1)], True),
        ([(Output.GREEN, 5_001, 0, 1)], False),
        ([(Output.GREEN, 1, 5_000, 2)], True),
        ([(Output.GREEN, 1, 5_001, 1)], False),
        ([(Output.GREEN, 1, 1, 0)], False),
        ([(Output.GREEN, 1, 1, 255)], True),
        ([(Output.GREEN, 5_000, 0, 2)], True),
        ([(Output.GREEN, 2_500, 2_500, 2)], True),
        ([(Output.GREEN, 5_000, 1, 2)], False),
        ([(Output.GREEN, 5_000, 5_000, 255)], False),
        ([(Output.GATE, 500, 0, 1)], True),
        ([(Output.GATE, 500, 0, 2)], False),
        ([(Output.GATE_B, 500, 100, 2)], False),
        ([PULSE, PULSE], False),
        ([(6, 1, 0, 1)], False),
        ([(output, 9, 0, 1) for output in Output], True),
        ([(output, 9, 0, 1) for output in range(8)], False),
    ],
)
def test_each_limit_of_a_pulse_is_where_the_protocol_has_it(
    pulses: list[tuple[int, int, int, int]], accepted: bool
) -> None:
    twins = Twins()
    twins.say(Hello(1), session=0)
    payload = bytes((1, len(pulses))) + bytes(4)
    for output, on_ms, off_ms, repeats in pulses:
        payload += bytes((output,)) + on_ms.to_bytes(2, "little") + off_ms.to_bytes(2, "little")
        payload += bytes((repeats,))
    twins.say_raw(Kind.SHOW, payload, sequence=1, session=None)
    answer: Message = Acknowledge() if accepted else NotAcknowledged(Refusal.MALFORMED)
    assert twins.heard[-1] == answer
    twins.hold_on(11_000)


@pytest.mark.parametrize(("name", "accepted"), [(0, False), (1, True), (6, True), (7, False)])
def test_names_of_signals_are_the_protocols(name: int, accepted: bool) -> None:
    twins = Twins()
    twins.say(Hello(1), session=0)
    twins.say_raw(Kind.SHOW, bytes((name, 0)) + bytes(4), sequence=1, session=None)
    answer: Message = Acknowledge() if accepted else NotAcknowledged(Refusal.MALFORMED)
    assert twins.heard[-1] == answer


def test_a_contact_that_is_closed_at_the_start_is_no_passage() -> None:
    twins = Twins(BoardConfiguration(inputs=frozenset(Input) - READY))
    twins.touch(frozenset({Input.PASSAGE_A, Input.PASSAGE_B, Input.STOP}))
    twins.say(Hello(1), session=0)
    twins.say(Show(ENTRY, 1), sequence=1)
    assert twins.heard[-1] == NotAcknowledged(Refusal.STOPPED)
    twins.hold_on(500)
    assert outcomes(twins) == []
