"""What a journal's entries tell by themselves, one after the other: flags, and what to remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from admission.incident import INCIDENTS, LOST, alert_of, unlisted
from admission.instant import ClockTrust
from admission.journal_record import Followup, FollowupKind
from admission.logged_passage import LoggedPassage
from admission.passage import Event
from hub.examination import clocks
from hub.examination.notebook import Cursor, tally
from hub.examination.seen import Seen
from hub.store.entries import Flag, FlagKind
from hub.store.examined import JournalStanding

MISSING = "missing"
"""Tally of places that cannot be read.

The others are values of `FollowupKind`, in lower case, and what happened at gates (`incident`).
"""
_COUNTED = frozenset(
    {
        FollowupKind.NOT_ACTUATED,
        FollowupKind.NOT_PASSED,
        FollowupKind.WITHHELD,
        FollowupKind.UNSECURED,
        FollowupKind.TAILGATED,
    }
)
_FLAGGED = {
    FollowupKind.UNSECURED: FlagKind.UNSECURED,
    FollowupKind.TAILGATED: FlagKind.TAILGATED,
}
_INCIDENTS = frozenset(event.value for event in INCIDENTS - {Event.UNLISTED}) | {"tailgated", LOST}
"""What an UNLISTED entry may count: a gate's own words would make tallies without end."""


def told_by(cursor: Cursor, entries: Sequence[Seen]) -> tuple[Cursor, list[Flag]]:
    """Return where the cursor stands after these entries, and the flags that they give rise to.

    The same entries give the same flags, however they are cut.

    :param entries: of one journal, ascending, those that follow on the cursor.
    """
    flags: list[Flag] = []
    counts: Counter[str] = Counter()
    for seen in entries:
        flags += _flags(cursor, seen)
        for name, count in _counts(seen):
            counts[name] += count
        cursor = _after(cursor, seen)
    return msgspec.structs.replace(cursor, tallies=tally(cursor.tallies, counts)), flags


def sent_off(cursor: Cursor, standing: JournalStanding) -> tuple[Cursor, list[Flag]]:
    """Return the same for the clock by which the last batch was sent.

    Once for as long as it stays off: the flag is at the last entry that is held.
    """
    off_ns = standing.clock_off_ns or 0
    off = abs(off_ns) > clocks.SENT_OFF_NS
    flags: list[Flag] = []
    if off and not cursor.sent_off and standing.through > 0:
        ahead = "ahead of" if off_ns > 0 else "behind"
        detail = f"sent by a clock {abs(off_ns) // 1_000_000_000} s {ahead} the hub's"
        flags.append(Flag(standing.through, FlagKind.SUSPECT_CLOCK, detail))
    if off != cursor.sent_off:
        cursor = msgspec.structs.replace(cursor, sent_off=off)
    return cursor, flags


def _flags(cursor: Cursor, seen: Seen) -> Iterator[Flag]:
    if seen.missing and not cursor.missing:
        yield Flag(seen.sequence, FlagKind.MISSING, "the first of a run of such places")
    if seen.in_part:
        yield Flag(seen.sequence, FlagKind.UNDECODABLE, "not examined")
    if isinstance(seen.record, Followup) and seen.record.kind in _FLAGGED:
        yield Flag(seen.record.about, _FLAGGED[seen.record.kind])
    if seen.passage is not None:
        said = "; ".join(_clock(cursor, seen.passage, seen.received_ns))
        if said:
            yield Flag(seen.sequence, FlagKind.SUSPECT_CLOCK, said)


def _clock(cursor: Cursor, passage: LoggedPassage, received_ns: int) -> Iterable[str]:
    # What lasts is said once, where it begins: a gate without a date would flag each entry.
    state = clocks.state(passage, received_ns)
    if state != cursor.clock_state:
        yield from state
    if back := clocks.set_back(passage, cursor.clock):
        yield back


def _counts(seen: Seen) -> Iterable[tuple[str, int]]:
    passage = seen.passage
    if seen.missing:
        yield MISSING, 1
    if isinstance(seen.record, Followup) and seen.record.kind in _COUNTED:
        yield seen.record.kind.name.lower(), 1
    if passage is not None and passage.event in INCIDENTS:
        yield from _incidents(passage)


def _incidents(passage: LoggedPassage) -> Iterable[tuple[str, int]]:
    """Yield what began or happened: that a lid was closed again is no incident of its own."""
    if alert_of(passage.event, passage.note) is not None:
        yield passage.event.value, 1
    counted = unlisted(passage.note) if passage.event is Event.UNLISTED else None
    if counted is not None and counted[0] in _INCIDENTS:
        yield counted


def _after(cursor: Cursor, seen: Seen) -> Cursor:
    passage = seen.passage
    if passage is None:
        return msgspec.structs.replace(cursor, through=seen.sequence, missing=seen.missing)
    begun_ms, ended_ms = cursor.begun_ms, cursor.ended_ms
    if passage.clock_trust is not ClockTrust.UNKNOWN:
        begun_ms = passage.wall_ms if begun_ms is None else begun_ms
        ended_ms = max(passage.wall_ms, ended_ms or passage.wall_ms)
    return msgspec.structs.replace(
        cursor,
        through=seen.sequence,
        missing=False,
        clock=clocks.mark_of(passage),
        clock_state=clocks.state(passage, seen.received_ns),
        begun_ms=begun_ms,
        ended_ms=ended_ms,
    )
