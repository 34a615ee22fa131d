"""Days that go as a whole: a file is removed, and what entries.db knows of its entries."""

from __future__ import annotations

import sqlite3

from hub.store.entries import Day
from hub.store.sqlite.day_files import DayFiles

_BESIDE = ("flag", "conflict")
"""Tables whose rows go with the entry that they are about."""


def listed(raw: sqlite3.Connection, days: DayFiles) -> list[Day]:
    """Return the days there are, ascending."""
    rows = raw.execute("SELECT day, entries FROM day WHERE dropping = 0 ORDER BY day")
    return [Day(day, entries, days.size(day)) for day, entries in rows]


def mark(raw: sqlite3.Connection, days: DayFiles, before: int) -> list[Day]:
    """Decide to drop the days before this one; return them."""
    found = [day for day in listed(raw, days) if day.day < before]
    raw.execute("UPDATE day SET dropping = 1 WHERE day < ?", (before,))
    return found


def finish(raw: sqlite3.Connection, days: DayFiles) -> None:
    """Drop what is marked. Safe to repeat: the file goes first, what is known of it last."""
    rows = raw.execute("SELECT day FROM day WHERE dropping = 1").fetchall()
    for (day,) in rows:
        days.drop(day)
        gone = raw.execute("SELECT journal, first, last FROM span WHERE day = ?", (day,)).fetchall()
        for table in _BESIDE:
            raw.executemany(
                f"DELETE FROM {table} WHERE journal = ? AND sequence BETWEEN ? AND ?",  # noqa: S608
                gone,
            )
        raw.execute("DELETE FROM span WHERE day = ?", (day,))
        raw.execute("DELETE FROM day WHERE day = ?", (day,))
