"""Small releases for the replica's tests: people, keys, signed heads, sources."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.identity import Identifier, IdentifierKind, PersonKey, person_keyer
from admission.instant import Instant
from admission.standing import PersonFacts, Product
from cache.errors import SourceError
from cache.replica.build import Built, RowSet, write_segment
from cache.replica.contents import DEFAULT_LIMIT_BYTES, subscription
from cache.replica.download import File
from cache.replica.head import Dataset, Document, Head, SignedHead, sign_head, verify_head
from cache.replica.keys import hash_key_id
from cache.replica.layout import PERSONS_1, Layout
from cache.replica.names import PERSONS
from cache.replica.source import ByteSink, FileKind, ReplicaSource
from cache.replica.store import ReplicaStore
from cache.replica.vouching import Vouching

HASH_KEY = bytes(range(32))
HASH_KEY_ID = hash_key_id(HASH_KEY)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
SITE = "gate-7"
TRUSTED = (SIGNER.public_key(),)
ISSUED_NS = 1_632_099_600_000_000_000  # where ManualClock starts
DAY_NS = 86_400 * 1_000_000_000


def document(number: int) -> Identifier:
    return Identifier(IdentifierKind.DOCUMENT, f"{number:012d}")


def facts_of(number: int) -> PersonFacts:
    """Facts that differ from every neighbour's."""
    return PersonFacts(
        doses=number % 3,
        product=Product.PFIZER,
        last_dose=date(2021, 1, 1) + timedelta(days=number % 200),
        born=date(1950, 1, 1) + timedelta(days=number),
        district=number % 1000,
    )


def key_of(number: int) -> PersonKey:
    return person_keyer(HASH_KEY)(document(number))


def write(
    path: Path,
    rows: Mapping[int, bytes] | Iterable[tuple[int, bytes]],
    layout: Layout[Any] = PERSONS_1,
) -> Built:
    rowset = RowSet(layout)
    for key, record in rows.items() if isinstance(rows, Mapping) else rows:
        rowset.add(PersonKey(key), record)
    return write_segment(path, rowset, HASH_KEY_ID)


class Release:
    """Segments of `people` numbered persons from `first` and of others, and heads that name them.

    :param others: records by number of the person, and their layout, by name of the dataset.
    """

    def __init__(
        self,
        folder: Path,
        people: int = 300,
        first: int = 0,
        *,
        others: Mapping[str, tuple[Layout[Any], Mapping[int, Any]]] | None = None,
        documents: Mapping[str, bytes] | None = None,
    ) -> None:
        self.path = folder / f"release-{first}-{people}"
        numbers = range(first, first + people)
        built = write(self.path, {key_of(n): PERSONS_1.pack(facts_of(n)) for n in numbers})
        self.dataset = Dataset(built.root, built.size, built.rows, built.layout)
        self.bytes = self.path.read_bytes()
        self.files = {self.dataset.name: self.bytes}
        self.datasets = {PERSONS: self.dataset}
        for name, (layout, records) in (others or {}).items():
            path = folder / "other"
            packed = {key_of(n): layout.pack(record) for n, record in records.items()}
            built = write(path, packed, layout)
            self.datasets[name] = Dataset(built.root, built.size, built.rows, built.layout)
            self.files[built.root.hex()] = path.read_bytes()
        self.documents = {}
        for name, data in (documents or {}).items():
            self.documents[name] = Document(hashlib.sha256(data).digest(), len(data))
            self.files[self.documents[name].name] = data

    def head(self, sequence: int = 1, **changes: object) -> Head:
        fields: dict[str, object] = {
            "issued_ns": ISSUED_NS + sequence * 1_000_000_000,
            "expires_ns": ISSUED_NS + DAY_NS,
            "min_next_poll_s": 2,
            "hash_key_id": HASH_KEY_ID,
            "datasets": self.datasets,
            "documents": self.documents,
        }
        return Head(sequence=sequence, **{**fields, **changes})  # type: ignore[arg-type]

    def envelope(self, sequence: int = 1, **changes: object) -> bytes:
        return sign_head(self.head(sequence, **changes), SIGNER)

    def signed(self, sequence: int = 1, **changes: object) -> SignedHead:
        return verify_head(self.envelope(sequence, **changes), TRUSTED)


class PinnedKeys:
    """Stands behind the Vouching port: keys that never change: whatever they sign counts."""

    version = (1 << 63) - 1
    former_keys = ()

    def __init__(self, head_keys: Iterable[Ed25519PublicKey]) -> None:
        self.head_keys = tuple(head_keys)

    def require(self, head: Head) -> None:
        """Return: nobody else is asked."""

    async def refresh(self, source: ReplicaSource, now: Instant) -> bool:
        """Return False: there is nothing newer."""
        return False


def a_store(
    state: Path,
    *,
    keys: Iterable[Ed25519PublicKey] = TRUSTED,
    trust: Vouching | None = None,
    hash_key_id: bytes = HASH_KEY_ID,
    limit_bytes: int = DEFAULT_LIMIT_BYTES,
) -> ReplicaStore:
    """Return the store of the gate at `SITE`."""
    takes = subscription(SITE)
    return ReplicaStore(
        state, trust or PinnedKeys(keys), hash_key_id, takes=takes, limit_bytes=limit_bytes
    )


def deliver(store: ReplicaStore, release: Release, sequence: int) -> SignedHead:
    """Receive, activate and accept a release, as the replicator does."""
    signed = release.signed(sequence)
    missing = store.files.missing(store.usable(signed), store.active)
    bases = [File.of(FileKind.SEGMENT, dataset) for dataset in missing.bases]
    for wanted in (*missing.files, *bases):
        with store.files.receive(wanted) as part:
            part.write(release.files[wanted.name])
            part.finish()
    store.activate(signed)
    store.accept(signed)
    store.prune()
    return signed


class MemorySource:
    """Serves what it is told to. Stands behind the ReplicaSource port."""

    def __init__(self, *releases: Release) -> None:
        self.envelope: bytes | None = releases[0].envelope() if releases else None
        self.files = {name: data for r in releases for name, data in r.files.items()}
        self.fetched: list[str] = []
        """Names of files that were asked for as a whole, or from some byte on."""
        self.ranges: list[tuple[str, int, int]] = []
        self.parts = True
        """Whether it knows ranges."""
        self.chunk_bytes = 1_000

    async def head(self) -> bytes:
        if self.envelope is None:
            raise SourceError("unplugged")
        return self.envelope

    async def file(
        self, kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
    ) -> None:
        self.fetched.append(name)
        if name not in self.files:
            raise SourceError("not found")
        data = self.files[name]
        for at in range(start, len(data), self.chunk_bytes):
            to.write(data[at : at + self.chunk_bytes])

    async def part_of(self, kind: FileKind, name: str, start: int, end: int) -> bytes:
        if not self.parts or self.envelope is None or len(self.files.get(name, b"")) < end:
            raise SourceError("not found")
        self.ranges.append((name, start, end))
        return self.files[name][start:end]

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        raise SourceError("not found")
