"""Protects what the zone is rebuilt from: it comes back as it was, and no bytes can harm."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust
from admission.journal_record import (
    Followup,
    FollowupKind,
    pack_followup,
    pack_passage_record,
    pack_public,
)
from admission.logged_passage import ZonePassage, logged
from admission.passage import Event, Passage
from admission.site import Direction
from admission.verdict import Outcome
from cache.journal.local.zone_records import of_zone, pack_chunk, unpack_chunk
from tests.cache.journal.local.history import a_passage

times = st.integers(-(1 << 43), 1 << 43)
seen = st.builds(
    ZonePassage,
    site=st.just("site-1"),
    outcome=st.sampled_from(Outcome),
    wall_ms=times,
    monotonic_ms=times,
    boot_id=st.sampled_from(["a", "b", "ê"]),
    clock_trust=st.sampled_from(ClockTrust),
    direction=st.sampled_from(Direction),
    event=st.just(Event.COUNT),
    about=st.none() | st.integers(1, (1 << 63) - 1),
    note=st.sampled_from(["3 1", ""]),
    worker=st.booleans(),
    token=st.none() | st.integers(0, (1 << 64) - 1),
)
followed = st.builds(Followup, st.sampled_from(FollowupKind), st.integers(1, (1 << 63) - 1))


def packed(entry: Passage) -> bytes:
    return pack_passage_record(pack_public(entry), b"")


@given(st.lists(seen | followed, max_size=20))
def test_a_chunk_holds_what_was_put_in(records: list[ZonePassage | Followup]) -> None:
    numbered = list(enumerate(records, start=7))
    assert unpack_chunk(pack_chunk("site-1", numbered)) == numbered


@given(st.lists(seen | followed, min_size=1, max_size=4), st.data())
def test_bytes_that_are_no_chunk_are_refused(
    records: list[ZonePassage | Followup], data: st.DataObject
) -> None:
    chunk = bytearray(pack_chunk("site-1", list(enumerate(records))))
    chunk[data.draw(st.integers(0, len(chunk) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        unpack_chunk(bytes(chunk))
    with pytest.raises(ValueError, match="chunk"):
        unpack_chunk(bytes(chunk[:-1]) if len(chunk) < 2 else b"\xc1")


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        (a_passage(), True),
        (a_passage(outcome=Outcome.REFER), False),
        (a_passage(outcome=Outcome.REFUSE, event=Event.OVERRIDE, about=1), True),
        (a_passage(outcome=Outcome.REFUSE, event=Event.OVERRIDE), False),
        (a_passage(outcome=Outcome.REFER, event=Event.COUNT, note="3 1"), True),
        (a_passage(event=Event.ENQUIRY), False),
        (a_passage(event=Event.CORRECTION, about=1), False),
        (a_passage(outcome=Outcome.REFER, event=Event.FORCED), False),
        (a_passage(site="elsewhere"), False),
    ],
)
def test_what_changes_who_is_inside_is_kept_and_nothing_else(entry: Passage, kept: bool) -> None:
    told = of_zone(packed(entry), "site-1")
    assert (told is not None) is kept
    if isinstance(told, ZonePassage):
        assert told.token == logged(entry).token


def test_what_annuls_an_admission_is_kept() -> None:
    kept = {kind for kind in FollowupKind if of_zone(pack_followup(Followup(kind, 3)), "site-1")}
    assert kept == {FollowupKind.NOT_ACTUATED, FollowupKind.NOT_PASSED, FollowupKind.WITHHELD}


@pytest.mark.parametrize("bad", [b"", b"\xc1", b"\x93\x01\x90", b"x" * 5_000])
def test_what_cannot_be_read_tells_nothing(bad: bytes) -> None:
    assert of_zone(bad, "site-1") is None
