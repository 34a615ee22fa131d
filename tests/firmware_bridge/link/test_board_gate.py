"""Protects: contacts, gates and configuration as the board handles them, alone."""

from __future__ import annotations

from admission.gate import MAX_QUEUED, GateOutcome, Input, Side
from admission.signal import ADMIT, REFER, REFUSE, Output, Pulse, Signal, SignalName
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.event_queue import MAX_WAITING, MAX_WAITING_INPUTS
from firmware_bridge.link.frame import Frame
from firmware_bridge.link.messages import (
    Acknowledge,
    BoardState,
    ConfigurationReply,
    Configure,
    EventAcknowledge,
    GateEvent,
    Heartbeat,
    Hello,
    InputEvent,
    Kind,
    Message,
    NotAcknowledged,
    ReadConfiguration,
    Refusal,
    Show,
)
from firmware_bridge.link.presence import DEAD_MAN_EARLY_MS
from tests.firmware_bridge.cables import MS
from tests.firmware_bridge.wire import Wire


def test_an_input_is_repeated_until_it_is_confirmed_and_then_the_next_one_goes() -> None:
    wire = Wire()
    wire.greet()
    wire.board.sense(Input.BUTTON, 1, 10 * MS)
    wire.board.sense(Input.TAMPER, 1, 11 * MS)
    wire.board.advance(31 * MS)
    button, tamper = InputEvent(Input.BUTTON, 1, 30), InputEvent(Input.TAMPER, 1, 31)
    assert wire.heard() == [button]
    wire.board.advance(130 * MS)
    assert wire.heard() == [button]
    assert wire.say(EventAcknowledge(), 140, sequence=1) == [tamper]
    assert wire.say(EventAcknowledge(), 141, sequence=1) == []
    assert wire.say(EventAcknowledge(), 142, sequence=2) == []
    wire.board.advance(900 * MS)
    assert wire.heard() == []


def toggled(wire: Wire, source: Input, times: int, from_ms: int) -> int:
    """Let a contact change so often, each time for long enough. Return when it is over."""
    for number in range(times):
        wire.board.sense(source, 1 - number % 2, (from_ms + 30 * number) * MS)
        wire.board.advance((from_ms + 30 * number + 29) * MS)
    return from_ms + 30 * times


def drained(wire: Wire, at_ms: int) -> list[Message]:
    """Confirm whatever waits, one after the other. Return it."""
    told: list[Message] = []
    sequence = 1
    while answers := wire.say(EventAcknowledge(), at_ms, sequence=sequence):
        told += answers
        sequence += 1
    return told


def test_inputs_wait_for_a_host_in_bounded_memory_and_say_how_many_were_lost() -> None:
    wire = Wire()
    over_ms = toggled(wire, Input.BUTTON, MAX_WAITING_INPUTS + 3, 0)
    wire.greet(at_ms=over_ms)
    assert len(drained(wire, over_ms)) == MAX_WAITING_INPUTS - 1
    toggled(wire, Input.TAMPER, 1, over_ms)
    assert wire.heard() == [InputEvent(Input.TAMPER, 1, over_ms + 20, lost=3)]


FITTED = BoardConfiguration(inputs=frozenset(Input) - {Input.READY})


def test_a_contact_that_bounces_does_not_crowd_out_who_forced_the_gate() -> None:
    wire = Wire(FITTED)
    over_ms = toggled(wire, Input.BUTTON, 20, 0)
    over_ms = toggled(wire, Input.PASSAGE_A, 2 * MAX_WAITING, over_ms)
    (_, first, *_) = wire.send(frame_of(Hello(9), 0, 0), over_ms)
    assert isinstance(first, InputEvent)
    wire.session = 257
    told = drained(wire, over_ms)
    forced = [event for event in told if isinstance(event, GateEvent)]
    assert len(forced) == MAX_WAITING - MAX_WAITING_INPUTS
    assert forced[0].outcome is GateOutcome.FORCED
    assert forced[0].lost == 20 - MAX_WAITING_INPUTS


def test_bouncing_is_no_event() -> None:
    wire = Wire()
    wire.greet()
    for at_ms in range(0, 200, 19):
        wire.board.sense(Input.TAMPER, at_ms // 19 % 2, at_ms * MS)
    wire.board.sense(Input.TAMPER, 0, 220 * MS)
    wire.board.advance(400 * MS)
    assert wire.heard() == []


def test_what_is_active_from_the_start_is_said_and_is_no_event() -> None:
    wire = Wire(FITTED)
    wire.board.sample(frozenset({Input.STOP, Input.PASSAGE_A, Input.READY}), 0)
    reply = wire.greet(at_ms=50)
    assert reply.sensed == {Input.STOP, Input.PASSAGE_A}, "nobody listens to what is not fitted"
    assert wire.say(Show(ADMIT), 51) == [NotAcknowledged(Refusal.STOPPED)]
    assert wire.heard() == []


def test_a_gate_opens_for_one_entry_and_says_who_passed() -> None:
    wire = Wire(FITTED)
    wire.greet()
    assert wire.say(Show(ADMIT, entry=77), 1) == [Acknowledge()]
    assert Output.GATE in wire.board.energised
    wire.board.sense(Input.PASSAGE_A, 1, 300 * MS)
    wire.board.advance(320 * MS)
    assert wire.heard() == [GateEvent(GateOutcome.PASSED, Side.A, 77, 320)]
    wire.board.advance(501 * MS)
    assert Output.GATE not in wire.board.energised


def test_a_refusal_of_the_next_one_does_not_lock_the_gate_on_the_one_before() -> None:
    wire = Wire(FITTED)
    wire.greet()
    wire.say(Show(ADMIT, entry=1), 1)
    wire.say(Show(REFUSE), 100, sequence=2)
    assert wire.board.energised == {Output.RED, Output.BUZZER, Output.GATE}


def test_stop_locks_at_once_and_what_was_refused_is_refused_again_to_a_doubled_frame() -> None:
    wire = Wire(FITTED)
    wire.greet()
    wire.say(Show(ADMIT, entry=1), 1)
    wire.board.sense(Input.STOP, 1, 100 * MS)
    wire.board.advance(120 * MS)
    assert Output.GATE not in wire.board.energised
    assert wire.heard() == [InputEvent(Input.STOP, 1, 120)]
    stopped = [NotAcknowledged(Refusal.STOPPED)]
    assert wire.say(Show(ADMIT, entry=2), 130, sequence=2) == stopped
    wire.board.sense(Input.STOP, 0, 140 * MS)
    wire.say(EventAcknowledge(), 165, sequence=1)
    assert wire.say(Show(ADMIT, entry=2), 170, sequence=2) == stopped
    assert Output.GATE not in wire.board.energised
    assert wire.say(Show(ADMIT, entry=2), 250, sequence=3) == [Acknowledge()]


def test_a_refused_gate_moves_nothing_of_its_signal() -> None:
    wire = Wire(FITTED)
    wire.greet()
    for number in range(1, MAX_QUEUED + 2):
        assert wire.say(Show(ADMIT, entry=number), 1, sequence=number) == [Acknowledge()]
    both = Signal(SignalName.TEST, (Pulse(Output.GATE_B, 300), Pulse(Output.GATE, 300)))
    energised = wire.board.energised
    assert wire.say(Show(both), 2, sequence=9) == [NotAcknowledged(Refusal.BUSY)]
    assert wire.board.energised == energised


def test_who_was_still_waiting_when_the_host_was_lost_is_told_to_the_next_one() -> None:
    wire = Wire(FITTED)
    wire.greet()
    wire.say(Show(ADMIT, entry=1), 1)
    wire.say(Show(ADMIT, entry=2), 2, sequence=2)
    wire.board.advance(1_002 * MS)
    assert not wire.board.has_host
    _, annulled = wire.send(frame_of(Hello(9), 0, 0), 2_000)
    assert annulled == GateEvent(GateOutcome.NOT_PASSED, Side.A, 2, 1_002 - DEAD_MAN_EARLY_MS)


FAIL_SAFE = BoardConfiguration(
    outputs=frozenset(Output) - {Output.GATE_B},
    fail_safe=True,
    active_low=frozenset({Output.GATE, Output.RED}),
)


def test_a_lock_held_by_current_is_free_without_a_host_and_locked_with_one() -> None:
    wire = Wire(FAIL_SAFE)
    assert wire.board.coils == frozenset()
    assert wire.board.pins == {Output.GATE, Output.RED}, "a low level would energise them"
    wire.greet()
    wire.say(Heartbeat(), 0)
    assert wire.board.coils == {Output.GATE}
    assert wire.board.pins == {Output.RED}
    wire.say(Show(ADMIT, entry=1), 1)
    assert Output.GATE in wire.board.energised
    assert Output.GATE not in wire.board.coils
    wire.board.advance(501 * MS)
    assert wire.board.coils == {Output.GATE, Output.GREEN}
    wire.board.advance(1_001 * MS)
    assert wire.board.coils == frozenset()


def test_a_new_board_drives_only_what_is_on() -> None:
    """Its outputs may be wired either way: a low level may be what opens the gate."""
    wire = Wire(state=BoardState(0))
    assert wire.board.driven == frozenset()
    wire.greet()
    wire.say(Show(ADMIT), 0)
    assert wire.board.driven == wire.board.pins == wire.board.energised != frozenset()
    wire.board.advance(995 * MS)
    assert wire.board.driven == frozenset()


def test_a_board_whose_configuration_is_damaged_drives_nothing() -> None:
    wire = Wire(state=BoardState.DAMAGED)
    assert wire.board.driven == frozenset()
    assert BoardState.DAMAGED in wire.greet().state
    assert wire.say(Show(REFER), 1) == [NotAcknowledged(Refusal.NOT_CONFIGURED)]
    assert wire.board.energised == wire.board.coils == wire.board.pins == frozenset()


def test_it_is_configured_only_while_the_jumper_is_fitted_and_then_waits_for_its_restart() -> None:
    wire = Wire()
    wire.greet()
    assert wire.say(ReadConfiguration(), 1) == [ConfigurationReply(BoardConfiguration())]
    assert wire.say(Configure(FAIL_SAFE), 2) == [NotAcknowledged(Refusal.LOCKED)]
    assert wire.board.take_configuration() is None
    wire.board.jumper = True
    assert BoardState.JUMPER in wire.greet(nonce=8, at_ms=3).state
    wire.say(Show(ADMIT), 4)
    assert wire.say(Configure(FAIL_SAFE), 5, sequence=2) == [Acknowledge()]
    assert wire.board.energised == frozenset()
    assert wire.board.take_configuration() == FAIL_SAFE
    assert wire.board.take_configuration() is None
    assert wire.say(Heartbeat(), 6) == [NotAcknowledged(Refusal.NO_SESSION)]
    assert wire.send(frame_of(Hello(9), 0, 0), 7) == []


def test_a_configuration_beyond_the_limits_is_refused_by_the_board_itself() -> None:
    wire = Wire()
    wire.greet()
    wire.board.jumper = True
    forever = bytearray(BoardConfiguration().pack())
    forever[6:8] = (5_001).to_bytes(2, "little")
    frame = Frame(Kind.CONFIGURE, wire.session, 1, bytes(forever))
    assert wire.send(frame, 1) == [NotAcknowledged(Refusal.MALFORMED)]


def test_the_greeting_says_what_the_configuration_is() -> None:
    wire = Wire(BoardConfiguration(max_on_ms=(1_000, 1_000, 900, 800, 700, 5_000)))
    reply = wire.greet()
    assert reply.fingerprint == wire.board.configuration.fingerprint
    assert reply.max_on_ms == 5_000
    assert Wire(FAIL_SAFE).greet().window_ms == 5_000
