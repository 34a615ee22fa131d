"""Protects what is written down of a gate without a code: nobody in it, and told where it began."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.incident import INCIDENTS, LOST, change_note, incident, unlisted, unlisted_note
from admission.incident_texts import incident_text
from admission.journal_record import pack_public, pack_sealed
from admission.logged_passage import logged
from admission.passage import Event, Passage
from admission.site import Direction
from admission.verdict import Alert, Outcome
from admission.wire import pack_passage, unpack_passage
from cache.journal.local.zone_records import of_zone
from tests.worlds import ManualClock, a_site

CHANGES = (Event.TAMPER, Event.FIRE, Event.STOP)
NOW = ManualClock().now()


def of(event: Event, note: str = "", direction: Direction = Direction.IN) -> Passage:
    return incident(a_site(), "north", event, note, direction=direction, now=NOW)


@pytest.mark.parametrize("event", sorted(INCIDENTS))
def test_an_incident_is_of_nobody_and_admits_nobody(event: Event) -> None:
    entry = of(event, direction=Direction.OUT)
    assert (entry.person, entry.officer, entry.token, entry.code_digest) == (None, None, None, b"")
    assert (entry.outcome, entry.reasons, entry.direction) == (Outcome.REFER, (), Direction.OUT)
    assert unpack_passage(pack_passage(entry)) == entry
    assert of_zone(pack_passage(entry), entry.site) is None
    assert pack_sealed(entry)
    assert pack_public(entry)
    assert logged(entry).event is event


@pytest.mark.parametrize("event", CHANGES)
def test_officer_and_hub_are_told_where_it_begins_and_not_where_it_ends(event: Event) -> None:
    assert of(event, change_note(event, active=True)).alerts == (Alert(event.value),)
    assert of(event, change_note(event, active=False)).alerts == ()


def test_a_forced_gate_is_told_and_a_bare_count_is_not() -> None:
    assert of(Event.FORCED).alerts == (Alert.FORCED,)
    assert of(Event.UNLISTED, unlisted_note("forced", 3)).alerts == ()


def test_other_events_are_no_incidents() -> None:
    for event in set(Event) - INCIDENTS:
        with pytest.raises(ValueError, match="no incident"):
            of(event)


@given(st.sampled_from(["forced", "tailgated", LOST]), st.integers(1, 10**9))
def test_how_often_can_be_read_back(what: str, count: int) -> None:
    assert unlisted(unlisted_note(what, count)) == (what, min(count, 999_999))


@given(st.text())
def test_other_notes_are_no_counts_and_have_words_all_the_same(note: str) -> None:
    counted = unlisted(note)
    assert counted is None or 0 <= counted[1] <= 999_999
    assert incident_text(Event.UNLISTED, note).vi


def test_what_happens_has_words_in_both_languages() -> None:
    texts = [
        incident_text(event, change_note(event, active=active))
        for event in CHANGES
        for active in (True, False)
    ]
    texts += [incident_text(Event.FORCED, note) for note in ("", "behind")]
    texts += [
        incident_text(Event.UNLISTED, f"{what} 2")
        for what in ("forced", "tailgated", "tamper", "fire", "stop", LOST)
    ]
    assert all(not text.vi.isascii() for text in texts)
    assert len({text.en for text in texts}) == len(texts)
