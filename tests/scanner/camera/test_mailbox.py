"""The mailbox protects the decode thread from old frames, and both threads from each other."""

from __future__ import annotations

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.mailbox import Mailbox


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(), st.none())))
def test_newest_wins_and_every_loss_is_counted(steps: list[int | None]) -> None:
    """Integers are put, None takes: against the simplest model of one slot."""
    mailbox: Mailbox[int] = Mailbox()
    slot: list[int] = []
    dropped = 0
    for step in steps:
        if step is None:
            assert mailbox.take(0) == (slot.pop() if slot else None)
        else:
            dropped += len(slot)
            slot = [step]
            assert mailbox.put(step)
        assert mailbox.dropped == dropped


@settings(deadline=None)
@given(st.booleans())
def test_what_lies_in_a_closed_mailbox_can_be_taken_once(filled: bool) -> None:
    mailbox: Mailbox[str] = Mailbox()
    if filled:
        mailbox.put("last")
    mailbox.close()
    assert not mailbox.put("too late")
    assert mailbox.take(1) == ("last" if filled else None)
    assert mailbox.take(1) is None
    assert mailbox.closed


def test_closing_wakes_a_waiting_reader() -> None:
    mailbox: Mailbox[str] = Mailbox()
    taken: list[str | None] = []
    reader = threading.Thread(target=lambda: taken.append(mailbox.take(60)))
    reader.start()
    mailbox.close()
    reader.join(10)
    assert not reader.is_alive()
    assert taken == [None]


def test_a_falsy_item_is_an_item() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.put(0)
    assert mailbox.take(0) == 0


@settings(deadline=None)
@given(st.integers(1, 200))
def test_between_threads_nothing_is_lost_uncounted_and_order_holds(count: int) -> None:
    mailbox: Mailbox[int] = Mailbox()
    taken: list[int] = []

    def read() -> None:
        while (item := mailbox.take(10)) is not None:
            taken.append(item)

    reader = threading.Thread(target=read)
    reader.start()
    for item in range(count):
        mailbox.put(item)
    mailbox.close()
    reader.join(10)
    assert not reader.is_alive()
    assert len(taken) + mailbox.dropped == count
    assert taken == sorted(taken)
    assert taken[-1] == count - 1
