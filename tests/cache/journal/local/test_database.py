"""Protects the start: whatever stands in the local database's place, the gate has one that works.

And what stood in the file of earlier versions is taken over, once.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cache.journal.errors import LocalStateError
from cache.journal.local.database import LocalDatabase
from cache.journal.local.rows import with_crc
from cache.journal.outbox import Outbox, watermarks

JOURNAL = b"a journal's name"


class AJournal:
    journal_id = JOURNAL
    last_sequence = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def keep(path: Path, through: int) -> None:
    database = await LocalDatabase.open(path)
    try:
        await (await Outbox.open(database, AJournal())).acknowledge(through)
    finally:
        await database.close()


async def kept(path: Path, former: Path | None = None) -> dict[bytes, int]:
    database = await LocalDatabase.open(path, former_outbox=former)
    try:
        return await watermarks(database)
    finally:
        await database.close()


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def with_tables(path: Path, script: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(script)


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5_000, b"SQLite"]
)
async def test_a_file_that_is_none_is_replaced(path: Path, content: bytes) -> None:
    overwrite(path, content)
    assert await kept(path) == {}
    await keep(path, 7)
    assert await kept(path) == {JOURNAL: 7}


async def test_a_file_of_a_newer_version_is_replaced(path: Path) -> None:
    with_tables(path, "CREATE TABLE watermark (other TEXT); PRAGMA user_version = 999")
    assert await kept(path) == {}
    await keep(path, 7)


async def test_bytes_that_have_changed_are_never_believed(path: Path) -> None:
    await keep(path, 40)
    with_tables(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    sound = bytes_of(path)
    rng = Random(1)
    for _ in range(60):
        data = bytearray(sound)
        start = rng.randrange(len(data))
        harm = rng.randbytes(rng.choice((1, 2, 16, 600)))
        data[start : start + len(harm)] = harm
        overwrite(path, bytes(data[: len(sound)]))
        assert await kept(path) in ({}, {JOURNAL: 40})
        await keep(path, 50)
        assert await kept(path) == {JOURNAL: 50}
        for file in path.parent.iterdir():
            file.unlink()


async def test_damage_that_shows_later_is_told_and_mended(path: Path) -> None:
    await keep(path, 40)
    database = await LocalDatabase.open(path)
    try:
        outbox = await Outbox.open(database, AJournal())
        with_tables(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        overwrite(path, os.urandom(len(bytes_of(path))))
        with pytest.raises(LocalStateError):
            await outbox.acknowledge(50)
        await outbox.acknowledge(60)
    finally:
        await database.close()
    assert await kept(path) == {JOURNAL: 60}


async def test_what_is_not_the_files_fault_is_told_with_what_to_do(path: Path) -> None:
    with pytest.raises(LocalStateError) as caught:
        await LocalDatabase.open(path.parent / "missing" / path.name)
    assert caught.value.hint
    Path.mkdir(path)
    with pytest.raises(LocalStateError):
        await LocalDatabase.open(path)


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow: as on a full disk, also of the index that SQLite keeps beside a WAL."""
    bounds = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, bounds[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bounds)


async def test_on_a_full_disk_what_is_known_is_read_and_kept_once_there_is_room(path: Path) -> None:
    """Otherwise a full disk would keep the gate from starting, whatever the site's policy."""
    await keep(path, 7)
    with no_room():
        database = await LocalDatabase.open(path)
        try:
            assert await watermarks(database) == {JOURNAL: 7}
            outbox = await Outbox.open(database, AJournal())
            with pytest.raises(LocalStateError):
                await outbox.acknowledge(8)
        except BaseException:
            await database.close()
            raise
    await outbox.acknowledge(9)
    await database.close()
    assert await kept(path) == {JOURNAL: 9}


async def test_a_locked_file_is_not_replaced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.journal.local.database.BUSY_TIMEOUT_S", 0.01)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LocalStateError, match="locked"):
            await LocalDatabase.open(path)
    await keep(path, 7)


async def test_a_transaction_that_fails_leaves_no_trace(path: Path) -> None:
    database = await LocalDatabase.open(path)
    try:
        with contextlib.suppress(InterruptedError):
            async with database.transaction() as raw:
                await raw.execute(
                    "INSERT INTO watermark VALUES (?, ?, ?, ?)", with_crc(JOURNAL, 1, b"")
                )
                raise InterruptedError
        assert await watermarks(database) == {}
    finally:
        await database.close()


async def test_the_watermarks_of_earlier_versions_are_taken_over_once(path: Path) -> None:
    former = path.with_name("outbox.sqlite")
    table = "CREATE TABLE watermark (journal BLOB PRIMARY KEY, acknowledged_through INTEGER)"
    row = f"INSERT INTO watermark VALUES (x'{JOURNAL.hex()}', 40), ('text', -1)"
    with_tables(former, f"{table}; {row};")
    assert await kept(path, former) == {JOURNAL: 40}
    assert not former.exists()
    await keep(path, 50)
    with_tables(former, f"{table}; {row};")  # an update that was taken back, and made again
    assert await kept(path, former) == {JOURNAL: 50}


@pytest.mark.parametrize("content", [b"garbage" * 999, b""])
async def test_a_damaged_file_of_earlier_versions_is_left_behind(
    path: Path, content: bytes
) -> None:
    former = path.with_name("outbox.sqlite")
    former.write_bytes(content)
    assert await kept(path, former) == {}
    assert not former.exists()


async def test_no_umask_opens_it_to_others(path: Path) -> None:
    before = os.umask(0)
    try:
        database = await LocalDatabase.open(path)
        await (await Outbox.open(database, AJournal())).acknowledge(1)
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
        await database.close()
    finally:
        os.umask(before)
