"""Protects the lanes from the index, and the index from whatever becomes of the journal."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from admission.journal_record import FollowupKind
from admission.reset import DailyReset
from admission.verdict import Outcome
from cache.journal.local import tables
from cache.journal.local.count_reading import read_counts
from cache.journal.local.counts import Counted
from cache.journal.local.database import LocalDatabase
from cache.journal.local.projection import ZonePlan
from cache.journal.local.projector import Projector
from cache.journal.local.search import Criteria, search
from tests.cache.journal.local.history import (
    FOLDER,
    HOUR_NS,
    PLAN,
    SMALL,
    History,
    a_followup,
    a_passage,
)
from tests.worlds import VIETNAM

ADMITTED = Counted(738_044, "lane-1", "in", "scan", "admit")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@asynccontextmanager
async def database_at(path: Path) -> AsyncIterator[LocalDatabase]:
    database = await LocalDatabase.open(path)
    try:
        yield database
    finally:
        await database.close()


async def caught_up(history: History, path: Path, *, plan: ZonePlan = PLAN) -> Projector:
    async with database_at(path) as database:
        projector = history.projector(database, plan=plan)
        await projector.catch_up()
        return projector


async def zone_rows(path: Path) -> list[int]:
    async with database_at(path) as database, database.transaction() as raw:
        rows = await raw.execute_fetchall("SELECT first FROM zone_chunk ORDER BY first")
        return [row[0] for row in rows]


async def test_it_rests_after_each_step_and_lets_entries_gather(path: Path) -> None:
    history, rests = History(), []
    history.write(*[a_passage(n) for n in range(1, 20)])

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await asyncio.sleep(0)

    clock = iter(range(0, 10**12, 1_000_000))  # a millisecond whenever it is looked at
    pace = msgspec.structs.replace(SMALL, rest=4.0, gather_s=15.0)
    async with database_at(path) as database:
        projector = Projector(
            history,
            FOLDER,
            database,
            PLAN,
            monotonic_ns=lambda: next(clock),
            sleep=sleep,
            medium=history.disk,
            pace=pace,
        )
        running = asyncio.create_task(projector.run())
        while projector.status().behind:  # noqa: ASYNC110 - threads take part
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert rests == [15.0, 0.004, 0.004]
    status = projector.status()
    assert (status.through, status.entries, status.busy_ns) == (19, 19, 3_000_000)


async def test_an_ended_journal_leaves_its_counts_and_nothing_else(path: Path) -> None:
    ended, living = History(), History()
    ended.write(*[a_passage()] * 9)
    living.journal_id = b"another journal!"
    living.write(*[a_passage()] * 2)
    await caught_up(ended, path)
    projector = await caught_up(living, path)
    assert read_counts(path).counts == {ADMITTED: 11}
    assert read_counts(path).through == 2
    assert projector.totals == {ADMITTED._replace(day=0): 11}
    assert await zone_rows(path) == [1]


async def test_a_journal_that_was_put_back_is_counted_anew(path: Path) -> None:
    longer, shorter = History(), History()
    longer.write(*[a_passage()] * 9)
    shorter.write(*[a_passage(outcome=Outcome.REFER)] * 2)
    await caught_up(longer, path)
    await caught_up(shorter, path)
    assert read_counts(path).counts == {ADMITTED._replace(what="refer"): 2}


async def test_what_was_pruned_leaves_the_index_and_stays_counted(path: Path) -> None:
    history = History(rotate_bytes=1 << 16)
    history.write_all([a_passage()] * 3_000)
    await caught_up(history, path)
    for name in sorted(history.disk.names(FOLDER))[:-2]:
        history.disk.remove(FOLDER / name)
    history.write(a_passage())
    await caught_up(history, path)
    kept = int(min(history.disk.names(FOLDER)).removesuffix(".journal"))
    async with database_at(path) as database, database.transaction() as raw:
        rows = await raw.execute_fetchall("SELECT min(last) FROM block")
        assert next(iter(rows))[0] >= kept > 1_024
    assert read_counts(path).counts == {ADMITTED: 3_001}
    found = search(FOLDER, path, Criteria(), medium=history.disk)
    assert [n for n, _ in found] == list(range(kept, 3_002))


async def test_without_its_file_it_begins_where_the_journal_does(path: Path) -> None:
    history = History(rotate_bytes=1 << 16)
    history.write_all([a_passage()] * 3_000)
    for name in sorted(history.disk.names(FOLDER))[:-2]:
        history.disk.remove(FOLDER / name)
    kept = int(min(history.disk.names(FOLDER)).removesuffix(".journal"))
    await caught_up(history, path)
    assert read_counts(path).counts == {ADMITTED: 3_001 - kept}


@pytest.mark.parametrize(
    "plan",
    [
        ZonePlan("site-2", PLAN.reset, VIETNAM),
        ZonePlan("site-1", DailyReset(0, VIETNAM), VIETNAM),
    ],
)
async def test_records_of_another_zone_do_not_do_for_this_one(path: Path, plan: ZonePlan) -> None:
    history = History()
    history.write(a_passage(), a_passage(site="site-2"))
    await caught_up(history, path)
    history.write(a_passage(site="site-2"))
    await caught_up(history, path, plan=plan)
    async with database_at(path) as database, database.transaction() as raw:
        standing = await tables.standing(raw)
    assert standing is not None
    assert (standing.zone, standing.whole) == (plan.key, 0)
    later = a_passage(site=plan.site, wall_ns=30 * HOUR_NS)
    history.write(a_passage(site=plan.site), later, later)
    await caught_up(history, path, plan=plan)
    async with database_at(path) as database, database.transaction() as raw:
        standing = await tables.standing(raw)
    assert standing is not None
    assert standing.whole == 1


async def test_yesterday_is_let_go(path: Path) -> None:
    history = History()
    history.write(*[a_passage()] * 5)
    await caught_up(history, path)
    history.write(a_passage(wall_ns=30 * HOUR_NS))
    await caught_up(history, path)
    assert await zone_rows(path) == [6]


async def test_a_medium_that_fails_is_told_of_and_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History()
    history.write(*[a_passage()] * 5)
    read = history.disk.read

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(history.disk, "read", fail)
    async with database_at(path) as database:
        projector = history.projector(database)
        running = asyncio.create_task(projector.run())
        while not projector.status().last_error:  # noqa: ASYNC110 - threads take part
            await asyncio.sleep(0)
        monkeypatch.setattr(history.disk, "read", read)
        while projector.status().behind or projector.status().last_error:  # noqa: ASYNC110
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert read_counts(path).counts == {ADMITTED: 5}


async def test_a_file_that_was_replaced_meanwhile_is_filled_anew(path: Path) -> None:
    history = History()
    history.write(*[a_passage()] * 5)
    async with database_at(path) as database:
        projector = history.projector(database)
        await projector.catch_up()
        async with database.transaction() as raw:
            await tables.clear(raw)
        history.write(a_passage())
        with pytest.raises(tables.LocalStateError, match="replaced"):
            await projector.catch_up()
        await projector.catch_up()
    assert read_counts(path).counts == {ADMITTED: 6}


async def test_what_followed_is_counted_where_the_entry_was(path: Path) -> None:
    history = History()
    history.write(a_passage(lane="lane-2"), a_followup(1, FollowupKind.PASSED))
    await caught_up(history, path)
    history.write(a_followup(1, FollowupKind.WITHHELD), a_followup(9))
    await caught_up(history, path)
    there = ADMITTED._replace(lane="lane-2")
    assert read_counts(path).counts == {
        there: 1,
        there._replace(event="followup", what="passed"): 1,
        there._replace(event="followup", what="withheld"): 1,
        Counted(0, "", "", "followup", "not_passed"): 1,
    }


def test_what_is_no_database_is_told_with_what_to_do(path: Path) -> None:
    with pytest.raises(tables.LocalStateError) as caught:
        read_counts(path)
    assert caught.value.hint
    path.write_bytes(b"garbage" * 999)
    with pytest.raises(tables.LocalStateError):
        read_counts(path)


async def test_at_the_end_the_last_entries_are_written_down_and_many_are_not(path: Path) -> None:
    history = History(rotate_bytes=1 << 18)
    history.write_all([a_passage()] * 1_025)
    async with database_at(path) as database:
        projector = history.projector(database)
        await projector.finish()
        assert projector.status().through == 0
        await projector.catch_up()
        history.write(a_passage())
        await projector.finish()
    assert read_counts(path).counts == {ADMITTED: 1_026}
