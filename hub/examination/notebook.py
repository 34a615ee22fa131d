"""The examiner's own file: how far it has come, what it has to remember, and who is barred.

`examination.db` in the hub's folder, apart from what is held: the examiner never waits for the
intake's transactions, nor they for its. Removed, everything is examined again with the same result,
but for one thing: since when the hub has known of somebody's bar is told from then on only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec

from hub.errors import StoreError
from hub.examination.blocks import Bar, Block, Why
from hub.examination.clocks import ClockMark
from hub.store.entries import JournalKey
from hub.store.sqlite.opening import made_private

_BUSY_TIMEOUT_S = 10.0
_SOME = 500
"""Variables of one statement."""
_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS cursor (
  device TEXT NOT NULL, journal BLOB NOT NULL, state BLOB NOT NULL, PRIMARY KEY (device, journal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS annulled (
  device TEXT NOT NULL, journal BLOB NOT NULL, sequence INTEGER NOT NULL,
  noted_ns INTEGER NOT NULL, PRIMARY KEY (device, journal, sequence)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS annulled_by_time ON annulled (noted_ns);
CREATE TABLE IF NOT EXISTS block (
  person INTEGER NOT NULL, why TEXT NOT NULL, last_day INTEGER NOT NULL, since_ns INTEGER NOT NULL,
  lifted_ns INTEGER, release INTEGER, PRIMARY KEY (person, why, last_day, since_ns)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS block_untold ON block (since_ns) WHERE release IS NULL;
CREATE TABLE IF NOT EXISTS followed (name TEXT PRIMARY KEY, revision INTEGER NOT NULL)
WITHOUT ROWID;
COMMIT;
"""


class Cursor(msgspec.Struct, frozen=True):
    """How far one journal is examined, and what the next entry is compared with.

    :ivar missing: whether the last entry was a place that cannot be read.
    :ivar clock: where the clock stood at the last passage; `clock_state` what was wrong with it.
    :ivar sent_off: whether the gate's clock was off when it sent the last time.
    :ivar begun_ms, ended_ms: the first and the latest date that somebody vouched for.
    :ivar tallies: how often what has happened.
    """

    through: int = 0
    missing: bool = False
    clock: ClockMark | None = None
    clock_state: tuple[str, ...] = ()
    sent_off: bool = False
    begun_ms: int | None = None
    ended_ms: int | None = None
    tallies: dict[str, int] = msgspec.field(default_factory=dict)


_pack = msgspec.msgpack.Encoder().encode
_cursor = msgspec.msgpack.Decoder(Cursor).decode


class Notebook:
    """The open file. Every call that writes is one transaction."""

    def __init__(self, raw: aiosqlite.Connection) -> None:
        self._raw = raw

    async def cursors(self) -> dict[JournalKey, Cursor]:
        """Return how far every journal is examined."""
        rows = await self._rows("SELECT device, journal, state FROM cursor")
        return {JournalKey(row[0], bytes(row[1])): _cursor(row[2]) for row in rows}

    async def move(
        self, key: JournalKey, cursor: Cursor, now_ns: int, annulled: Collection[int] = ()
    ) -> None:
        """Note how far a journal is examined, and which of its entries were taken back."""
        async with self._transaction() as raw:
            await raw.executemany(
                "INSERT OR IGNORE INTO annulled VALUES (?, ?, ?, ?)",
                [(key.device, key.journal, sequence, now_ns) for sequence in annulled],
            )
            await raw.execute(
                "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)",
                (key.device, key.journal, _pack(cursor)),
            )

    async def annulled(self, key: JournalKey, sequences: Collection[int]) -> set[int]:
        """Return which of these entries were taken back."""
        found: set[int] = set()
        for some in _portions(sorted(sequences)):
            query = f"{_ANNULLED} AND sequence IN ({_places(some)})"
            rows = await self._rows(query, (key.device, key.journal, *some))
            found.update(row[0] for row in rows)
        return found

    async def blocks(self, people: Collection[int]) -> dict[int, list[Block]]:
        """Return what stands, or has stood, against each of these people."""
        found: dict[int, list[Block]] = {}
        for some in _portions([_signed(person) for person in people]):
            rows = await self._rows(f"{_BLOCKS} WHERE person IN ({_places(some)})", tuple(some))
            for block in map(_block, rows):
                found.setdefault(block.bar.person, []).append(block)
        return found

    async def standing_bars(self) -> set[Bar]:
        """Return what stands against anybody now."""
        rows = await self._rows(f"{_BLOCKS} WHERE lifted_ns IS NULL")
        return {_block(row).bar for row in rows}

    async def followed(self, name: str) -> int | None:
        """Return the revision of a register that the blocks are of; None if none was followed."""
        rows = await self._rows("SELECT revision FROM followed WHERE name = ?", (name,))
        return next((int(row[0]) for row in rows), None)

    async def follow(
        self, name: str, revision: int, now_ns: int, barred: Iterable[Bar], lifted: Iterable[Bar]
    ) -> None:
        """Note who is barred from now on and who is no longer, as of a revision."""
        async with self._transaction() as raw:
            await raw.executemany(
                "UPDATE block SET lifted_ns = ?"
                " WHERE person = ? AND why = ? AND last_day = ? AND lifted_ns IS NULL",
                [(now_ns, *_columns(bar)) for bar in lifted],
            )
            await raw.executemany(
                "INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?, NULL, NULL)",
                [(*_columns(bar), now_ns) for bar in barred],
            )
            await raw.execute("INSERT OR REPLACE INTO followed VALUES (?, ?)", (name, revision))

    async def told(self, release: int) -> None:
        """Note that gates are told of all blocks, by this release at the latest."""
        async with self._transaction() as raw:
            await raw.execute("UPDATE block SET release = ? WHERE release IS NULL", (release,))

    async def forget_before(self, wall_ns: int) -> None:
        """Forget blocks that ended before a moment, and what was taken back before it."""
        async with self._transaction() as raw:
            await raw.execute("DELETE FROM annulled WHERE noted_ns < ?", (wall_ns,))
            await raw.execute("DELETE FROM block WHERE lifted_ns < ?", (wall_ns,))

    async def _rows(self, query: str, variables: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return list(await self._raw.execute_fetchall(query, variables))
        except sqlite3.Error as error:
            raise _failed(error) from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        try:
            await self._raw.execute("BEGIN IMMEDIATE")
            yield self._raw
            await self._raw.commit()
        except BaseException as error:  # cancelled, too: nothing may stay half written
            await self._raw.rollback()
            if isinstance(error, sqlite3.Error):
                raise _failed(error) from error
            raise


@asynccontextmanager
async def open_notebook(path: Path) -> AsyncIterator[Notebook]:
    """Open the file for the length of a context, making what is missing.

    :raises StoreError: if it cannot be opened, or is no such file.
    """
    try:
        made_private(path)
        raw = await aiosqlite.connect(path, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
    except (OSError, sqlite3.Error) as error:
        msg = f"cannot open {path}: {error}"
        raise StoreError(msg, hint="check that the hub's folder is yours") from error
    try:
        try:
            await raw.executescript(_TABLES)
        except sqlite3.Error as error:
            raise _failed(error) from error
        yield Notebook(raw)
    finally:
        await raw.close()


def _failed(error: sqlite3.Error) -> StoreError:
    msg = f"the examiner's file failed: {error}"
    hint = "check the medium; where it is damaged, remove examination.db: it is made anew"
    return StoreError(msg, hint=hint)


_ANNULLED = "SELECT sequence FROM annulled WHERE device = ? AND journal = ?"
_BLOCKS = "SELECT person, why, last_day, since_ns, lifted_ns, release FROM block"
_NO_DAY = 0


def _columns(bar: Bar) -> tuple[int, str, int]:
    day = _NO_DAY if bar.last_day is None else bar.last_day.toordinal()
    return _signed(bar.person), bar.why.value, day


def _block(row: tuple[Any, ...]) -> Block:
    person, why, day, since_ns, lifted_ns, release = row
    last_day = None if day == _NO_DAY else date.fromordinal(day)
    return Block(Bar(person % (1 << 64), Why(why), last_day), since_ns, lifted_ns, release)


def _signed(key: int) -> int:
    return key - (1 << 64) if key >= 1 << 63 else key


def _portions(values: list[int]) -> Iterable[list[int]]:
    for place in range(0, len(values), _SOME):
        yield values[place : place + _SOME]


def _places(values: list[int]) -> str:
    return ", ".join("?" * len(values))


def tally(tallies: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Return tallies with more counted."""
    return {name: tallies.get(name, 0) + more.get(name, 0) for name in {*tallies, *more}}
