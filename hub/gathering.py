"""Where all rows of a dataset come from: a register's entries, or everybody on record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from admission.identity import bulk_keyer
from cache.replica.alias import SPARE_BITS
from cache.replica.build import RowSet, merged
from cache.replica.column_types import Keys
from cache.replica.layout import ALIASES_1, PERSONS_3, Layout
from cache.replica.names import ALIASES, PERSONS
from hub.records import Entries, keyed
from hub.rows import Progress, Rows
from hub.store.packed import WORDS, PackedPeople

PROGRESS_ROWS = 10_000


class RegisterSource:
    """All entries of one register; see `hub.rows.Source`."""

    def __init__(
        self, name: str, layout: Layout[Any], entries: Entries, revision: int | None = None
    ) -> None:
        self.names = (name,)
        self.revision = revision
        self._layout = layout
        self._entries = entries

    def rows(
        self, hash_key: bytes, scratch: Path, progress: Progress | None
    ) -> Iterator[tuple[str, Rows]]:
        """Yield the rows of the one dataset."""
        del scratch
        gathered = RowSet(self._layout)
        for key, record in keyed(self._layout, _counted(self._entries, progress), hash_key):
            gathered.add(key, record)
        yield self.names[0], Rows(self._layout, *gathered.sorted())


class PeopleSource:
    """Everybody on record, as columns; see `hub.rows.Source`.

    Each person has a record under the key of the first identifier; each further identifier leads
    to it.
    """

    names = (PERSONS, ALIASES)

    def __init__(self, people: Iterable[PackedPeople], revision: int | None = None) -> None:
        self.revision = revision
        self._people = people

    def rows(
        self, hash_key: bytes, scratch: Path, progress: Progress | None
    ) -> Iterator[tuple[str, Rows]]:
        """Yield the rows of persons and of aliases.

        Both are made of the same identifiers, which are hashed once: what waits lies on the disk.
        """
        keys_of = bulk_keyer(hash_key)
        with (
            TemporaryFile(dir=scratch) as keys_1,
            TemporaryFile(dir=scratch) as words_1,
            TemporaryFile(dir=scratch) as keys_2,
            TemporaryFile(dir=scratch) as words_2,
        ):
            persons, aliases = _Spool(keys_1, words_1, WORDS), _Spool(keys_2, words_2, 1)
            told = taken = 0
            for some in self._people:
                keys = np.frombuffer(keys_of(some.identifiers), "<u8").astype(np.uint64)
                _take(some, keys, persons, aliases)
                taken += len(keys)
                if progress is not None and taken - told >= PROGRESS_ROWS:
                    progress(taken)
                    told = taken
            if progress is not None and (taken > told or not taken):
                progress(taken)
            yield PERSONS, Rows(PERSONS_3, *merged(PERSONS_3, *persons.sorted()))
            further, words = merged(ALIASES_1, *aliases.sorted())
            records = words.astype("<u8", copy=False).view(np.uint8)
            yield ALIASES, Rows(ALIASES_1, further, records.reshape(-1, ALIASES_1.record_bytes))


class _Spool:
    """Keys, and some words for each, in files that go when they are closed."""

    def __init__(self, keys: IO[bytes], records: IO[bytes], words: int) -> None:
        self._keys = keys
        self._records = records
        self._words = words

    def add(self, keys: Keys, words: NDArray[np.uint64]) -> None:
        """Take columns."""
        keys.tofile(self._keys)
        words.tofile(self._records)

    def sorted(self) -> tuple[Keys, NDArray[np.uint64]]:
        """Return all that was added, ascending by key. Memory is one and a half times that."""
        self._keys.seek(0)
        keys = np.fromfile(self._keys, np.uint64)
        order = np.argsort(keys, kind="stable").astype(np.uint32)
        keys = keys[order]
        self._records.seek(0)
        records = np.fromfile(self._records, np.uint64).reshape(-1, self._words)
        return keys, records[order]


def _take(some: PackedPeople, keys: Keys, persons: _Spool, aliases: _Spool) -> None:
    first, further = ~some.further, some.further
    statuses = some.statuses.astype(np.uint64)
    owners = some.owners[first]
    words = some.words[owners]
    words[:, 0] |= statuses[first]
    persons.add(keys[first], words)
    of_person = np.zeros(len(some.words), np.uint64)
    spare = np.uint64(SPARE_BITS)
    of_person[owners] = keys[first] >> spare << spare
    aliases.add(keys[further], statuses[further] | of_person[some.owners[further]])


def _counted(entries: Entries, progress: Progress | None) -> Entries:
    if progress is None:
        yield from entries
        return
    count = 0
    for count, entry in enumerate(entries, start=1):
        yield entry
        if count % PROGRESS_ROWS == 0:
            progress(count)
    if count % PROGRESS_ROWS or not count:
        progress(count)
