"""One day of entries in a file of its own. For one thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hub.store.entries import EntryRecord, Held, JournalKey
from hub.store.marks import MarkKind
from hub.store.sqlite import opening

_MIGRATIONS = "day_migrations"
_ROWS = (1_000, 100, 50, 25, 10, 5, 2, 1)
"""Rows of one statement. A statement is one step of the engine, which waits for no other thread of
this process between its rows; sizes are few, so that each is prepared once."""
_INSERTS = {
    size: f"INSERT INTO entry VALUES {','.join(['(?,?,?,?,?,?,?,?,?)'] * size)}"  # noqa: S608
    for size in _ROWS
}
_SITES_KNOWN = 256
"""Numbers of sites that are remembered: a gate may write another name into each entry."""
SESSION = "session"
"""Marks a session record in the file, beside the kinds of `MarkKind`."""


class DayFile:
    """An open day. Writes are part of the transaction that `begin` opened."""

    def __init__(self, raw: sqlite3.Connection, path: Path, day: int) -> None:
        self.raw = raw
        self.day = day
        self.writing = False
        self.added = 0
        self._path = path
        self._inode = path.stat().st_ino
        self._sites: dict[str, int] = {}
        self._journals: set[int] = set()

    @classmethod
    def open(cls, path: Path, day: int, *, write: bool) -> DayFile | None:
        """Open a day's file; to write, make it if it is not there. To read, None if it is not.

        :raises StoreError: if it is no usable file, or of a newer version.
        """
        raw = opening.opened_file(path, _MIGRATIONS) if write else opening.opened_for_reading(path)
        return None if raw is None else cls(raw, path, day)

    @property
    def current(self) -> bool:
        """Whether this is still the file under its name: another process may have dropped it."""
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go of the file; what was not committed is lost."""
        self.raw.close()

    def begin(self) -> None:
        """Open a transaction that writes, unless one is open."""
        if not self.writing:
            self.raw.execute("BEGIN IMMEDIATE")
            self.writing, self.added = True, 0

    def commit(self) -> int:
        """Commit; return how many transactions have been committed here."""
        (commits,) = self.raw.execute(
            "UPDATE state SET commits = commits + 1 RETURNING commits"
        ).fetchone()
        opening.commit(self.raw)
        self.writing = False
        return int(commits)

    @property
    def commits(self) -> int:
        """How many transactions have been committed here."""
        return int(self.raw.execute("SELECT commits FROM state").fetchone()[0])

    def add(
        self, journal: int, key: JournalKey, records: Sequence[EntryRecord]
    ) -> Mapping[int, Held]:
        """Add entries that are not held, ascending without gaps.

        :returns: what lay in their places all the same, noted by nobody, and gave way: rows that
            somebody has slipped in, or the rest of a span whose end was taken away.
        """
        self.begin()
        if journal not in self._journals:
            self.raw.execute(
                "INSERT OR IGNORE INTO journal VALUES (?, ?, ?)", (journal, key.device, key.journal)
            )
            self._journals.add(journal)
        rows = [self._row(journal, record) for record in records]
        strays: dict[int, Held] = {}
        try:
            self._insert(rows)
        except sqlite3.IntegrityError:
            first, last = records[0].sequence, records[-1].sequence
            taken = {record.sequence: Held(record.chain_hash, record.packed) for record in records}
            strays = {
                sequence: held
                for sequence, held in self.held(journal, first, last).items()
                if held != taken[sequence]
            }
            self.forget(journal, first, last)
            self._insert(rows)
        self.added += len(rows)
        self.mark(journal, records)
        return strays

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        place = 0
        for size in _ROWS:
            while len(rows) - place >= size:
                variables = tuple(chain.from_iterable(rows[place : place + size]))
                self.raw.execute(_INSERTS[size], variables)
                place += size

    def mark(self, journal: int, records: Sequence[EntryRecord]) -> None:
        """Keep the marks of entries."""
        for record in records:
            if record.session:
                self._mark(journal, record.sequence, SESSION, None, record.received_ns)
            elif record.decoded is not None and record.decoded.marks:
                site = self._site(record.decoded.site)
                for kind in record.decoded.marks:
                    self._mark(journal, record.sequence, kind.value, site, record.received_ns)

    def redecode(self, journal: int, record: EntryRecord) -> None:
        """Fill the columns and marks of an entry that is held."""
        self.begin()
        self.raw.execute(
            "UPDATE entry SET site = ?, wall_ns = ?, person = ?, outcome = ?"
            " WHERE journal = ? AND sequence = ?",
            (*self._columns(record), journal, record.sequence),
        )
        self.mark(journal, [record])

    def held(self, journal: int, first: int, last: int) -> dict[int, Held]:
        """Return what is held of a journal from one sequence to another."""
        rows = self.raw.execute(
            "SELECT sequence, chain_hash, packed FROM entry"
            " WHERE journal = ? AND sequence BETWEEN ? AND ?",
            (journal, first, last),
        )
        return {row[0]: Held(row[1], row[2]) for row in rows}

    def chain_hash(self, journal: int, sequence: int) -> bytes | None:
        """Return the chain hash of one entry."""
        row = self.raw.execute(
            "SELECT chain_hash FROM entry WHERE journal = ? AND sequence = ?", (journal, sequence)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def journals(self) -> list[tuple[int, JournalKey]]:
        """Return the journals of which anything was ever added here."""
        rows = self.raw.execute("SELECT id, device, journal FROM journal")
        return [(row[0], JournalKey(row[1], bytes(row[2]))) for row in rows]

    def runs(self, journal: int) -> Iterator[tuple[int, int]]:
        """Yield the runs of sequences that lie here, ascending."""
        rows = self.raw.execute(
            "SELECT min(sequence), max(sequence) FROM (SELECT sequence, sequence - row_number()"
            " OVER (ORDER BY sequence) AS run FROM entry WHERE journal = ?) GROUP BY run"
            " ORDER BY 1",
            (journal,),
        )
        yield from rows

    def sessions(self, journal: int, first: int, last: int) -> list[tuple[int, bytes]]:
        """Return the session records of a journal from one sequence to another."""
        rows = self.raw.execute(
            "SELECT sequence, packed FROM mark JOIN entry USING (journal, sequence)"
            " WHERE kind = ? AND journal = ? AND sequence BETWEEN ? AND ?",
            (SESSION, journal, first, last),
        )
        return [(row[0], bytes(row[1])) for row in rows]

    def forget(self, journal: int, first: int, last: int) -> None:
        """Remove entries that are held elsewhere."""
        self.begin()
        for table in ("mark", "entry"):
            self.raw.execute(
                f"DELETE FROM {table} WHERE journal = ? AND sequence BETWEEN ? AND ?",  # noqa: S608
                (journal, first, last),
            )

    def rows(self, columns: str, rest: str, variables: Collection[Any]) -> list[tuple[Any, ...]]:
        """Return some columns of entries, joined with journal and site.

        :param rest: what comes behind the tables, a constant.
        """
        query = (
            f"SELECT {columns} FROM entry JOIN journal ON journal.id = entry.journal"  # noqa: S608
            f" LEFT JOIN site ON site.id = entry.site {rest}"
        )
        return self.raw.execute(query, tuple(variables)).fetchall()

    def marked(
        self, kind: MarkKind, since_ns: int, site: str | None, limit: int
    ) -> list[tuple[Any, ...]]:
        """Return device, journal, sequence, bytes and receipt of marked entries, newest first."""
        return self.raw.execute(
            "SELECT journal.device, journal.journal, entry.sequence, entry.packed,"
            " entry.received_ns FROM mark CROSS JOIN entry USING (journal, sequence)"
            " CROSS JOIN journal ON journal.id = mark.journal LEFT JOIN site ON site.id = mark.site"
            " WHERE mark.kind = ? AND mark.received_ns >= ? AND (? IS NULL OR site.name = ?)"
            " ORDER BY mark.received_ns DESC, mark.sequence DESC, journal.device, journal.journal"
            " LIMIT ?",
            (kind.value, since_ns, site, site, limit),
        ).fetchall()

    def _row(self, journal: int, record: EntryRecord) -> tuple[Any, ...]:
        return (
            journal,
            record.sequence,
            record.chain_hash,
            record.packed,
            *self._columns(record),
            record.received_ns,
        )

    def _columns(self, record: EntryRecord) -> tuple[Any, ...]:
        decoded = record.decoded
        if decoded is None:
            return (None, None, None, None)
        site, person = self._site(decoded.site), decoded.person
        return (site, decoded.wall_ns, signed(person), decoded.outcome)

    def _site(self, name: str) -> int:
        number = self._sites.get(name)
        if number is None:
            self.raw.execute("INSERT OR IGNORE INTO site (name) VALUES (?)", (name,))
            row = self.raw.execute("SELECT id FROM site WHERE name = ?", (name,)).fetchone()
            if len(self._sites) >= _SITES_KNOWN:
                self._sites.clear()
            number = self._sites[name] = int(row[0])
        return number

    def _mark(
        self, journal: int, sequence: int, kind: str, site: int | None, received_ns: int
    ) -> None:
        self.raw.execute(
            "INSERT OR IGNORE INTO mark VALUES (?, ?, ?, ?, ?)",
            (journal, sequence, kind, site, received_ns),
        )


def signed(key: int | None) -> int | None:
    """Return an unsigned 64-bit key as a column holds it: as two's complement."""
    return key - (1 << 64) if key is not None and key >= 1 << 63 else key


def unsigned(column: int | None) -> int | None:
    """Return the key of a column."""
    return column + (1 << 64) if column is not None and column < 0 else column
