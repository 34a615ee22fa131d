"""Protects: what the board does alone, which is what the C firmware has to do as well."""

from __future__ import annotations

import pytest

from admission.signal import ADMIT, GATES, REFER, Output, Pulse, Signal, SignalName
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.frame import Frame
from firmware_bridge.link.messages import (
    Acknowledge,
    Heartbeat,
    HeartbeatReply,
    Kind,
    NotAcknowledged,
    Refusal,
    Show,
)
from firmware_bridge.link.presence import DEAD_MAN_EARLY_MS
from tests.firmware_bridge.cables import MS
from tests.firmware_bridge.wire import Wire


def test_without_a_greeting_nothing_is_shown() -> None:
    wire = Wire()
    assert wire.say(Show(ADMIT), 1) == [NotAcknowledged(Refusal.NO_SESSION)]
    assert wire.board.energised == frozenset()


def test_a_repeated_show_is_acknowledged_and_not_run_twice() -> None:
    wire = Wire()
    wire.greet()
    assert wire.say(Show(ADMIT), 1) == [Acknowledge()]
    assert wire.say(Show(ADMIT), 400) == [Acknowledge()]
    assert wire.shown == [ADMIT]
    wire.board.advance(501 * MS)
    assert Output.GATE not in wire.board.energised


def test_a_show_that_was_overtaken_is_refused() -> None:
    wire = Wire()
    wire.greet()
    wire.say(Show(REFER), 1, sequence=2)
    assert wire.say(Show(ADMIT), 2, sequence=1) == [NotAcknowledged(Refusal.STALE)]
    assert wire.shown == [REFER]


def test_sequences_wrap() -> None:
    wire = Wire()
    wire.greet()
    for number in range(1, 600):
        assert wire.say(Show(REFER), number, sequence=number & 0xFF) == [Acknowledge()]
    assert len(wire.shown) == 599


def test_a_show_of_an_older_session_is_refused() -> None:
    wire = Wire()
    wire.greet(nonce=1)
    wire.say(Show(ADMIT), 1)
    old, _ = wire.session, wire.greet(nonce=2)
    assert wire.session != old
    assert wire.send(frame_of(Show(ADMIT), old, 2), 3) == [NotAcknowledged(Refusal.NO_SESSION)]


def test_a_repeated_greeting_begins_no_other_session() -> None:
    wire = Wire()
    first = wire.greet(nonce=5)
    wire.say(Show(ADMIT), 1)
    assert wire.greet(nonce=5, at_ms=2) == first
    assert wire.say(Show(ADMIT), 3) == [Acknowledge()]
    assert wire.shown == [ADMIT]


@pytest.mark.parametrize("boot_count", [1, 255, 256, 0xFFFF])
def test_sessions_of_neighbouring_starts_differ_and_none_is_zero(boot_count: int) -> None:
    first, second = Wire(boot_count=boot_count).greet(), Wire(boot_count=boot_count + 1).greet()
    assert first.session != second.session
    assert 0 not in {first.session, second.session}


def test_a_silent_host_loses_the_outputs_and_the_session() -> None:
    wire = Wire()
    wire.greet()
    wire.say(Show(ADMIT), 0)
    end_ms = 1_000 - DEAD_MAN_EARLY_MS
    wire.board.advance((end_ms - 1) * MS)
    assert wire.board.energised == {Output.GREEN}
    assert wire.board.next_deadline_ns == end_ms * MS
    wire.board.advance(end_ms * MS)
    assert wire.board.energised == frozenset()
    assert not wire.board.has_host
    assert wire.say(Heartbeat(), 1_001) == [NotAcknowledged(Refusal.NO_SESSION)]


def test_a_heartbeat_holds_the_dead_mans_handle() -> None:
    wire = Wire()
    wire.greet()
    wire.say(Show(ADMIT), 0)
    assert wire.say(Heartbeat(), 900) == [
        HeartbeatReply(900, frozenset({Output.GREEN}), frozenset())
    ]
    wire.board.advance(1_400 * MS)
    assert wire.board.energised == {Output.GREEN}


def test_a_greeting_does_not_hold_the_handle() -> None:
    """A host that hears nothing greets for ever, and so does a recording of one."""
    wire = Wire()
    wire.greet()
    wire.say(Show(ADMIT), 0)
    for at_ms in range(0, 990, 90):
        wire.greet(nonce=7 + at_ms // 500, at_ms=at_ms)
    wire.board.advance(995 * MS)
    assert wire.board.energised == frozenset()
    assert not wire.board.has_host


def test_who_only_greets_is_no_host() -> None:
    wire = Wire(BoardConfiguration(safe_blink=True, fail_safe=True))
    on: set[Output] = set()
    for at_ms in range(0, 3_000, 100):
        wire.greet(at_ms=at_ms)
        on |= wire.board.energised
        assert not wire.board.has_host
        assert not wire.board.coils & GATES, "the lock is free: nobody could open it"
    assert on == {Output.AMBER, Output.RED}, "the lamps say so"
    assert isinstance(wire.say(Heartbeat(), 2_950)[0], HeartbeatReply)
    assert wire.board.coils == GATES


def test_a_session_in_which_nobody_speaks_ends() -> None:
    wire = Wire()
    wire.greet()
    assert wire.say(Show(ADMIT), 1_000) == [NotAcknowledged(Refusal.NO_SESSION)]
    assert wire.board.energised == frozenset()


def test_a_first_show_that_could_be_a_repeated_one_is_not_acknowledged() -> None:
    wire = Wire()
    wire.greet()
    assert wire.say(Show(ADMIT), 1, sequence=0) == [NotAcknowledged(Refusal.STALE)]
    assert wire.shown == []


def test_noise_does_not_hold_the_handle() -> None:
    wire = Wire()
    wire.greet()
    wire.say(Show(ADMIT), 0)
    for at_ms in range(0, 1_000, 100):
        wire.board.receive(b"\x55\xaa\x00\x13", at_ms * MS)
    wire.board.advance(1_000 * MS)
    assert wire.board.energised == frozenset()


def test_the_safe_state_may_blink_lamps_and_nothing_else() -> None:
    wire = Wire(BoardConfiguration(safe_blink=True))
    wire.board.advance(0)
    on: set[Output] = set()
    while (due_ns := wire.board.next_deadline_ns or 0) < 20_000 * MS:
        wire.board.advance(due_ns)
        on |= wire.board.energised
    assert on == {Output.AMBER, Output.RED}
    edges = [e for e in wire.board.take_edges() if e.energised]
    assert len(edges) > 20
    wire.greet(at_ms=20_000)
    assert wire.board.energised == frozenset()


def test_outputs_that_are_not_fitted_are_refused() -> None:
    wire = Wire(BoardConfiguration(outputs=frozenset({Output.GREEN})))
    assert wire.greet().outputs == {Output.GREEN}
    assert wire.say(Show(ADMIT), 1) == [NotAcknowledged(Refusal.NO_SUCH_OUTPUT)]
    assert wire.board.energised == frozenset()


def test_values_beyond_the_limits_are_refused_by_the_board_itself() -> None:
    wire = Wire()
    wire.greet()
    forever = frame_of(Show(Signal(SignalName.ADMIT, (Pulse(Output.GATE, 5_000),))), 0, 1)
    payload = bytearray(forever.payload)
    payload[7:9] = (5_001).to_bytes(2, "little")
    assert wire.send(Frame(Kind.SHOW, wire.session, 1, bytes(payload)), 1) == [
        NotAcknowledged(Refusal.MALFORMED)
    ]
    assert wire.board.energised == frozenset()


def test_another_version_is_answered_with_our_own() -> None:
    wire = Wire()
    assert wire.send(Frame(Kind.HELLO, 0, 0, bytes(9), version=1), 1) == [
        NotAcknowledged(Refusal.VERSION)
    ]


def test_an_echo_of_its_own_voice_is_not_answered() -> None:
    wire = Wire()
    wire.greet()
    for message in (Acknowledge(), NotAcknowledged(3), HeartbeatReply(1, frozenset(), frozenset())):
        assert wire.say(message, 900) == []
    wire.board.advance(1_000 * MS)
    assert not wire.board.has_host, "an echo does not hold the dead-man's handle"
