"""A hub for tests of what it publishes: a store, a folder and a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from admission.credential import Credential, CredentialKind, Pass, PassKind, Proof
from admission.identity import Identifier, IdentifierKind, permit_keys, person_keyer
from admission.standing import PersonFacts, Standing, TestResult
from cache.replica.book import ReplicaBook
from cache.replica.head import Dataset, Head
from hub.errors import StoreError
from hub.keys import HubKeys
from hub.publish import Publisher
from hub.release import Release
from hub.rows import Rows, Source
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import PEOPLE, Row
from hub.wanted import Wanted
from tests.hub.memory_store import MemoryStore
from tests.hub.released import tables_of
from tests.worlds import ManualClock

POOL = [
    Identifier(kind, f"{n}")
    for kind in (IdentifierKind.DOCUMENT, IdentifierKind.QID)
    for n in range(5)
]
FIRST = Person(99, (KnownIdentifier(Identifier(IdentifierKind.TYPED_CODE, "1")),), PersonFacts())
DOCUMENT = Identifier(IdentifierKind.DOCUMENT, "000190000001")
FACTS = PersonFacts(
    doses=2, tested_h=450_000, test_result=TestResult.NEGATIVE, declared_h=450_001, identity=9
)


class Hub:
    """A store, what is published of it, and a clock."""

    def __init__(self, folder: Path, keys: HubKeys) -> None:
        self.folder = folder
        self.keys = keys
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.restart()

    def restart(self) -> None:
        self.publisher = Publisher(self.folder, self.keys)
        self.release = Release(self.store, self.publisher)

    async def do(self, what: str, with_: Any) -> None:
        if what == "people":
            await self.put(with_)
        elif what == "restart":
            if with_:
                (self.folder / "replica" / ".notes").unlink(missing_ok=True)
            self.restart()
        elif what == "wait":
            self.clock.advance(with_)
            bases = await self.release.tend(self.clock.now())
            await self.release.rebase(bases, self.clock)
        elif what == "few":
            left = await self.release.publish_changes(self.clock.now(), limit=10)
            await self.check(without=left)
        elif what == "all":
            await self.release.publish(self.clock.now())
            assert not await self.release.stale()
            await self.check()
        else:
            async with self.store.change() as change:
                if what == "row":
                    await change.put_rows(with_[0], [with_[1]])
                elif what == "remove":
                    await change.remove_rows(with_[0], {with_[1]})
                elif with_ == PEOPLE:
                    await change.clear_people()
                    await change.put_people([FIRST])
                else:
                    await change.clear_rows(with_)

    async def put(self, some: Sequence[Person]) -> None:
        with suppress(StoreError):  # an identifier of somebody else
            await self.store.put_people(some)

    async def put_rows(self, register: str, *rows: Row) -> None:
        async with self.store.change() as change:
            await change.put_rows(register, rows)

    async def publish(self) -> Head:
        head = await self.release.publish(self.clock.now())
        assert head is not None
        return head

    @property
    def now_h(self) -> int:
        return self.clock.now().wall_ns // 3_600_000_000_000

    def standing(self, head: Head, *, proof: Proof | None = None) -> Standing:
        """Return what a gate that has this head finds of `DOCUMENT`, shown by itself or signed."""
        book = ReplicaBook(self.keys.hash_key)
        book.swap(tables_of(self.folder, head), head)
        subject = person_keyer(self.keys.hash_key)(DOCUMENT)
        badge = Pass(PassKind.OFFICER, b"1", subject) if proof else None
        shown = Credential(CredentialKind.CHOT_PASS, (DOCUMENT,), proof=proof, granted=badge)
        return book.standing_of(shown, self.clock.now())

    def dataset(self, name: str) -> Dataset:
        head = self.publisher.published()
        assert head is not None
        return head.datasets[name]

    async def check(self, without: Collection[str] = ()) -> None:
        """Compare every row that is published with all rows of the store."""
        head = self.publisher.published()
        assert head is not None
        tables, revisions = tables_of(self.folder, head), await self.store.revisions()
        wanted = Wanted(self.store, self.keys.hash_key)
        key_of = person_keyer(self.keys.hash_key)
        for register in revisions.keys() - set(without):
            source = wanted.source(register, revisions[register], self.clock.now())
            folder = self.folder / "replica"
            found = await asyncio.to_thread(_drawn, source, self.keys, folder)
            for name, rows in found:
                table = tables[name]
                assert table is not None
                records = rows.records.view("u1").reshape(len(rows.keys), table.layout.record_bytes)
                expected = {
                    k: r.tobytes() for k, r in zip(rows.keys.tolist(), records, strict=True)
                }
                asked = {k for one in POOL for k in permit_keys(key_of(one))} | expected.keys()
                assert {k: table.find(k) for k in asked} == {k: expected.get(k) for k in asked}
                assert table.rows == len(expected)


def _drawn(source: Source, keys: HubKeys, scratch: Path) -> list[tuple[str, Rows]]:
    return list(source.rows(keys.hash_key, scratch, None))


async def a_hub(folder: Path, keys: HubKeys) -> Hub:
    """Return a hub that knows one person, of `DOCUMENT` and `FACTS`, and has published nothing."""
    hub = Hub(folder, keys)
    await hub.store.put_people([Person(1, (KnownIdentifier(DOCUMENT),), FACTS)])
    return hub
