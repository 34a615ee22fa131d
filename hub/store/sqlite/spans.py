"""Journals, and which of their sequences lie in which day, as rows of entries.db."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.store.entries import (
    MAX_INTEGER,
    MAX_JOURNALS_OF_A_DEVICE,
    NO_CHAIN_HASH,
    EntryRecord,
    JournalKey,
    Watermark,
)


class Span(NamedTuple):
    """Sequences of one journal that lie in one day, both ends included."""

    first: int
    last: int
    day: int


def journal_id(raw: sqlite3.Connection, key: JournalKey) -> int | None:
    """Return a journal's number, None if nothing of it was ever added."""
    row = raw.execute(
        "SELECT id FROM journal WHERE device = ? AND journal = ?", (key.device, key.journal)
    ).fetchone()
    return None if row is None else int(row[0])


def known_journal(raw: sqlite3.Connection, key: JournalKey) -> tuple[int, Watermark] | None:
    """Return a journal's number and watermark, None if nothing of it was ever added."""
    row = raw.execute(
        "SELECT id, through, chain_hash FROM journal WHERE device = ? AND journal = ?",
        (key.device, key.journal),
    ).fetchone()
    return None if row is None else (int(row[0]), Watermark(row[1], bytes(row[2])))


def make_journal(
    raw: sqlite3.Connection, key: JournalKey, received_ns: int
) -> tuple[int, Watermark]:
    """Return a journal's number and watermark, giving it one if it has none."""
    found = known_journal(raw, key)
    if found is not None:
        return found
    (made,) = raw.execute(
        "INSERT INTO journal (device, journal, chain_hash, first_received_ns, received_ns)"
        " VALUES (?, ?, ?, ?, ?) RETURNING id",
        (key.device, key.journal, NO_CHAIN_HASH, received_ns, received_ns),
    ).fetchone()
    return int(made), Watermark()


def may_begin(raw: sqlite3.Connection, key: JournalKey) -> bool:
    """Return whether a device may begin one more journal: it has not begun too many others."""
    (begun,) = raw.execute(
        "SELECT count(*) FROM journal WHERE device = ?", (key.device,)
    ).fetchone()
    return int(begun) < MAX_JOURNALS_OF_A_DEVICE


def adopt_journal(raw: sqlite3.Connection, number: int, key: JournalKey) -> bool:
    """Give a journal the number that a day's file knows it by; return whether it has that now."""
    found = journal_id(raw, key)
    if found is None:
        raw.execute(
            "INSERT OR IGNORE INTO journal (id, device, journal, chain_hash, first_received_ns,"
            " received_ns) VALUES (?, ?, ?, ?, 0, 0)",
            (number, key.device, key.journal, NO_CHAIN_HASH),
        )
        found = journal_id(raw, key)
    return found == number


def watermark(raw: sqlite3.Connection, journal: int) -> Watermark:
    """Return how far a journal is held."""
    row = raw.execute("SELECT through, chain_hash FROM journal WHERE id = ?", (journal,)).fetchone()
    return Watermark(row[0], bytes(row[1]))


def touching(raw: sqlite3.Connection, journal: int, first: int, last: int) -> list[Span]:
    """Return the spans that hold anything between two sequences, ascending."""
    found = []
    rows = raw.execute(
        "SELECT first, last, day FROM span WHERE journal = ? AND first <= ? ORDER BY first DESC",
        (journal, last),
    )
    for row in rows:  # disjoint: the first that ends before is followed by none that does not
        if row[1] < first:
            break
        found.append(Span(*row))
    return found[::-1]


def behind(raw: sqlite3.Connection, journal: int, after: int, limit: int) -> list[Span]:
    """Return the spans that hold anything after a sequence, ascending, a few."""
    rows = raw.execute(
        "SELECT first, last, day FROM span WHERE journal = ? AND first > ? ORDER BY first LIMIT ?",
        (journal, after, limit),
    )
    return [*touching(raw, journal, after + 1, after), *(Span(*row) for row in rows)]


def runs(records: Sequence[EntryRecord]) -> list[list[EntryRecord]]:
    """Cut records into runs of one day without a gap."""
    found: list[list[EntryRecord]] = []
    for record in records:
        last = found[-1][-1] if found else None
        if last and last.day == record.day and last.sequence + 1 == record.sequence:
            found[-1].append(record)
        else:
            found.append([record])
    return found


def lengthen(raw: sqlite3.Connection, journal: int, near: Sequence[Span], span: Span) -> bool:
    """Note that sequences lie in the day of those before them, if that is all that lies near.

    :param near: what touches the span, as it is noted.
    :returns: whether it was, and is noted.
    """
    if len(near) != 1 or near[0].last != span.first - 1 or near[0].day != span.day:
        return False
    raw.execute(
        "UPDATE span SET last = ? WHERE journal = ? AND first = ?",
        (span.last, journal, near[0].first),
    )
    return True


def add(raw: sqlite3.Connection, journal: int, span: Span) -> None:
    """Note that sequences lie in a day which none lies in yet."""
    first, last = span.first, span.last
    for beside in touching(raw, journal, span.first - 1, min(span.last + 1, MAX_INTEGER)):
        if beside.day == span.day:
            first, last = min(first, beside.first), max(last, beside.last)
            remove(raw, journal, beside)
    raw.execute("INSERT INTO span VALUES (?, ?, ?, ?)", (journal, first, last, span.day))


def remove(raw: sqlite3.Connection, journal: int, span: Span) -> None:
    """Note that the sequences of a span lie in no day."""
    raw.execute("DELETE FROM span WHERE journal = ? AND first = ?", (journal, span.first))


def reached(raw: sqlite3.Connection, journal: int, through: int) -> Span | None:
    """Return the last of the spans that follow without a gap behind a watermark."""
    found = None
    while through < MAX_INTEGER:
        spans = touching(raw, journal, through + 1, through + 1)
        if not spans:
            break
        found = spans[0]
        through = found.last
    return found


def uncovered(first: int, last: int, spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Return what of a run no span holds."""
    free, at = [], first
    for span in spans:
        if span.first > at:
            free.append((at, min(span.first - 1, last)))
        at = max(at, span.last + 1)
    if at <= last:
        free.append((at, last))
    return free
