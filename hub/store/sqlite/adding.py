"""Entries into the files of their days, and into entries.db what is known of them beside.

A day's file is committed first, then entries.db. After a crash in between, the file counts one
transaction more than entries.db knows of: what lies there and is not accounted for is taken up the
next time anything is written. It was not acknowledged, so the gate sends it again, and it is found.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from hub.errors import StoreError
from hub.store.entries import (
    MAX_INTEGER,
    Added,
    EntryRecord,
    Held,
    JournalKey,
    Offer,
    Watermark,
)
from hub.store.sqlite import flagging, spans
from hub.store.sqlite.day_file import DayFile
from hub.store.sqlite.day_files import DayFiles
from hub.store.sqlite.spans import Span


def add_all(raw: sqlite3.Connection, days: DayFiles, offers: Sequence[Offer]) -> list[Added]:
    """Keep what is new of offers, one after the other."""
    return [add(raw, days, offer) for offer in offers]


def add(raw: sqlite3.Connection, days: DayFiles, offer: Offer) -> Added:
    """Keep what is new of an offer, keep what differs as conflicts, move the journal's watermark.

    Part of the transaction that is open on entries.db.
    """
    key, records = offer.key, offer.records
    known = spans.known_journal(raw, key)
    if known is None and not spans.may_begin(raw, key):
        return Added(0, {}, Watermark(), {}, refused=True)
    first, last = records[0].sequence, records[-1].sequence
    journal, mark = known or spans.make_journal(raw, key, records[-1].received_ns)
    near = spans.touching(raw, journal, first - 1, min(last + 1, MAX_INTEGER))
    held = _held(days, journal, near, (first - 1, last + 1))
    fresh = _fresh(records, near, mark.through)
    for day in {record.day for record in fresh}:
        if not _file(days, day).writing and take_up(raw, days, day):
            return add(raw, days, offer)  # more is held than was known a moment ago
    for run in spans.runs(fresh):
        for sequence, stray in _file(days, run[0].day).add(journal, key, run).items():
            chain_hash, packed, received_ns = stray.chain_hash, stray.packed, run[-1].received_ns
            beside = EntryRecord(sequence, chain_hash, packed, None, received_ns)
            _keep_conflicts(raw, journal, [beside])
        span = Span(run[0].sequence, run[-1].sequence, run[0].day)
        if not (len(run) == len(records) and spans.lengthen(raw, journal, near, span)):
            spans.add(raw, journal, span)
    _keep_sessions(raw, journal, [(r.sequence, r.packed) for r in fresh if r.session])
    differing = [
        record
        for record in records
        if (one := held.get(record.sequence)) is not None and not _same(one, record)
    ]
    _keep_conflicts(raw, journal, differing)
    if len(fresh) == len(records) and mark.through == first - 1 and _ends(near, first):
        mark = Watermark(last, records[-1].chain_hash)
    elif fresh:
        mark = _advanced(raw, days, journal, mark)
    raw.execute(
        "UPDATE journal SET through = ?, chain_hash = ?, received_ns = max(received_ns, ?),"
        " clock_off_ns = coalesce(?, clock_off_ns) WHERE id = ?",
        (mark.through, mark.chain_hash, records[-1].received_ns, offer.clock_off_ns, journal),
    )
    added = Added(
        len(fresh),
        {record.sequence: held[record.sequence] for record in differing},
        mark,
        {place: held[place] for place in (first - 1, last + 1) if place in held},
    )
    if flags := tuple(offer.remarks(added)):
        flagging.keep(raw, journal, flags, records[-1].received_ns)
    return added


def keep_conflict(raw: sqlite3.Connection, key: JournalKey, record: EntryRecord) -> None:
    """Keep what was offered beside an entry that is held."""
    _keep_conflicts(raw, spans.make_journal(raw, key, record.received_ns)[0], [record])


def account(raw: sqlite3.Connection, day: DayFile, commits: int) -> None:
    """Note in entries.db that a day's file was committed: so often by now."""
    raw.execute(
        "INSERT INTO day (day, commits, entries) VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE"
        " SET commits = excluded.commits, entries = entries + excluded.entries",
        (day.day, commits, day.added),
    )


def take_up(raw: sqlite3.Connection, days: DayFiles, day: int) -> bool:
    """Account for what lies in a day's file after a crash.

    :returns: whether anything was not accounted for.
    :raises StoreError: if the file is of another entries.db.
    """
    file = _file(days, day)
    known = raw.execute("SELECT commits FROM day WHERE day = ?", (day,)).fetchone()
    commits = file.commits
    if commits == (0 if known is None else known[0]):
        return False
    entries = 0
    for journal, key in file.journals():
        if not spans.adopt_journal(raw, journal, key):
            msg = f"the entries of {days.path(day)} are another hub's"
            raise StoreError(msg, hint="move the file out of the hub's folder")
        entries += _take_up(raw, days, file, journal)
    raw.execute(
        "INSERT INTO day (day, commits, entries) VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE"
        " SET commits = excluded.commits, entries = excluded.entries",
        (day, commits, entries),
    )
    return True


def _take_up(raw: sqlite3.Connection, days: DayFiles, file: DayFile, journal: int) -> int:
    entries = 0
    for first, last in list(file.runs(journal)):
        near = spans.touching(raw, journal, first, last)
        for span in near:
            if span.day != file.day:  # sent again meanwhile, and put into another day
                file.forget(journal, max(first, span.first), min(last, span.last))
        for start, end in spans.uncovered(first, last, near):
            spans.add(raw, journal, Span(start, end, file.day))
            _keep_sessions(raw, journal, file.sessions(journal, start, end))
        entries += sum(
            min(last, span.last) - max(first, span.first) + 1
            for span in spans.touching(raw, journal, first, last)
            if span.day == file.day
        )
    mark = _advanced(raw, days, journal, spans.watermark(raw, journal))
    raw.execute(
        "UPDATE journal SET through = ?, chain_hash = ? WHERE id = ?",
        (mark.through, mark.chain_hash, journal),
    )
    return entries


def _file(days: DayFiles, day: int) -> DayFile:
    file = days.get(day)
    if file is None:
        msg = f"there is no file of the day {days.path(day).name}"
        raise StoreError(msg)
    return file


def _held(
    days: DayFiles, journal: int, near: Iterable[Span], ends: tuple[int, int]
) -> dict[int, Held]:
    held: dict[int, Held] = {}
    for span in near:
        held |= _file(days, span.day).held(
            journal, max(span.first, ends[0]), min(span.last, ends[1])
        )
    return held


def _fresh(records: Sequence[EntryRecord], near: Sequence[Span], through: int) -> list[EntryRecord]:
    """Return what is neither held nor was dropped with its day."""
    free = spans.uncovered(records[0].sequence, records[-1].sequence, near)
    start = records[0].sequence
    return [
        record
        for first, last in free
        for record in records[first - start : last - start + 1]
        if record.sequence > through
    ]


def _keep_sessions(
    raw: sqlite3.Connection, journal: int, sessions: Iterable[tuple[int, bytes]]
) -> None:
    for sequence, packed in sessions:
        raw.execute("INSERT OR IGNORE INTO session VALUES (?, ?, ?)", (journal, sequence, packed))


def _keep_conflicts(raw: sqlite3.Connection, journal: int, records: Iterable[EntryRecord]) -> None:
    raw.executemany(
        "INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?, ?, ?)",
        [_conflict_row(journal, record) for record in records],
    )


def _conflict_row(journal: int, record: EntryRecord) -> tuple[Any, ...]:
    digest = hashlib.sha256(record.chain_hash + record.packed).digest()
    chain_hash, packed = record.chain_hash, record.packed
    return (journal, record.sequence, digest, chain_hash, packed, record.received_ns)


def _advanced(raw: sqlite3.Connection, days: DayFiles, journal: int, mark: Watermark) -> Watermark:
    while (reached := spans.reached(raw, journal, mark.through)) is not None:
        chain_hash = _file(days, reached.day).chain_hash(journal, reached.last)
        if chain_hash is not None:
            return Watermark(reached.last, chain_hash)
        # Somebody has taken the file away, or rows of it. What is not there is not acknowledged: it
        # is sent again. What was acknowledged stays noted, and is missed by whoever verifies.
        spans.remove(raw, journal, reached)
        noted = [(reached.first, mark.through), *_file(days, reached.day).runs(journal)]
        for start, end in noted:
            first, last = max(start, reached.first), min(end, reached.last)
            near = spans.touching(raw, journal, first, last) if first <= last else []
            for free in spans.uncovered(first, last, near):
                spans.add(raw, journal, Span(*free, reached.day))
    return mark


def _ends(near: Sequence[Span], first: int) -> bool:
    """Return whether nothing is held behind what comes before `first`."""
    return not near or near[-1].last < first


def _same(held: Held, record: EntryRecord) -> bool:
    return held.chain_hash == record.chain_hash and held.packed == record.packed
