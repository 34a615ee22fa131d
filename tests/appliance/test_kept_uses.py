"""Protects codes that count once: a restart in their window does not make them count twice."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from admission.instant import Instant
from appliance.kept_uses import GATHER_S, KeptUses, kept_uses
from cache.journal.local import used_codes
from cache.journal.local.database import LocalDatabase
from cache.journal.local.used_codes import KEPT_NS, load_used, save_used
from tests.worlds import ManualClock


class Keys:
    """A key for the day, which can be replaced."""

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self.key = key
        self._listeners: list[Callable[[Instant], None]] = []

    def derived_key(self, purpose: bytes) -> bytes:
        assert purpose
        return self.key

    def listen(self, listener: Callable[[Instant], None]) -> None:
        self._listeners.append(listener)

    def replace(self, key: bytes, now: Instant) -> None:
        self.key = key
        for listener in self._listeners:
            listener(now)


SECOND_NS = 10**9


@asynccontextmanager
async def a_run(
    folder: Path,
    clock: ManualClock,
    gate: asyncio.Event | None = None,
    keys: Keys | None = None,
) -> AsyncIterator[KeptUses]:
    async def sleep(seconds: float) -> None:
        assert seconds == GATHER_S
        await (gate or asyncio.Event()).wait()

    database = await LocalDatabase.open(folder / "journal.sqlite")
    try:
        async with kept_uses(database, keys or Keys(), clock, sleep=sleep) as uses:
            yield uses
    finally:
        await database.close()


async def kept(folder: Path) -> dict[bytes, int]:
    database = await LocalDatabase.open(folder / "journal.sqlite")
    try:
        return await load_used(database)
    finally:
        await database.close()


async def test_a_used_code_is_known_after_a_restart_and_one_given_back_is_not(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    until_ns = clock.wall_ns + 60 * SECOND_NS
    async with a_run(tmp_path, clock) as uses:
        assert uses.use(b"A", until_ns)
        assert uses.use(b"B", until_ns)
        uses.give_back(b"B")
    async with a_run(tmp_path, clock) as uses:
        assert not uses.use(b"A", until_ns)
        assert uses.use(b"B", until_ns)


async def test_another_key_loses_no_use_while_the_gate_runs(tmp_path: Path) -> None:
    clock, keys = ManualClock(), Keys()
    async with a_run(tmp_path, clock, keys=keys) as uses:
        assert uses.use(b"A", clock.wall_ns)
        keys.replace(b"l" * 32, clock.now())
        assert not uses.use(b"A", clock.wall_ns)
        assert uses.use(b"B", clock.wall_ns)
        uses.give_back(b"A")
        assert uses.use(b"A", clock.wall_ns)
    async with a_run(tmp_path, clock, keys=keys) as uses:
        assert not uses.use(b"A", clock.wall_ns)
        assert not uses.use(b"B", clock.wall_ns)


async def test_without_the_key_of_the_day_nothing_that_was_written_is_found_again(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with a_run(tmp_path, clock) as uses:
        uses.use(b"A", clock.wall_ns)
    async with a_run(tmp_path, clock, keys=Keys(b"another key, of after a power cut")) as uses:
        assert uses.use(b"A", clock.wall_ns)


async def test_uses_are_written_down_while_the_gate_runs(tmp_path: Path) -> None:
    clock, gate = ManualClock(), asyncio.Event()
    gate.set()
    async with a_run(tmp_path, clock, gate) as uses:
        uses.use(b"A", clock.wall_ns)
        while not await kept(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0)
        uses.give_back(b"A")
        while await kept(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_neither_code_nor_holder_is_in_the_file(tmp_path: Path) -> None:
    clock = ManualClock()
    async with a_run(tmp_path, clock) as uses:
        uses.use(b"object-4711", clock.wall_ns)
    (digest,) = await kept(tmp_path)
    assert len(digest) == 16
    assert b"object-4711" not in b"".join(file.read_bytes() for file in files(tmp_path))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


async def test_what_is_long_over_is_let_go_by_a_clock_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(used_codes, "MAX_USED_CODES", 3)
    database = await LocalDatabase.open(tmp_path / "journal.sqlite")
    try:
        await save_used(database, {bytes([n]) * 16: n for n in range(5)}, now_ns=None)
        assert sorted((await load_used(database)).values()) == [2, 3, 4]
        await save_used(database, {b"new": 1 << 70}, now_ns=KEPT_NS + 4)
        assert sorted((await load_used(database)).values()) == [4, (1 << 63) - 1]
    finally:
        await database.close()


async def test_a_database_that_fails_stops_nothing_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, gate = ManualClock(), asyncio.Event()
    gate.set()
    async with a_run(tmp_path, clock, gate) as uses:
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite")) as other:
            other.execute("ALTER TABLE used_code RENAME TO hidden")
        uses.use(b"A", clock.wall_ns)
        while "not written down" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not uses.use(b"A", clock.wall_ns)
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite")) as other:
            other.execute("ALTER TABLE hidden RENAME TO used_code")
    assert len(await kept(tmp_path)) == 1
