"""Small releases for the replica's tests: people, keys, signed heads, sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.identity import Identifier, IdentifierKind, PersonKey, person_keyer
from admission.standing import PersonFacts, Product
from cache.errors import SourceError
from cache.replica.build import Built, RowSet, write_segment
from cache.replica.head import Dataset, Head, SignedHead, sign_head, verify_head
from cache.replica.keys import hash_key_id
from cache.replica.layout import PERSONS_1
from cache.replica.names import PERSONS
from cache.replica.replicate import ByteSink

HASH_KEY = bytes(range(32))
HASH_KEY_ID = hash_key_id(HASH_KEY)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
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


def write(path: Path, rows: Mapping[int, bytes] | Iterable[tuple[int, bytes]]) -> Built:
    rowset = RowSet(PERSONS_1)
    for key, record in rows.items() if isinstance(rows, Mapping) else rows:
        rowset.add(PersonKey(key), record)
    return write_segment(path, rowset, HASH_KEY_ID)


class Release:
    """A segment file of `people` numbered persons from `first`, and heads that name it."""

    def __init__(self, folder: Path, people: int = 300, first: int = 0) -> None:
        self.path = folder / f"release-{first}-{people}"
        numbers = range(first, first + people)
        built = write(self.path, {key_of(n): PERSONS_1.pack(facts_of(n)) for n in numbers})
        self.dataset = Dataset(built.root, built.size, built.rows, built.layout)
        self.bytes = self.path.read_bytes()

    def head(self, sequence: int = 1, **changes: object) -> Head:
        fields: dict[str, object] = {
            "issued_ns": ISSUED_NS + sequence * 1_000_000_000,
            "expires_ns": ISSUED_NS + DAY_NS,
            "min_next_poll_s": 2,
            "hash_key_id": HASH_KEY_ID,
            "datasets": {PERSONS: self.dataset},
            "documents": {},
        }
        return Head(sequence=sequence, **{**fields, **changes})  # type: ignore[arg-type]

    def envelope(self, sequence: int = 1, **changes: object) -> bytes:
        return sign_head(self.head(sequence, **changes), SIGNER)

    def signed(self, sequence: int = 1, **changes: object) -> SignedHead:
        return verify_head(self.envelope(sequence, **changes), TRUSTED)


class MemorySource:
    """Serves what it is told to. Stands behind the ReplicaSource port."""

    def __init__(self, *releases: Release) -> None:
        self.envelope: bytes | None = releases[0].envelope() if releases else None
        self.segments = {r.dataset.name: r.bytes for r in releases}
        self.fetched: list[str] = []

    async def head(self) -> bytes:
        if self.envelope is None:
            raise SourceError("unplugged")
        return self.envelope

    async def segment(self, name: str, size: int, to: ByteSink) -> None:
        self.fetched.append(name)
        if name not in self.segments:
            raise SourceError("not found")
        data = self.segments[name]
        for at in range(0, len(data), 1000):
            to.write(data[at : at + 1000])
