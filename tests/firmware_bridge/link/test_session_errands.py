"""Protects: configuring over the cable, and what the host knows of gates and contacts."""

from __future__ import annotations

from random import Random

from admission.gate import GateOutcome, Input, Side
from admission.signal import ADMIT, REFER, REFUSE, Output
from firmware_bridge.errors import BridgeRefused, BridgeSuperseded, BridgeTimeout, BridgeUnavailable
from firmware_bridge.link.codec import message_of
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.events import Ended
from firmware_bridge.link.flights import SHOW_BOUND_NS
from firmware_bridge.link.frame import Decoder, Frame, encode
from firmware_bridge.link.messages import (
    ConfigurationReply,
    Configure,
    EventAcknowledge,
    GateEvent,
    InputEvent,
    Kind,
    ReadConfiguration,
    Refusal,
)
from firmware_bridge.link.session import Session
from tests.firmware_bridge.cables import MS, Cable, an_open_cable

TURNSTILE = BoardConfiguration(
    inputs=frozenset({Input.PASSAGE_A, Input.STOP, Input.FIRE}), window_ms=2_000
)


def answers(cable: Cable) -> dict[int, object]:
    return {e.ticket: e.answer for e in cable.events if isinstance(e, Ended)}


def gate_events(cable: Cable) -> list[GateEvent]:
    return [event for event in cable.events if isinstance(event, GateEvent)]


def test_the_configuration_is_read_beside_a_show_that_is_under_way() -> None:
    cable = an_open_cable(configuration=TURNSTILE)
    read, shown = cable.session.ask(ReadConfiguration(), cable.now_ns), cable.show(ADMIT)
    cable.run_for(10)
    assert cable.endings() == {read: None, shown: None}
    assert answers(cable)[read] == ConfigurationReply(TURNSTILE)
    assert cable.executed == [ADMIT]
    assert cable.session.counters.shows == cable.session.counters.acknowledged == 1


def test_a_configuration_is_refused_without_the_jumper() -> None:
    cable = an_open_cable()
    ticket = cable.session.ask(Configure(TURNSTILE), cable.now_ns)
    cable._exchange()
    cable.run_for(10)
    error = cable.endings()[ticket]
    assert isinstance(error, BridgeRefused)
    assert error.reason == Refusal.LOCKED
    assert "jumper" in error.hint


def test_a_board_that_was_configured_is_met_again_after_its_restart() -> None:
    cable = an_open_cable()
    cable.board.jumper = True
    cable.show(ADMIT)
    ticket = cable.session.ask(Configure(TURNSTILE), cable.now_ns)
    cable.run_for(10)
    assert cable.endings()[ticket] is None
    assert cable.board.energised == frozenset()
    cable.configuration = cable.board.take_configuration()
    assert cable.configuration == TURNSTILE
    cable.run_for(300)
    assert len(cable.downs()) == 1, "the session is over for both"
    cable.reset_board()
    cable.run_for(1_500)
    assert cable.ups()[-1].board.fingerprint == TURNSTILE.fingerprint
    assert cable.session.alive(cable.now_ns)


def test_requests_end_within_the_bound_as_shows_do() -> None:
    cable = an_open_cable()
    cable.plugged = False
    older = cable.session.ask(ReadConfiguration(), cable.now_ns)
    newer = cable.session.ask(ReadConfiguration(), cable.now_ns)
    shown = cable.show(REFER)
    cable.run_for(SHOW_BOUND_NS / MS)
    assert isinstance(cable.endings()[older], BridgeSuperseded)
    assert isinstance(cable.endings()[newer], BridgeTimeout)
    assert isinstance(cable.endings()[shown], BridgeTimeout)
    cable.session.close(BridgeUnavailable("gone"))
    last = cable.session.ask(Configure(TURNSTILE), cable.now_ns)
    cable.take_events()
    assert isinstance(cable.endings()[last], BridgeUnavailable)


def test_who_passed_is_told_by_the_entry_that_opened_the_gate() -> None:
    cable = an_open_cable(configuration=TURNSTILE)
    cable.show(ADMIT, entry=0xFFFF_FFFF)
    cable.run_for(500)
    cable.board.sense(Input.PASSAGE_A, 1, cable.now_ns)
    cable.run_for(100)
    (passed,) = gate_events(cable)
    assert (passed.outcome, passed.side, passed.entry) == (GateOutcome.PASSED, Side.A, 0xFFFF_FFFF)
    cable.show(ADMIT, entry=2)
    cable.run_for(3_000)
    assert [event.outcome for event in gate_events(cable)][1:] == [GateOutcome.NOT_PASSED]
    assert cable.session.counters.events == 2


def test_a_stopped_gate_is_refused_with_its_reason_and_the_link_stays_up() -> None:
    cable = an_open_cable(configuration=TURNSTILE)
    cable.board.sense(Input.STOP, 1, cable.now_ns)
    cable.run_for(30)
    assert cable.session.sensed == {Input.STOP}
    ticket = cable.show(ADMIT, entry=1)
    cable.run_for(10)
    error = cable.endings()[ticket]
    assert isinstance(error, BridgeRefused)
    assert error.reason == Refusal.STOPPED
    ticket = cable.show(REFUSE)
    cable.run_for(10)
    assert cable.endings()[ticket] is None
    assert Output.RED in cable.board.energised
    assert not cable.downs()


def test_what_was_active_before_the_greeting_is_known_after_it() -> None:
    cable = Cable(configuration=TURNSTILE)
    cable.board.sample(frozenset({Input.FIRE}), cable.now_ns)
    cable.open()
    cable.run_for(5)
    assert cable.session.sensed == {Input.FIRE}


def test_an_event_that_this_version_does_not_know_does_not_block_the_next_one() -> None:
    cable = an_open_cable(configuration=TURNSTILE)
    session = cable.session._session
    unknown = Frame(Kind.INPUT, session, 1, bytes([7, 1, 0, 0, 0, 0, 0]))
    cable.plugged = False
    cable.inject(encode(unknown), to_board=False)
    cable.session.receive(encode(unknown), cable.now_ns)
    said = [message_of(frame) for frame in Decoder().feed(cable.session.take_bytes())]
    assert said == [EventAcknowledge()]
    assert cable.session.counters.misunderstood == 2
    assert not gate_events(cable)


def pressed(cable: Cable) -> list[InputEvent]:
    return [event for event in cable.events if isinstance(event, InputEvent)]


def test_the_board_keeps_an_event_until_it_is_confirmed() -> None:
    cable = an_open_cable()
    cable.confirms = False
    for value in (1, 0):
        cable.board.sense(Input.STOP, value, cable.now_ns)
        cable.run_for(500)
    assert [event.value for event in pressed(cable)] == [1], "repeated, and heard once"
    cable.session.confirm(pressed(cable)[0])
    cable.run_for(200)
    assert [event.value for event in pressed(cable)] == [1, 0]


def test_an_event_that_nobody_kept_is_told_to_the_next_host() -> None:
    cable = an_open_cable()
    cable.confirms = False
    cable.board.sense(Input.STOP, 1, cable.now_ns)
    cable.run_for(500)
    cable.session = Session(Random(2).getrandbits)
    cable.session.open(cable.now_ns)
    cable.run_for(500)
    assert [event.value for event in pressed(cable)] == [1, 1]


def test_a_late_confirmation_is_not_for_a_board_that_began_anew() -> None:
    cable = an_open_cable()
    cable.confirms = False
    cable.board.sense(Input.STOP, 1, cable.now_ns)
    cable.run_for(500)
    cable.reset_board()
    cable.run_for(1_500)
    cable.board.sense(Input.TAMPER, 1, cable.now_ns)
    cable.run_for(500)
    first, second = pressed(cable)
    cable.session.confirm(first)
    cable.run_for(500)
    cable.session = Session(Random(2).getrandbits)
    cable.session.open(cable.now_ns)
    cable.run_for(500)
    assert pressed(cable)[2:] == [second], "the board holds it still"
