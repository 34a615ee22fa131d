"""Protects: a contact that bounces is no event, and one that holds is one, at the right moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from admission.gate import Input
from firmware_bridge.link.contacts import Contacts
from tests.firmware_bridge.cables import MS

BOTH = frozenset({Input.STOP, Input.TAMPER})


def accepted_by_the_book(levels: list[bool], debounce_ms: int) -> list[tuple[int, bool]]:
    """What a chip accepts that looks at one contact every millisecond, from its first look on."""
    accepted, differs_ms, changes = levels[0], 0, []
    for at_ms, level in enumerate(levels):
        if level is accepted:
            differs_ms = 0
        elif differs_ms == debounce_ms:
            accepted, differs_ms = level, 0
            changes.append((at_ms, level))
        else:
            differs_ms += 1
    return changes


runs = st.lists(st.tuples(st.booleans(), st.integers(1, 12)), min_size=1, max_size=30)


@given(runs, st.integers(1, 8))
def test_a_level_counts_once_it_has_held_for_the_debounce_time(
    lengths: list[tuple[bool, int]], debounce_ms: int
) -> None:
    levels = [level for level, length in lengths for _ in range(length)]
    contacts = Contacts(BOTH, debounce_ms)
    changes: list[tuple[int, bool]] = []
    for at_ms, level in enumerate(levels):
        contacts.sample(frozenset({Input.STOP}) if level else frozenset(), at_ms * MS)
        changes += [(at_ms, active) for _, active in contacts.advance(at_ms * MS)]
    assert changes == accepted_by_the_book(levels, debounce_ms)


@given(runs, st.integers(1, 8))
def test_looking_only_when_something_is_due_finds_the_same(
    lengths: list[tuple[bool, int]], debounce_ms: int
) -> None:
    contacts = Contacts(BOTH, debounce_ms)
    contacts.sample(frozenset(), 0)
    levels = [False, *(level for level, length in lengths for _ in range(length))]
    changes: list[tuple[int, bool]] = []
    at_ms = 1
    for level, length in lengths:
        contacts.sense(Input.STOP, level, at_ms * MS)
        at_ms += length
        while (due_ns := contacts.next_change_ns) is not None and due_ns < at_ms * MS:
            changes += [(due_ns // MS, active) for _, active in contacts.advance(due_ns)]
    assert changes == accepted_by_the_book(levels, debounce_ms)


def test_changes_of_one_moment_come_by_number_and_what_is_not_fitted_never() -> None:
    contacts = Contacts(BOTH, 5)
    contacts.sample(frozenset(), 0)
    contacts.sample(frozenset(Input), 0)
    assert contacts.advance(5 * MS) == [(Input.TAMPER, True), (Input.STOP, True)]
    contacts.sense(Input.FIRE, True, 6 * MS)
    assert contacts.next_change_ns is None
    assert contacts.active == BOTH


def test_the_first_levels_count_at_once_and_only_the_first() -> None:
    contacts = Contacts(BOTH, 5)
    assert contacts.sample(BOTH, 0) is True
    assert contacts.active == BOTH
    assert contacts.sample(frozenset(), MS) is False
    assert contacts.active == BOTH


def test_a_level_that_was_left_between_two_looks_did_not_hold() -> None:
    contacts = Contacts(BOTH, 5)
    contacts.sample(frozenset(), 0)
    contacts.sample(BOTH, MS)
    contacts.interrupt(frozenset({Input.STOP}))
    contacts.sample(BOTH, 4 * MS)
    assert contacts.advance(6 * MS) == [(Input.TAMPER, True)]
    assert contacts.advance(9 * MS) == [(Input.STOP, True)]
