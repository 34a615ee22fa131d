"""The stores that a gate could hold its people in instead: SQLite, LMDB, a dict.

Each holds the same keys and 16-byte records and answers the same question: the record under a
64-bit key, or None. They are set up as who knows them well would: bulk-loaded in the keys' order,
opened for reading only, statement, cursor and transaction made once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import lmdb

from benchmarks.population import Keys, Words

Find: TypeAlias = Callable[[int], bytes | None]
Chunks: TypeAlias = Iterable[tuple[Keys, Words]]

RECORD_BYTES = 16
_SIGN = 1 << 63
"""SQLite's integers are signed: keys keep their order by being moved."""
_LMDB_BYTES = 96
"""Room for a person in LMDB's map, which is address space and not disk."""
_LMDB_LEAST = 1 << 26
SQLITE_FILE, LMDB_FOLDER = "people.sqlite", "people.lmdb"


def records(words: Words) -> Iterator[bytes]:
    """Yield the records as bytes."""
    data = words.astype("<u8", copy=False).tobytes()
    return (data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES))


def build_sqlite(folder: Path, chunks: Chunks) -> int:
    """Write a rowid table with an integer primary key; return its bytes on disk."""
    path = folder / SQLITE_FILE
    with contextlib.closing(sqlite3.connect(path)) as database:
        # Nothing is lost by a crash that would not be built anew: without a journal it is fastest.
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        database.execute("CREATE TABLE people(key INTEGER PRIMARY KEY, record BLOB NOT NULL)")
        for keys, words in chunks:
            signed = (int(key) - _SIGN for key in keys.tolist())
            database.executemany(
                "INSERT INTO people VALUES(?, ?)", zip(signed, records(words), strict=True)
            )
            database.commit()
    return _on_disk(path)


def build_lmdb(folder: Path, people: int, chunks: Chunks) -> int:
    """Write an LMDB database of big-endian keys; return its bytes on disk."""
    path = folder / LMDB_FOLDER
    room = _LMDB_LEAST + people * _LMDB_BYTES
    with lmdb.open(str(path), map_size=room, sync=False, metasync=False) as environment:
        for keys, words in chunks:
            big_endian = keys.astype(">u8").tobytes()
            named = (big_endian[at : at + 8] for at in range(0, len(big_endian), 8))
            with environment.begin(write=True) as transaction:
                transaction.cursor().putmulti(
                    zip(named, records(words), strict=True), append=True, dupdata=False
                )
        environment.sync(True)
    return _on_disk(path / "data.mdb")


def build_dict(chunks: Chunks) -> dict[int, bytes]:
    """Return everybody in memory."""
    everybody: dict[int, bytes] = {}
    for keys, words in chunks:
        everybody.update(zip(keys.tolist(), records(words), strict=True))
    return everybody


@contextlib.contextmanager
def open_sqlite(folder: Path, *, mapped: bool = False, held: bool = False) -> Iterator[Find]:
    """Give the look-up of the SQLite table.

    :param mapped: whether the file is read through a map of it (`PRAGMA mmap_size`).
    :param held: whether one read transaction stays open, which spares each look-up its file locks,
        and which a store that is to be updated cannot do for long.
    """
    path = folder / SQLITE_FILE
    address = f"file:{path}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as database:
        if mapped:
            database.execute(f"PRAGMA mmap_size={path.stat().st_size}")
        if held:
            database.execute("BEGIN")
        execute = database.cursor().execute

        def find(key: int) -> bytes | None:
            row = execute("SELECT record FROM people WHERE key=?", (key - _SIGN,)).fetchone()
            return row[0] if row else None

        yield find


@contextlib.contextmanager
def open_lmdb(folder: Path) -> Iterator[Find]:
    """Give the look-up of the LMDB database, in one read transaction."""
    path = str(folder / LMDB_FOLDER)
    with (
        lmdb.open(path, readonly=True, lock=False, readahead=False) as environment,
        environment.begin(buffers=False) as transaction,
    ):
        get = transaction.get

        def find(key: int) -> bytes | None:
            record: bytes | None = get(key.to_bytes(8, "big"))
            return record

        yield find


def _on_disk(path: Path) -> int:
    return path.stat().st_blocks * 512
