"""Protects the hub from its examiner: what fails there is said, tried again, and stops nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, nullcontext, suppress
from pathlib import Path

from hub.errors import StoreError
from hub.examination.examiner import Examiner
from hub.examination.notebook import Cursor, open_notebook
from hub.examination.task import Bench, Examination
from hub.metrics import HubMetrics
from hub.store.entries import FlagKind, JournalKey
from hub.store.examined import HeldEntry
from tests.hub.examined import ExaminedMemory, Gate, a_notebook
from tests.worlds import ManualClock


async def _no_pause() -> None:
    return


def test_what_fails_is_said_and_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "examination.db"
    file.write_bytes(b"this is no database, and long enough to be seen as none" * 40)
    counted = asyncio.Event()

    class Store(ExaminedMemory):
        async def flag_counts(self) -> Mapping[FlagKind, int]:
            counted.set()
            return await super().flag_counts()

    gate, store, metrics = Gate("gate-a"), Store(), HubMetrics()
    gate.writes(b"")
    store.take(gate.key, gate.entries)
    tried = asyncio.Event()

    @asynccontextmanager
    async def bench() -> AsyncIterator[Bench]:
        try:
            async with open_notebook(file) as notebook:
                yield Bench(Examiner(store, notebook, pause=_no_pause))
        except StoreError:
            tried.set()
            raise

    async def work() -> None:
        task = Examination(bench, store, ManualClock(), metrics, interval_s=0, retry_s=0)
        running = asyncio.create_task(task.run())
        await tried.wait()
        await asyncio.sleep(0)
        assert task.problem == "the examiner's file failed: file is not a database"
        file.unlink()
        await counted.wait()
        await asyncio.sleep(0)
        assert task.problem == ""
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(work())
    told = metrics.exposition().decode()
    assert 'chot_hub_flags_raised{kind="missing"} 1.0' in told
    assert "chot_hub_examined_entries_total 1.0" in told
    assert 'chot_hub_followups{kind="missing"} 1.0' in told
    assert "chot_hub_examination_failures_total 0.0" not in told


def test_a_fault_of_its_own_at_one_journal_stops_no_other() -> None:
    gates, metrics = [Gate("gate-a"), Gate("gate-b")], HubMetrics()

    class Store(ExaminedMemory):
        faulty = True

        async def entries(self, key: JournalKey, after: int, *, limit: int) -> Sequence[HeldEntry]:
            if self.faulty and key == gates[0].key:
                raise OverflowError
            return await super().entries(key, after, limit=limit)

    store = Store()
    for gate in gates:
        gate.writes(b"")
        store.take(gate.key, gate.entries)

    async def work() -> None:
        async with a_notebook() as notebook:
            clock = ManualClock()
            bench = Bench(Examiner(store, notebook, pause=_no_pause))
            task = Examination(lambda: nullcontext(bench), store, clock, metrics)
            await task.once(bench)
            assert task.problem == "1 journals cannot be examined"
            assert store.flagged() == {("gate-b", 1): {FlagKind.MISSING}}
            store.faulty = False
            clock.advance(61)
            await task.once(bench)
            assert task.problem == ""
            assert len(store.flagged()) == 2

    asyncio.run(work())
    assert "chot_hub_examination_failures_total 1.0" in metrics.exposition().decode()


def test_a_note_of_its_own_that_it_cannot_read_stops_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "examination.db"
    failed = asyncio.Event()

    async def work() -> None:
        async with open_notebook(file) as notebook:
            await notebook.move(JournalKey("gate-a", bytes(16)), Cursor(), 1)
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("UPDATE cursor SET state = x'00ff'")
            raw.commit()

        @asynccontextmanager
        async def bench() -> AsyncIterator[Bench]:
            async with open_notebook(file) as notebook:
                try:
                    yield Bench(Examiner(ExaminedMemory(), notebook, pause=_no_pause))
                finally:
                    failed.set()

        task = Examination(bench, ExaminedMemory(), ManualClock(), HubMetrics(), retry_s=0)
        running = asyncio.create_task(task.run())
        await failed.wait()
        failed.clear()
        await failed.wait()
        assert not running.done(), "tried again, and the hub lives"
        assert task.problem == "ValidationError"
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(work())
