"""Protects: what happened at a gate reaches the host, or is counted, in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from admission.gate import GateOutcome, Input, Side
from firmware_bridge.link.event_queue import MAX_WAITING, MAX_WAITING_INPUTS, EventQueue
from firmware_bridge.link.messages import BoardEvent, GateEvent, InputEvent


def an_input(number: int) -> InputEvent:
    return InputEvent(Input.BUTTON, 1, number)


def a_passage(number: int) -> GateEvent:
    return GateEvent(GateOutcome.PASSED, Side.A, number, number)


@given(st.lists(st.sampled_from("ig-"), max_size=80))
def test_each_event_is_told_once_in_order_or_counted_as_lost(acts: list[str]) -> None:
    queue = EventQueue()
    told: list[BoardEvent] = []
    added = 0
    for number, act in enumerate(acts):
        if act == "-":
            first = queue.first
            assert queue.confirm(queue.sequence) is (first is not None)
            told += [first] if first is not None else []
        else:
            added += 1
            queue.add(an_input(number) if act == "i" else a_passage(number))
        assert len(queue) <= MAX_WAITING
        assert sum(isinstance(e, InputEvent) for e in queue._waiting) <= MAX_WAITING_INPUTS
    waiting = list(queue._waiting)
    stamps = [event.board_ms for event in told + waiting]
    assert stamps == sorted(set(stamps))
    assert len(stamps) + sum(event.lost for event in told + waiting) + queue._lost == added


def test_only_the_event_that_is_on_its_way_can_be_confirmed() -> None:
    queue = EventQueue()
    assert not queue.confirm(1)
    queue.add(an_input(0))
    assert not queue.confirm(2)
    assert queue.confirm(1)
    assert not queue.confirm(1)
    assert queue.sequence == 2


def test_losses_are_counted_up_to_a_byte() -> None:
    queue = EventQueue()
    for number in range(MAX_WAITING + 300):
        queue.add(a_passage(number))
    queue.confirm(1)
    queue.add(a_passage(999))
    assert queue._waiting[-1].lost == 0xFF
