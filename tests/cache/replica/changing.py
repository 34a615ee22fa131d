"""A hub's people as they change: a base, deltas, changes in the head, and the base to come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from cache.replica.build import write_rows
from cache.replica.changes import pack_changes
from cache.replica.delta import read_delta
from cache.replica.delta_write import encode_delta
from cache.replica.head import Blob, Dataset, DeltaFile, Following, Head, sign_head
from cache.replica.layout import PERSONS_3
from cache.replica.merge import merge
from cache.replica.names import PERSONS
from cache.replica.recipe import pack_recipe
from cache.replica.recipe_write import following_keys, make_recipe
from cache.replica.segment import Segment
from cache.replica.snapshot_write import write_snapshot
from cache.replica.table import Table
from tests.cache.replica.releases import (
    DAY_NS,
    HASH_KEY_ID,
    ISSUED_NS,
    SIGNER,
    MemorySource,
    facts_of,
    key_of,
)


def record(number: int, doses: int | None = None) -> bytes:
    facts = facts_of(number)
    return PERSONS_3.pack(facts if doses is None else replace(facts, doses=doses))


class Changing:
    """`persons` of people 0 to `people` - 1; what changes goes to the source at once, unsigned."""

    def __init__(self, folder: Path, source: MemorySource, people: int = 200) -> None:
        self._folder = folder
        self._source = source
        self._bases = 0
        rows = {int(key_of(n)): record(n) for n in range(people)}
        self._keys = np.array(sorted(rows), np.uint64)
        records = np.frombuffer(b"".join(rows[int(k)] for k in self._keys), np.uint8)
        path = folder / "first"
        built = write_rows(path, PERSONS_3, self._keys, records.reshape(-1, 16), HASH_KEY_ID)
        self._take(path, Dataset(built.root, built.size, built.rows, built.layout))
        self.sequence = 0

    def _take(self, path: Path, dataset: Dataset) -> None:
        self.path = path
        self.table = Table(Segment.open(path))
        self.dataset = dataset
        self.pending: dict[int, bytes | None] = {}
        self._source.files[dataset.name] = path.read_bytes()

    def pack(self) -> Blob:
        """Name the base's snapshot."""
        path = self._folder / "packed"
        write_snapshot(Segment.open(self.path), path)
        blob = self._blob(path.read_bytes())
        self.dataset = replace(self.dataset, snapshot=blob)
        return blob

    def change(self, people: Mapping[int, int | None]) -> None:
        """Give numbered people so many doses, None = not on record any more; in the head."""
        for number, doses in people.items():
            said = None if doses is None else record(number, doses)
            self.pending[int(key_of(number))] = said
        changes = pack_changes(self.pending, PERSONS_3)
        self.dataset = replace(self.dataset, changes=changes, through=self.dataset.through + 1)

    def delta(self) -> DeltaFile:
        """Put what is pending into a delta file."""
        after, through = self.table.after, self.dataset.through
        data = encode_delta(
            self.table, self.pending, base=self.dataset.root, through=through, base_keys=self._keys
        )
        named = DeltaFile(self._blob(data), after, through)
        new = read_delta(
            data,
            base=self.dataset.root,
            layout=PERSONS_3,
            rows=self.dataset.rows,
            after=after,
            through=through,
        )
        self.table = self.table.with_deltas([new], {})
        self.pending = {}
        deltas = (*self.dataset.deltas, named)
        self.dataset = replace(self.dataset, deltas=deltas, changes=b"")
        return named

    def follow(self) -> Following:
        """Name the base that comes of the deltas so far."""
        recipe = make_recipe(self.table, self._keys)
        self._bases += 1
        self._next = self._folder / f"base-{self._bases}"
        built = merge(self.table, recipe, self._next, HASH_KEY_ID)
        self._next_keys = following_keys(self.table, self._keys)
        packed = self._blob(pack_recipe(recipe))
        following = Following(built.root, built.size, built.rows, self.table.after, packed)
        self._source.files[following.name] = self._next.read_bytes()
        self.dataset = replace(self.dataset, following=following)
        return following

    def advance(self) -> None:
        """Let the base that follows be the base: what is pending goes on, on it."""
        following, pending = self.dataset.following, self.pending
        assert following is not None
        self._keys = self._next_keys
        self._take(self._next, Dataset(following.root, following.size, following.rows, 8))
        if pending:
            self.pending = pending
            changes = pack_changes(pending, PERSONS_3)
            self.dataset = replace(self.dataset, changes=changes, through=1)

    def _blob(self, data: bytes) -> Blob:
        blob = Blob(hashlib.sha256(data).digest(), len(data))
        self._source.files[blob.name] = data
        return blob

    def envelope(self, sequence: int, **changes: object) -> bytes:
        datasets = {PERSONS: replace(self.dataset, **changes)}
        issued_ns = ISSUED_NS + sequence * 1_000_000_000
        return sign_head(
            Head(sequence, issued_ns, ISSUED_NS + DAY_NS, 2, HASH_KEY_ID, datasets, {}), SIGNER
        )

    def publish(self, **changes: object) -> None:
        """Sign a new head and have the source offer it."""
        self.sequence += 1
        self._source.envelope = self.envelope(self.sequence, **changes)
