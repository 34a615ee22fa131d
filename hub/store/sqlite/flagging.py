"""Flags and conflicts as rows of entries.db."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping

from hub.store.entries import Flag, FlagKind, JournalKey
from hub.store.examined import Conflict, RaisedFlag
from hub.store.sqlite import spans
from hub.store.sqlite.day_files import DayFiles


def raise_flags(
    raw: sqlite3.Connection,
    _: DayFiles,
    key: JournalKey,
    flags: Iterable[Flag],
    raised_ns: int,
) -> None:
    """Keep the flags that are not raised yet."""
    journal, _mark = spans.make_journal(raw, key, raised_ns)
    keep(raw, journal, flags, raised_ns)


def keep(raw: sqlite3.Connection, journal: int, flags: Iterable[Flag], raised_ns: int) -> None:
    """Keep the flags of a journal by its number."""
    raw.executemany(
        "INSERT OR IGNORE INTO flag VALUES (?, ?, ?, ?, ?)",
        [(journal, flag.sequence, flag.kind.value, flag.detail, raised_ns) for flag in flags],
    )


def lower_flags(
    raw: sqlite3.Connection, _: DayFiles, key: JournalKey, flags: Collection[tuple[int, FlagKind]]
) -> None:
    """Take back flags, as far as they are raised."""
    journal = spans.journal_id(raw, key)
    raw.executemany(
        "DELETE FROM flag WHERE journal = ? AND sequence = ? AND kind = ?",
        [(journal, sequence, kind.value) for sequence, kind in flags],
    )


def flags(raw: sqlite3.Connection, _: DayFiles, key: JournalKey) -> list[Flag]:
    """Return a journal's flags in order."""
    rows = raw.execute(
        "SELECT sequence, kind, detail FROM flag WHERE journal = ? ORDER BY sequence, kind",
        (spans.journal_id(raw, key),),
    )
    return [Flag(sequence, FlagKind(kind), detail) for sequence, kind, detail in rows]


def flags_at(
    raw: sqlite3.Connection, _: DayFiles, key: JournalKey, sequences: Collection[int]
) -> list[Flag]:
    """Return the flags of a few entries."""
    journal, found = spans.journal_id(raw, key), []
    for place in sorted(set(sequences)):
        rows = raw.execute(
            "SELECT kind, detail FROM flag WHERE journal = ? AND sequence = ? ORDER BY kind",
            (journal, place),
        )
        found += [Flag(place, FlagKind(kind), detail) for kind, detail in rows]
    return found


def all_flags(
    raw: sqlite3.Connection,
    _: DayFiles,
    *,
    kind: FlagKind | None,
    device: str | None,
    since_ns: int,
    limit: int,
) -> list[RaisedFlag]:
    """Return flags of all journals, the last raised first."""
    rows = raw.execute(
        "SELECT device, journal.journal, sequence, kind, detail, raised_ns"  # noqa: S608 constants
        " FROM flag JOIN journal ON journal.id = flag.journal WHERE raised_ns >= ?1"
        f" {'AND kind = ?2' if kind else ''} {'AND device = ?3' if device else ''}"
        " ORDER BY raised_ns DESC, device, journal.journal, sequence, kind LIMIT ?4",
        (since_ns, kind and kind.value, device, limit),
    )
    return [
        RaisedFlag(JournalKey(device, bytes(journal)), Flag(place, FlagKind(name), detail), at)
        for device, journal, place, name, detail, at in rows
    ]


def flag_counts(raw: sqlite3.Connection, _: DayFiles) -> Mapping[FlagKind, int]:
    """Return how many flags are raised, by kind."""
    rows = raw.execute("SELECT kind, count(*) FROM flag GROUP BY kind")
    return {FlagKind(kind): count for kind, count in rows}


def conflicts(
    raw: sqlite3.Connection, _: DayFiles, key: JournalKey, after: int, *, limit: int
) -> list[Conflict]:
    """Return what was offered beside held entries after a sequence, ascending."""
    rows = raw.execute(
        "SELECT sequence, chain_hash, packed, received_ns FROM conflict"
        " WHERE journal = ? AND sequence > ? ORDER BY sequence, digest LIMIT ?",
        (spans.journal_id(raw, key), after, limit),
    )
    return [Conflict(row[0], bytes(row[1]), bytes(row[2]), row[3]) for row in rows]
