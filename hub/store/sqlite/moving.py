"""Entries that an earlier version kept in hub.db move into the files of their days.

Safe to interrupt: what has moved is found again, and the old tables go last.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from admission.instant import ClockTrust
from hub.days import day_of, filled, own_day
from hub.store.entries import Decoded, EntryRecord, Flag, FlagKind, JournalKey, Offer
from hub.store.marks import MarkKind
from hub.store.sqlite import adding, flagging
from hub.store.sqlite.day_file import unsigned
from hub.store.sqlite.entries_file import Entries
from hub.store.sqlite.opening import BUSY_TIMEOUT_S

_AT_ONCE = 5_000
_TABLES = ("mark", "flag", "conflict", "entry", "journal")


def move(entries: Entries, database: Path) -> None:
    """Move what lies in the tables of an earlier version, if there are any."""
    if not database.exists():
        return
    source = f"{database.absolute().as_uri()}?mode=rw"
    with closing(
        sqlite3.connect(source, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    ) as old:
        if not old.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchall():
            return
        journals = old.execute("SELECT id, device, journal FROM journal ORDER BY id").fetchall()
        for number, device, journal in journals:
            _move(entries, old, number, JournalKey(device, bytes(journal)))
        _drop(old)


def _move(entries: Entries, old: sqlite3.Connection, number: int, key: JournalKey) -> None:
    for records in _records(old, number):
        with entries.writing():
            adding.add(entries.raw, entries.days, Offer(key, records))
    others = old.execute(
        "SELECT sequence, chain_hash, packed, received_ns FROM conflict WHERE journal = ?",
        (number,),
    )
    with entries.writing():
        for sequence, chain_hash, packed, received_ns in others:
            record = EntryRecord(sequence, bytes(chain_hash), bytes(packed), None, received_ns)
            adding.keep_conflict(entries.raw, key, record)
    for received_ns, flags in _flags(old, number).items():
        with entries.writing():
            flagging.raise_flags(entries.raw, entries.days, key, flags, received_ns)


def _records(old: sqlite3.Connection, journal: int) -> Iterator[Sequence[EntryRecord]]:
    """Yield a journal's entries, each time some without a gap."""
    after = 0
    while True:
        rows = old.execute(
            "SELECT sequence, chain_hash, packed, site, wall_ns, person, outcome, received_ns"
            " FROM entry WHERE journal = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (journal, after, _AT_ONCE),
        ).fetchall()
        if not rows:
            return
        after = rows[-1][0]
        marks = _marks(old, journal, rows[0][0], after)
        run: list[EntryRecord] = []
        for row, day in zip(rows, _days(rows), strict=True):
            if run and run[-1].sequence + 1 != row[0]:
                yield run
                run = []
            run.append(_record(row, day, marks[row[0]]))
        yield run


def _days(rows: Sequence[Any]) -> list[int]:
    # The version before kept no trust beside the time; what lies far off goes by its receipt.
    own = [None if r[4] is None else own_day(r[4], ClockTrust.RTC, r[7]) for r in rows]
    return filled(own, day_of(rows[0][7]))


def _record(row: Any, day: int, marks: Sequence[MarkKind]) -> EntryRecord:
    sequence, chain_hash, packed, site, wall_ns, person, outcome, received_ns = row
    decoded = None
    if site is not None:
        decoded = Decoded(site, wall_ns, unsigned(person), outcome, tuple(marks))
    return EntryRecord(sequence, bytes(chain_hash), bytes(packed), decoded, received_ns, day)


def _marks(
    old: sqlite3.Connection, journal: int, first: int, last: int
) -> defaultdict[int, list[MarkKind]]:
    found = defaultdict[int, list[MarkKind]](list)
    rows = old.execute(
        "SELECT sequence, kind FROM mark WHERE journal = ? AND sequence BETWEEN ? AND ?",
        (journal, first, last),
    )
    for sequence, kind in rows:
        found[sequence].append(MarkKind(kind))
    return found


def _flags(old: sqlite3.Connection, journal: int) -> dict[int, list[Flag]]:
    """Return flags by when they were raised: at the receipt of their entry, as far as known."""
    found = defaultdict[int, list[Flag]](list)
    rows = old.execute(
        "SELECT sequence, kind, detail, coalesce(received_ns, 0) FROM flag"
        " LEFT JOIN entry USING (journal, sequence) WHERE journal = ?",
        (journal,),
    )
    for sequence, kind, detail, received_ns in rows:
        found[received_ns].append(Flag(sequence, FlagKind(kind), detail))
    return dict(found)


def _drop(old: sqlite3.Connection) -> None:
    old.execute("PRAGMA foreign_keys = OFF")
    try:
        old.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:  # an import is at work: the tables go the next time
        return
    for table in _TABLES:
        old.execute(f"DROP TABLE {table}")
    old.execute("COMMIT")
