"""Entries read across days."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Any

from hub.days import day_of
from hub.store.entries import (
    Decoded,
    EntryCount,
    EntryRecord,
    Held,
    JournalKey,
    Watermark,
)
from hub.store.examined import HeldEntry, HeldSpan, JournalStanding, PlacedEntry
from hub.store.marks import MarkedEntry, MarkKind
from hub.store.sqlite import spans
from hub.store.sqlite.day_file import DayFile, signed, unsigned
from hub.store.sqlite.day_files import DayFiles

_SPANS_AT_ONCE = 64
_PEOPLE_AT_ONCE = 500
_DIGEST_BYTES = 16


def watermark(raw: sqlite3.Connection, _: DayFiles, key: JournalKey) -> Watermark:
    """Return how far a journal is held."""
    journal = spans.journal_id(raw, key)
    return Watermark() if journal is None else spans.watermark(raw, journal)


def session_before(
    raw: sqlite3.Connection, _: DayFiles, key: JournalKey, sequence: int
) -> tuple[int, bytes] | None:
    """Return the last session record before a sequence."""
    row = raw.execute(
        "SELECT sequence, packed FROM session WHERE journal = ? AND sequence < ?"
        " ORDER BY sequence DESC LIMIT 1",
        (spans.journal_id(raw, key), sequence),
    ).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def held(
    raw: sqlite3.Connection, days: DayFiles, key: JournalKey, sequences: Collection[int]
) -> Mapping[int, Held]:
    """Return what is held under a few sequences."""
    journal, found = spans.journal_id(raw, key), dict[int, Held]()
    if journal is None:
        return found
    for sequence in sequences:
        for span in spans.touching(raw, journal, sequence, sequence):
            file = days.get(span.day)
            found |= file.held(journal, sequence, sequence) if file else {}
    return found


def count(raw: sqlite3.Connection, days: DayFiles, device: str) -> EntryCount:
    """Return how much of one device is held: reads all of it."""
    different, entries = set[bytes](), 0
    for file in _files(raw, days):
        for (packed,) in file.rows("packed", "WHERE journal.device = ?", (device,)):
            entries += 1
            different.add(hashlib.blake2b(packed, digest_size=_DIGEST_BYTES).digest())
    of_device = "WHERE journal IN (SELECT id FROM journal WHERE device = ?)"
    beside = raw.execute(
        f"SELECT (SELECT count(*) FROM conflict {of_device}),"  # noqa: S608 a constant
        f" (SELECT count(*) FROM flag {of_device})",
        (device, device),
    )
    conflicts, flags = beside.fetchone()
    return EntryCount(entries, len(different), conflicts, flags)


def marked(
    raw: sqlite3.Connection,
    days: DayFiles,
    kind: MarkKind,
    *,
    since_ns: int,
    site: str | None,
    limit: int,
) -> list[MarkedEntry]:
    """Return the newest entries with a mark, over all days."""
    rows = [row for file in _files(raw, days) for row in file.marked(kind, since_ns, site, limit)]
    newest = nsmallest(limit, rows, key=lambda row: (-row[4], -row[2], row[0], row[1]))
    return [MarkedEntry(row[0], bytes(row[1]), row[2], bytes(row[3]), row[4]) for row in newest]


def journals(raw: sqlite3.Connection, _: DayFiles, since_ns: int) -> list[JournalStanding]:
    """Return the journals that were heard of since."""
    rows = raw.execute(
        "SELECT device, journal, through, chain_hash, first_received_ns, received_ns, clock_off_ns"
        " FROM journal WHERE received_ns >= ? ORDER BY device, journal",
        (since_ns,),
    )
    return [
        JournalStanding(JournalKey(row[0], bytes(row[1])), row[2], bytes(row[3]), *row[4:])
        for row in rows
    ]


def entries(
    raw: sqlite3.Connection, days: DayFiles, key: JournalKey, after: int, *, limit: int
) -> list[HeldEntry]:
    """Return a journal's next held entries after a sequence, ascending."""
    journal, found = spans.journal_id(raw, key), list[HeldEntry]()
    while journal is not None and len(found) < limit:
        some = spans.behind(raw, journal, after, _SPANS_AT_ONCE)
        for span in some:
            file = days.get(span.day)
            if file is not None and len(found) < limit:
                found += _entries(
                    file, journal, max(after + 1, span.first), span.last, limit - len(found)
                )
        if not some:
            break
        after = some[-1].last
    return found


def held_spans(
    raw: sqlite3.Connection, _: DayFiles, key: JournalKey, after: int, *, limit: int
) -> list[HeldSpan]:
    """Return a journal's spans that end after a sequence, ascending."""
    journal = spans.journal_id(raw, key)
    if journal is None:
        return []
    return [HeldSpan(*span) for span in spans.behind(raw, journal, after, limit)][:limit]


def lying(raw: sqlite3.Connection, days: DayFiles, day: int) -> dict[JournalKey, int]:
    """Return how many rows of whom are in a day's file."""
    del raw  # what it notes is not asked here
    file = days.get(day)
    if file is None:
        return {}
    rows = file.rows("device, journal.journal, count(*)", "GROUP BY device, journal.journal", ())
    return {JournalKey(device, bytes(journal)): count for device, journal, count in rows}


def passages_of(
    raw: sqlite3.Connection,
    days: DayFiles,
    people: Collection[int],
    from_ns: int,
    until_ns: int,
    *,
    limit: int,
) -> list[PlacedEntry]:
    """Return entries of these people with a wall time in [from, until), by time."""
    first, last = day_of(from_ns) - 1, day_of(until_ns) + 1
    wanted, rows = [signed(person) for person in people], list[tuple[Any, ...]]()
    for file in _files(raw, days, first, last):
        for start in range(0, len(wanted), _PEOPLE_AT_ONCE):
            some = wanted[start : start + _PEOPLE_AT_ONCE]
            rows += file.rows(
                "device, journal.journal, sequence, packed, wall_ns, person",
                f"WHERE person IN ({','.join('?' * len(some))}) AND wall_ns >= ? AND wall_ns < ?"
                " ORDER BY wall_ns LIMIT ?",
                (*some, from_ns, until_ns, limit),
            )
            # At once: days times people times the limit would be held otherwise.
            rows = nsmallest(limit, rows, key=lambda row: (row[4], row[0], row[1], row[2]))
    return [
        PlacedEntry(
            JournalKey(row[0], bytes(row[1])), row[2], bytes(row[3]), row[4], unsigned(row[5]) or 0
        )
        for row in rows
    ]


def redecode(
    raw: sqlite3.Connection,
    days: DayFiles,
    key: JournalKey,
    decoded: Sequence[tuple[int, Decoded]],
) -> None:
    """Fill the columns and marks of held entries."""
    journal = spans.journal_id(raw, key)
    if journal is None:
        return
    for sequence, columns in decoded:
        for span in spans.touching(raw, journal, sequence, sequence):
            file = days.get(span.day)
            if file is not None:
                received = file.rows(
                    "entry.received_ns",
                    "WHERE entry.journal = ? AND sequence = ?",
                    (journal, sequence),
                )
                for (received_ns,) in received:
                    file.redecode(journal, EntryRecord(sequence, b"", b"", columns, received_ns))


def _entries(file: DayFile, journal: int, first: int, last: int, limit: int) -> list[HeldEntry]:
    rows = file.rows(
        "sequence, chain_hash, packed, received_ns, site.name, wall_ns, person, outcome",
        "WHERE entry.journal = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?",
        (journal, first, last, limit),
    )
    return [
        HeldEntry(row[0], bytes(row[1]), bytes(row[2]), row[3], _decoded(*row[4:])) for row in rows
    ]


def _decoded(site: str | None, wall_ns: int, person: int | None, outcome: str) -> Decoded | None:
    return None if site is None else Decoded(site, wall_ns, unsigned(person), outcome)


def _files(
    raw: sqlite3.Connection, days: DayFiles, first: int | None = None, last: int | None = None
) -> Iterator[DayFile]:
    rows = raw.execute(
        "SELECT day FROM day WHERE dropping = 0 AND day BETWEEN coalesce(?, day)"
        " AND coalesce(?, day) ORDER BY day",
        (first, last),
    ).fetchall()
    for (day,) in rows:
        file = days.get(day)
        if file is not None:
            yield file
