"""Protects entries from a crash between the commits of a day's file and of entries.db."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hub.errors import StoreError
from hub.store.entries import Day, EntryRecord, JournalKey, Offer, Watermark
from hub.store.sqlite import dropping, open_store, opening
from hub.store.sqlite.day_files import DayFiles
from tests.contracts.test_hub_entries import KEY, OTHER, TODAY, record

Group = list[tuple[JournalKey, list[EntryRecord]]]
GROUPS: list[Group] = [
    [(KEY, [record(1, TODAY - 1, session=True), record(2, TODAY - 1)]), (OTHER, [record(1)])],
    [(KEY, [record(3, TODAY - 1), record(4), record(5)]), (OTHER, [record(2, TODAY - 1)])],
    [(KEY, [record(6), record(7)])],
]


async def add(folder: Path, groups: list[Group]) -> None:
    async with open_store(folder / "hub.db") as store:
        for group in groups:
            await store.add_entries([Offer(key, records) for key, records in group])


def rows(folder: Path) -> list[tuple[str, int]]:
    """Return device and sequence of every row in every day, beside what the store tells."""
    found = []
    for path in sorted((folder / "entries").glob("*.db")):
        with closing(sqlite3.connect(path)) as raw:
            query = "SELECT device, sequence FROM entry JOIN journal ON journal.id = entry.journal"
            found += raw.execute(query).fetchall()
    return sorted(found)


@pytest.fixture
def moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Copies of the folder as a crash before or after each commit would leave it."""
    found: list[Path] = []
    commit = opening.commit

    def keep() -> None:
        found.append(tmp_path / f"crash-{len(found)}")
        shutil.copytree(tmp_path / "hub", found[-1])

    def copying(raw: sqlite3.Connection) -> None:
        keep()
        commit(raw)
        keep()

    monkeypatch.setattr(opening, "commit", copying)
    return found


@pytest.mark.parametrize("later", [0, 1])
async def test_a_crash_at_any_commit_is_healed_by_sending_again(
    tmp_path: Path, moments: list[Path], monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    (tmp_path / "hub").mkdir()
    await add(tmp_path / "hub", GROUPS)
    monkeypatch.undo()
    whole = rows(tmp_path / "hub")
    assert whole == [("gate-1", s) for s in range(1, 8)] + [("gate-2", 1), ("gate-2", 2)]
    # Sent again, entries that know no time of their own may be given another day.
    again = [
        [
            (key, [record(r.sequence, r.day + later, session=r.session) for r in records])
            for key, records in group
        ]
        for group in GROUPS
    ]
    assert len(moments) >= 14
    for crashed in moments:
        await add(crashed, again)
        assert rows(crashed) == whole, f"{crashed.name}: nothing lost, nothing twice"
        async with open_store(crashed / "hub.db") as store:
            assert await store.watermark(KEY) == Watermark(7, record(7).chain_hash)
            assert await store.watermark(OTHER) == Watermark(2, record(2).chain_hash)
            assert [e.sequence for e in await store.entries(KEY, 0, limit=9)] == list(range(1, 8))
            assert sum(day.entries for day in await store.days()) == len(whole)
            assert await store.session_before(KEY, 9) == (1, b"entry1")
            assert await store.conflicts(KEY, 0, limit=9) == []
        shutil.rmtree(crashed)


async def test_a_failed_commit_is_told_and_healed_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, left = opening.commit, [0]

    def failing(raw: sqlite3.Connection) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise sqlite3.OperationalError("disk I/O error")
        commit(raw)

    async with open_store(tmp_path / "hub.db") as store:
        offers = [Offer(key, records) for key, records in GROUPS[0]]
        await store.add_entries([Offer(KEY, [record(1, TODAY - 1, session=True)])])
        monkeypatch.setattr(opening, "commit", failing)
        for number in (1, 2, 3):
            left[0] = number
            with pytest.raises(StoreError):
                await store.add_entries(offers)
        added = await store.add_entries(offers)
        assert [one.watermark.through for one in added] == [2, 1]
        assert await store.add_entries(offers) != added, "all of it is held now"
    assert rows(tmp_path) == [("gate-1", 1), ("gate-1", 2), ("gate-2", 1)]


async def test_what_another_process_left_and_was_sent_again_is_held_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, left = opening.commit, [2]

    def crashing(raw: sqlite3.Connection) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise sqlite3.OperationalError("killed")
        commit(raw)

    async with open_store(tmp_path / "hub.db") as serving:
        await serving.add_entries([Offer(KEY, [record(1)])])
        async with open_store(tmp_path / "hub.db") as other:
            await other.watermark(KEY)
            await other.add_entries([Offer(KEY, [record(1)])])
            monkeypatch.setattr(opening, "commit", crashing)
            with pytest.raises(StoreError):
                await other.add_entries([Offer(KEY, [record(2, TODAY - 1), record(3, TODAY - 1)])])
            monkeypatch.undo()
        assert rows(tmp_path) == [("gate-1", s) for s in (1, 2, 3)], "one day was committed"
        await serving.add_entries([Offer(KEY, [record(2), record(3)])])
        await serving.add_entries([Offer(OTHER, [record(1, TODAY - 1)])])
        assert [(day.day, day.entries) for day in await serving.days()] == [
            (TODAY - 1, 1),
            (TODAY, 3),
        ]
    assert rows(tmp_path) == [("gate-1", s) for s in (1, 2, 3)] + [("gate-2", 1)]


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_a_day_that_was_being_dropped_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    await add(tmp_path, GROUPS)
    unlink, calls = Path.unlink, list[Path]()

    def failing(path: Path, **named: Any) -> None:
        calls.append(path)
        if len(calls) > at:
            raise OSError(5, "Input/output error")
        unlink(path, **named)

    async with open_store(tmp_path / "hub.db") as store:
        monkeypatch.setattr(Path, "unlink", failing)
        with pytest.raises(StoreError):
            await store.drop_days(TODAY)
        monkeypatch.undo()
    await add(tmp_path, [[(KEY, [record(8)])]])
    async with open_store(tmp_path / "hub.db") as store:
        assert [day.day for day in await store.days()] == [TODAY]
        assert [e.sequence for e in await store.entries(KEY, 0, limit=9)] == [4, 5, 6, 7, 8]
        assert (await store.watermark(KEY)).through == 8
    assert rows(tmp_path) == [("gate-1", s) for s in (4, 5, 6, 7, 8)] + [("gate-2", 1)]
    assert len(list((tmp_path / "entries").iterdir())) == 1


async def test_what_a_lost_file_held_is_not_acknowledged(tmp_path: Path) -> None:
    await add(tmp_path, [[(KEY, [record(1)])], [(KEY, [record(3, TODAY - 1)])]])
    remove(tmp_path / "entries", "2021-09-19*")
    async with open_store(tmp_path / "hub.db") as store:
        (added,) = await store.add_entries([Offer(KEY, [record(2)])])
        assert added.watermark.through == 2, "the third is to be sent again"
        (added,) = await store.add_entries([Offer(KEY, [record(3)])])
        assert added.watermark.through == 3


def remove(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()


async def test_a_lost_entries_file_is_made_anew_from_the_days(tmp_path: Path) -> None:
    await add(tmp_path, [[(OTHER, [record(1, TODAY)])], *GROUPS])
    remove(tmp_path, "entries.db*")
    async with open_store(tmp_path / "hub.db") as store:
        (added,) = await store.add_entries([Offer(KEY, [record(7), record(8)])])
        assert (added.fresh, added.watermark.through) == (1, 8)
        assert await store.session_before(KEY, 9) == (1, b"entry1")
        assert (await store.watermark(OTHER)).through == 2


async def test_a_day_of_another_hub_is_not_mixed_in(tmp_path: Path) -> None:
    for name, key, day in (("one", KEY, TODAY), ("two", OTHER, TODAY - 1)):
        (tmp_path / name).mkdir()
        await add(tmp_path / name, [[(key, [record(1, day)])]])
    strange = next((tmp_path / "two" / "entries").iterdir())
    shutil.copy(strange, tmp_path / "one" / "entries")
    async with open_store(tmp_path / "one" / "hub.db") as store:
        with pytest.raises(StoreError, match="another hub"):
            await store.add_entries([Offer(KEY, [record(2)])])


async def test_a_day_dropped_by_another_process_is_written_anew(tmp_path: Path) -> None:
    async with open_store(tmp_path / "hub.db") as serving:
        await serving.add_entries([Offer(KEY, [record(1, TODAY - 9)])])
        async with open_store(tmp_path / "hub.db") as other:
            await other.drop_days(TODAY)
        await serving.add_entries([Offer(KEY, [record(2, TODAY - 9)])])
        assert [e.sequence for e in await serving.entries(KEY, 0, limit=9)] == [2]
    assert rows(tmp_path) == [("gate-1", 2)]


def scribble(path: Path, start: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * count)


@pytest.mark.parametrize("start", [0, 4_096], ids=["header", "pages"])
async def test_a_damaged_day_holds_up_no_other(tmp_path: Path, start: int) -> None:
    await add(tmp_path, GROUPS)
    folder = tmp_path / "entries"
    damaged = folder / "2021-09-19.db"
    scribble(damaged, start, damaged.stat().st_size - start)
    for _ in range(2):
        async with open_store(tmp_path / "hub.db") as store:
            await store.add_entries([Offer(KEY, [record(8)])])
            await store.add_entries([Offer(KEY, [record(9, TODAY - 1)])])
            assert (await store.watermark(KEY)).through == 9, "marks never go back"
            assert [e.sequence for e in await store.entries(KEY, 0, limit=99)] == [4, *range(5, 10)]
    assert (folder / "2021-09-19.db.damaged").exists(), "whoever can mend it has it"


async def test_a_day_that_is_damaged_while_it_is_open_is_set_aside(tmp_path: Path) -> None:
    await add(tmp_path, GROUPS)
    async with open_store(tmp_path / "hub.db") as store:
        await store.add_entries([Offer(KEY, [record(8, TODAY - 1)])])
        assert [day.day for day in await store.days()] == [TODAY - 1, TODAY]
    damaged = tmp_path / "entries" / "2021-09-19.db"
    with closing(sqlite3.connect(damaged)) as raw:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'entry_by_place'"
        (page,) = raw.execute(query).fetchone()
    scribble(damaged, (page - 1) * 4_096, 4_096)
    async with open_store(tmp_path / "hub.db") as store:
        with pytest.raises(StoreError):
            await store.add_entries([Offer(KEY, [record(9, TODAY - 1)])])
        (added,) = await store.add_entries([Offer(KEY, [record(9, TODAY - 1)])])
        assert (added.fresh, added.watermark.through) == (1, 9)
    assert damaged.with_name(damaged.name + ".damaged").exists()


async def test_rows_that_nobody_noted_give_way(tmp_path: Path) -> None:
    await add(tmp_path, [[(KEY, [record(1)])], [(KEY, [record(5), record(6)])]])
    with closing(sqlite3.connect(tmp_path / "entries" / "2021-09-20.db")) as raw:
        raw.execute("INSERT INTO entry VALUES (1, 3, x'00', x'01', NULL, NULL, NULL, NULL, 1)")
        raw.execute("DELETE FROM entry WHERE sequence = 6")
        raw.commit()
    async with open_store(tmp_path / "hub.db") as store:
        await store.add_entries([Offer(KEY, [record(2), record(3), record(4)])])
        missing = [record(sequence) for sequence in range(2, 7)]
        (added,) = await store.add_entries([Offer(KEY, missing)])
        assert added.watermark.through == 6, "no row blocks those behind it"
        assert [e.sequence for e in await store.entries(KEY, 0, limit=9)] == [1, 2, 3, 4, 5, 6]
        kept = await store.conflicts(KEY, 0, limit=9)
        assert [(one.sequence, one.packed) for one in kept] == [(3, b"\x01")], "and is not lost"


@pytest.mark.parametrize("failures", [1, 2])
async def test_old_days_make_room_on_a_full_medium(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    await add(tmp_path, GROUPS)
    mark, tries = dropping.mark, list[int]()

    def full(raw: sqlite3.Connection, days: DayFiles, before: int) -> list[Day]:
        tries.append(before)
        if len(tries) <= failures:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return mark(raw, days, before)

    monkeypatch.setattr(dropping, "mark", full)
    async with open_store(tmp_path / "hub.db") as store:
        if failures == 2:
            with pytest.raises(StoreError):
                await store.drop_days(TODAY)
            assert not list((tmp_path / "entries").glob("2021-09-19*")), "there is room again"
        assert [day.day for day in await store.drop_days(TODAY)] == [TODAY - 1]
        assert [day.day for day in await store.days()] == [TODAY]
        assert (await store.watermark(KEY)).through == 7
