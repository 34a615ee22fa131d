"""Protects entries that an earlier hub kept in one file, and their way into days."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from hub.store.entries import EntryCount, Flag, FlagKind, JournalKey, Watermark
from hub.store.examined import Conflict
from hub.store.marks import MarkKind
from hub.store.sqlite import entry_store, open_store
from hub.store.sqlite.entries_file import Entries
from tests.hub.gates import JOURNAL, entries_of

KEY = JournalKey("gate-1", JOURNAL)
SECOND = JournalKey("gate-2", JOURNAL)
DAY_NS = 86_400 * 10**9
RECEIVED_NS = 18_891 * DAY_NS + 5
ENTRIES = entries_of(7)
MIDNIGHT_NS = 18_890 * DAY_NS


def scripts(last: int) -> list[str]:
    folder = resources.files("hub.store.sqlite") / "migrations"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [(folder / name).read_text() for name in names[:last]]


def row(journal: int, place: int, wall_ns: int | None) -> tuple[Any, ...]:
    entry = ENTRIES[place]
    columns = (None,) * 4 if wall_ns is None else ("site-1", wall_ns, -2 - place, "admit")
    return (journal, entry.sequence, entry.chain_hash, entry.packed, *columns, RECEIVED_NS)


def an_old_hub(path: Path) -> None:
    """Make a file as the seventh version's hub left it."""
    rows: Sequence[tuple[Any, ...]] = [
        *(row(1, place, MIDNIGHT_NS - 3 + place) for place in range(4)),
        row(1, 4, None),  # undecodable
        row(1, 6, 5),  # behind a gap, and its time is not to be believed
        row(2, 0, MIDNIGHT_NS),
    ]
    with closing(sqlite3.connect(path)) as old:
        for script in scripts(7):
            old.executescript(script)
        old.execute("INSERT INTO journal VALUES (1, 'gate-1', ?, 5)", (JOURNAL,))
        old.execute("INSERT INTO journal VALUES (2, 'gate-2', ?, 1)", (JOURNAL,))
        old.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        old.execute("INSERT INTO mark VALUES (1, 2, 'alert', 'site-1', ?)", (RECEIVED_NS,))
        old.execute("INSERT INTO flag VALUES (1, 5, 'undecodable', 'odd')")
        old.execute("INSERT INTO conflict VALUES (1, 1, ?, ?, ?, 9)", (b"d", b"c" * 32, b"other"))
        old.execute("PRAGMA user_version = 7")
        old.commit()


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as raw:
        return {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}


async def check(path: Path) -> None:
    async with open_store(path) as store:
        assert await store.watermark(KEY) == Watermark(5, ENTRIES[4].chain_hash)
        assert await store.watermark(SECOND) == Watermark(1, ENTRIES[0].chain_hash)
        days = [(day.day, day.entries) for day in await store.days()]
        assert days == [(18_889, 3), (18_890, 4)]
        kept = await store.entries(KEY, 0, limit=9)
        places = [0, 1, 2, 3, 4, 6]
        assert [(e.sequence, e.chain_hash, e.packed) for e in kept] == [
            (ENTRIES[p].sequence, ENTRIES[p].chain_hash, ENTRIES[p].packed) for p in places
        ]
        assert kept[0].decoded is not None
        assert kept[0].decoded.person == (1 << 64) - 2
        assert kept[4].decoded is None
        assert [m.sequence for m in await store.marked(MarkKind.ALERT, limit=9)] == [2]
        assert await store.flags(KEY) == [Flag(5, FlagKind.UNDECODABLE, "odd")]
        assert await store.conflicts(KEY, 0, limit=9) == [Conflict(1, b"c" * 32, b"other", 9)]
        assert await store.count("gate-1") == EntryCount(6, 6, 1, 1)


async def test_entries_of_the_seventh_version_move_into_days(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    an_old_hub(path)
    await check(path)
    assert not {"entry", "journal", "flag", "conflict", "mark"} & tables(path)
    assert "person" in tables(path)
    await check(path)


async def test_a_move_that_was_cut_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hub.db"
    an_old_hub(path)

    class CutOffError(Exception):
        pass

    writing, left = Entries.writing, [3]

    def failing(entries: Entries) -> Any:
        left[0] -= 1
        if not left[0]:
            raise CutOffError
        return writing(entries)

    monkeypatch.setattr(Entries, "writing", failing)
    async with open_store(path) as store:
        with pytest.raises(CutOffError):
            await store.days()
    monkeypatch.undo()
    assert "entry" in tables(path), "nothing went before all had moved"
    await check(path)


async def test_a_move_waits_for_nobody_who_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hub.db"
    an_old_hub(path)
    async with open_store(path):
        pass
    monkeypatch.setattr(entry_store.moving, "BUSY_TIMEOUT_S", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as importing:
        importing.execute("BEGIN IMMEDIATE")
        await check(path)
        assert "entry" in tables(path), "the old tables go another time"
    await check(path)
    assert "entry" not in tables(path)
