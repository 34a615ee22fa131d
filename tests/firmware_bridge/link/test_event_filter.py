"""Protects: the host takes each event once, and knows what is active whatever comes late."""

from __future__ import annotations

from admission.gate import GateOutcome, Input, Side
from firmware_bridge.link.event_filter import EventFilter, Sensed
from firmware_bridge.link.messages import GateEvent, InputEvent

FIRE = frozenset({Input.FIRE})


def test_the_filter_follows_the_boards_starts() -> None:
    known = EventFilter()
    seen = [(1, 255), (1, 255), (1, 0), (1, 255), (2, 0), (2, 0)]
    fire = InputEvent(Input.FIRE, 1, 0)
    assert [known.take(fire, *one) for one in seen] == [True, False, True, False, True, False]


def test_events_change_what_the_heartbeat_said() -> None:
    sensed = Sensed()
    sensed.beaten(frozenset(), 1_000)
    sensed.changed(InputEvent(Input.FIRE, 1, 1_100))
    assert sensed.active == FIRE
    sensed.changed(GateEvent(GateOutcome.FORCED, Side.A, 0, 1_150))
    assert sensed.active == FIRE
    sensed.changed(InputEvent(Input.FIRE, 0, 1_200))
    assert sensed.active == frozenset()


def test_an_event_that_waited_for_a_host_does_not_bring_a_fire_back() -> None:
    sensed = Sensed()
    sensed.greeted(frozenset())
    sensed.changed(InputEvent(Input.FIRE, 1, 500))
    assert sensed.active == frozenset()
    sensed.beaten(frozenset(), 9_000)
    sensed.changed(InputEvent(Input.FIRE, 1, 500))
    assert sensed.active == frozenset()


def test_the_boards_clock_may_wrap() -> None:
    sensed = Sensed()
    sensed.beaten(frozenset(), 0xFFFF_FFF0)
    sensed.changed(InputEvent(Input.FIRE, 1, 5))
    assert sensed.active == FIRE
