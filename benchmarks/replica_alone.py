"""Measurements of the replica that need a process of their own: `child.in_child` calls them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from admission.identity import Identifier
from benchmarks.child import anonymous_bytes, read_bytes
from benchmarks.replica_peers import LMDB_FOLDER, SQLITE_FILE, open_lmdb, open_sqlite
from benchmarks.replica_stage import HASH_KEY, HEAD, NOW, card
from benchmarks.timing import Took, timed
from cache.replica.book import ReplicaBook
from cache.replica.delta import read_delta
from cache.replica.durable import write_durably
from cache.replica.names import PERSONS
from cache.replica.segment import Segment
from cache.replica.table import Table

_COLD_LEAST_BYTES = 4_096


class Store(StrEnum):
    """What is looked up in."""

    OURS = "ours"
    SQLITE = "sqlite"
    LMDB = "lmdb"


class DeltaPlace(msgspec.Struct, frozen=True):
    """Where a delta on a base lies."""

    path: Path
    base: bytes
    after: int
    through: int


def open_table(segment: Path, places: Sequence[DeltaPlace] = ()) -> Table:
    """Return a base, and deltas on it."""
    base = Segment.open(segment)
    return _laid_over(base, [(place, place.path.read_bytes()) for place in places])


def _laid_over(base: Segment, received: Sequence[tuple[DeltaPlace, bytes]]) -> Table:
    deltas = [
        read_delta(
            data,
            base=place.base,
            layout=base.layout,
            rows=base.header.rows,
            after=place.after,
            through=place.through,
        )
        for place, data in received
    ]
    return Table(base, deltas)


def cold_bytes(store: Store, place: Path, keys: Sequence[int]) -> float | None:
    """Return the bytes read from the medium for one look-up whose pages are not in memory.

    :param place: our segment, or the folder of the others.
    :returns: None where the system tells nothing: what was evicted is still in memory, or the
        medium is memory itself.
    """
    file = {Store.SQLITE: place / SQLITE_FILE, Store.LMDB: place / LMDB_FOLDER / "data.mdb"}
    evict(file.get(store, place))
    with _opened(store, place) as find:
        before = read_bytes()
        for key in keys:
            find(key)
        read = read_bytes() - before
    return read / len(keys) if read >= _COLD_LEAST_BYTES else None


@contextlib.contextmanager
def _opened(store: Store, place: Path) -> Iterator[Callable[[int], bytes | None]]:
    if store is Store.OURS:
        yield open_table(place).find
    elif store is Store.SQLITE:
        with open_sqlite(place) as find:
            yield find
    else:
        with open_lmdb(place) as find:
            yield find


def evict(path: Path) -> None:
    """Put a file out of memory, as far as nobody has it mapped."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def memory_bytes(segment: Path, places: Sequence[DeltaPlace], sought: bytes) -> int:
    """Return the anonymous memory that a base and its deltas take after many look-ups.

    :param sought: keys to look up, as 64-bit integers.
    """
    keys = array("Q", sought)
    before = anonymous_bytes()
    table = open_table(segment, places)
    find = table.find
    for key in keys:
        find(key)
    return anonymous_bytes() - before


def live(folder: Path, segment: Path, places: Sequence[DeltaPlace], sought: Identifier) -> Took:
    """Return what it takes from downloaded deltas to the first look-up that they answer.

    They are written and synced, names too, judged, laid over the open base, and swapped in.
    """
    base = Segment.open(segment)
    received = [(place, place.path.read_bytes()) for place in places]
    book = ReplicaBook(HASH_KEY)
    folder.mkdir(exist_ok=True)

    def work() -> object:
        for _, data in received:
            write_durably(folder / hashlib.sha256(data).hexdigest(), data)
        book.swap({PERSONS: _laid_over(base, received)}, HEAD)
        return book.standing_of(card(sought), NOW)

    return timed(work)[1]
