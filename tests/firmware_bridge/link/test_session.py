"""Protects: the host knows within its bounds whether the board shows what it was told."""

from __future__ import annotations

from random import Random

from admission.gate import Input
from admission.signal import ADMIT, OUT_OF_ORDER, REFER, Output, Pulse, Signal, SignalName
from firmware_bridge.errors import (
    BridgeRefused,
    BridgeSuperseded,
    BridgeTimeout,
    BridgeUnavailable,
)
from firmware_bridge.link.codec import frame_of
from firmware_bridge.link.events import State
from firmware_bridge.link.flights import SHOW_BOUND_NS
from firmware_bridge.link.frame import Frame, encode
from firmware_bridge.link.messages import (
    Acknowledge,
    Heartbeat,
    InputEvent,
    Kind,
    NotAcknowledged,
    Refusal,
)
from firmware_bridge.link.session import Session
from tests.firmware_bridge.cables import MS, Cable, an_open_cable


def test_a_show_is_acknowledged_after_one_round_trip() -> None:
    cable = an_open_cable()
    ticket = cable.show(ADMIT)
    cable.run_for(2)
    assert cable.endings() == {ticket: None}
    assert cable.executed == [ADMIT]
    assert cable.session.timer.smoothed_ns == 2 * MS


def test_a_show_before_any_port_is_open_ends_at_once() -> None:
    cable = Cable()
    ticket = cable.show(ADMIT)
    error = cable.endings()[ticket]
    assert isinstance(error, BridgeUnavailable)
    assert error.hint


def test_a_show_waits_for_the_greeting_and_then_runs() -> None:
    cable = Cable()
    cable.open()
    ticket = cable.show(ADMIT)
    cable.run_for(10)
    assert cable.endings() == {ticket: None}
    assert cable.executed == [ADMIT]


def test_a_show_to_nobody_ends_unavailable_within_the_bound() -> None:
    cable = Cable()
    cable.plugged = False
    cable.open()
    ticket = cable.show(ADMIT)
    cable.run_for(SHOW_BOUND_NS / MS)
    assert isinstance(cable.endings()[ticket], BridgeUnavailable)


def test_a_show_that_nobody_acknowledges_ends_within_the_bound() -> None:
    cable = an_open_cable()
    cable.plugged = False
    ticket = cable.show(ADMIT)
    cable.run_for(SHOW_BOUND_NS / MS)
    assert isinstance(cable.endings()[ticket], BridgeTimeout)
    assert cable.session.counters.retries >= 3
    assert cable.session.counters.timed_out == 1


def test_a_lost_acknowledgement_is_asked_for_again_and_the_show_runs_once() -> None:
    cable = an_open_cable()
    cable.show(ADMIT)
    cable._travelling.clear()
    cable.board.receive(b"", cable.now_ns)
    ticket = cable.show(REFER)
    cable._travelling.clear()
    cable.run_for(200)
    assert cable.endings()[ticket] is None
    assert cable.executed == [REFER]


def test_the_newest_show_wins() -> None:
    cable = an_open_cable()
    older, newer = cable.show(ADMIT), cable.show(OUT_OF_ORDER)
    cable.run_for(10)
    assert isinstance(cable.endings()[older], BridgeSuperseded)
    assert cable.endings()[newer] is None
    assert cable.executed[-1] == OUT_OF_ORDER
    assert Output.GREEN not in cable.board.energised


def test_an_unplugged_cable_mid_pattern() -> None:
    """All off within the board's dead-man, the link dead within a second, both by virtual time."""
    cable = an_open_cable()
    cable.show(Signal(SignalName.ADMIT, (Pulse(Output.GREEN, 5_000), Pulse(Output.GATE, 5_000))))
    cable.run_for(300)
    assert cable.board.energised == {Output.GREEN, Output.GATE}
    cable.plugged = False
    unplugged_ns = cable.now_ns
    ticket = cable.show(REFER)
    cable.run_for(999)
    assert isinstance(cable.endings()[ticket], BridgeTimeout)
    assert not cable.session.alive(unplugged_ns + 1_000 * MS)
    cable.run_for(1)
    assert cable.board.energised == frozenset()
    assert len(cable.downs()) == 1
    assert cable.executed == [cable.executed[0]]


def test_the_link_comes_back_when_the_cable_does() -> None:
    cable = an_open_cable()
    cable.plugged = False
    cable.run_for(3_000)
    assert cable.session.state is State.GREETING
    cable.plugged = True
    cable.run_for(150)
    assert cable.session.alive(cable.now_ns)
    ticket = cable.show(ADMIT)
    cable.run_for(10)
    assert cable.endings()[ticket] is None


def test_a_board_reset_is_noticed_at_the_next_beat_and_the_session_begins_anew() -> None:
    cable = an_open_cable()
    cable.reset_board()
    cable.run_for(300)
    assert [up.board.boot_count for up in cable.ups()] == [1, 2]
    assert cable.session.counters.board_resets == 1
    assert cable.session.alive(cable.now_ns)


def test_a_show_that_was_sent_before_a_reset_is_not_sent_again_after_it() -> None:
    cable = an_open_cable()
    ticket = cable.show(ADMIT)
    cable.run_for(1)
    cable._travelling.clear()
    cable.reset_board()
    cable.run_for(400)
    assert isinstance(cable.endings()[ticket], BridgeUnavailable)
    assert cable.executed == [ADMIT]


def test_an_idle_link_stays_up_by_heartbeats() -> None:
    cable = an_open_cable()
    cable.run_for(60_000)
    assert cable.session.alive(cable.now_ns)
    assert len(cable.ups()) == 1
    assert not cable.downs()


def test_a_heartbeat_tells_what_is_on() -> None:
    cable = an_open_cable()
    assert cable.session.energised == frozenset()
    cable.show(ADMIT)
    cable.run_for(400)
    assert Output.GREEN in cable.session.energised
    cable.run_for(3_000)
    assert cable.session.energised == frozenset()


def test_a_refusal_ends_the_show_at_once() -> None:
    cable = an_open_cable()
    session = cable.session._session
    ticket = cable.show(ADMIT)
    payload = bytes([Refusal.MALFORMED])
    cable.inject(encode(Frame(Kind.NOT_ACKNOWLEDGED, session, 1, payload)), to_board=False)
    assert isinstance(cable.endings()[ticket], BridgeRefused)


def test_refusals_of_other_sessions_and_shows_change_nothing() -> None:
    cable = an_open_cable()
    session = cable.session._session
    ticket = cable.show(ADMIT)
    for other, sequence, reason in ((session + 1, 1, 1), (session, 2, 3), (session, 0, 5)):
        frame = Frame(Kind.NOT_ACKNOWLEDGED, other, sequence, bytes([reason]))
        cable.inject(encode(frame), to_board=False)
    assert ticket not in cable.endings()
    cable.run_for(10)
    assert cable.endings()[ticket] is None


def test_an_echoing_cable_is_no_board() -> None:
    session = Session(Random(0).getrandbits)
    session.open(0)
    session.receive(session.take_bytes(), MS)
    assert session.state is State.GREETING


def test_an_echo_does_not_keep_a_dead_link_alive() -> None:
    cable = an_open_cable()
    cable.plugged = False
    for _ in range(12):
        beat = frame_of(Heartbeat(), cable.session._session, 1)
        cable.inject(encode(beat), to_board=False)
        cable.run_for(100)
    assert not cable.session.alive(cable.now_ns)


def test_an_acknowledgement_of_another_session_is_not_believed() -> None:
    cable = an_open_cable()
    cable.plugged = False
    ticket = cable.show(ADMIT)
    stale = frame_of(Acknowledge(), cable.session._session - 1, 1)
    cable.inject(encode(stale), to_board=False)
    assert ticket not in cable.endings()


def test_the_answer_to_another_greeting_begins_no_session() -> None:
    cable = an_open_cable()
    answer = cable.ups()[0].board
    cable.session.open(cable.now_ns)
    cable.inject(encode(frame_of(answer, 0, 0)), to_board=False)
    assert cable.session.state is State.GREETING


def test_closing_the_port_ends_what_is_in_flight() -> None:
    cable = an_open_cable()
    ticket = cable.show(ADMIT)
    reason = BridgeUnavailable("gone")
    cable.session.close(reason)
    cable.take_events()
    assert cable.endings()[ticket] is reason
    assert cable.session.take_bytes() == b""


def test_inputs_arrive_once_and_in_order_over_a_reset_of_the_link() -> None:
    cable = an_open_cable()
    cable.board.sense(Input.BUTTON, 1, cable.now_ns)
    cable.run_for(20.5)
    cable._travelling.clear()  # the host has it, its confirmation is lost
    cable.session.close(BridgeUnavailable("gone"))
    cable.open()
    cable.board.sense(Input.BUTTON, 0, cable.now_ns)
    cable.run_for(200)
    events = [event for event in cable.events if isinstance(event, InputEvent)]
    assert [event.value for event in events] == [1, 0]


def test_an_unknown_reason_is_told_by_its_number() -> None:
    cable = an_open_cable()
    ticket = cable.show(ADMIT)
    frame = Frame(Kind.NOT_ACKNOWLEDGED, cable.session._session, 1, bytes([99]))
    cable.inject(encode(frame), to_board=False)
    assert "reason 99" in str(cable.endings()[ticket])
    assert NotAcknowledged(99).reason == 99
